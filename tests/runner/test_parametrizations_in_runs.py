"""What is optimised may be something else than pixels."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, GramLoss, Loss, Runner, TotalVariationLoss, optimize_image
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluator
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Parametrization, Pixels

PARAMETRIZATIONS = {
    "pixels": Pixels,
    "Laplacian pyramid": LaplacianPyramid,
    "Fourier": Fourier,
    "low resolution": LowResolution,
}
EXACT = ["pixels", "Laplacian pyramid", "Fourier"]
OPTIMIZERS = {
    "LBFGS": LBFGS,
    "Adam": partial(torch.optim.Adam, lr=0.02),
    "LBFGS of torch": partial(torch.optim.LBFGS, max_iter=1),
    "line search": partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe"),
}


def random_image(seed: int, height: int = 17, width: int = 20) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0), "style": random_image(1, 20, 16).square()}


def by_pixels(*losses: Loss) -> Criterion:
    encoder = SequentialEncoder({"pixels": nn.Identity()})
    return Criterion(encoder, {f"loss{index}": loss for index, loss in enumerate(losses)})


@pytest.fixture(scope="module")
def criterion() -> Criterion:
    losses = {
        "content": ContentLoss("relu2_1"),
        "style": GramLoss(["relu1_1", "relu2_1"], weight=100.0),
        "smoothness": TotalVariationLoss(weight=0.1),
    }
    return Criterion(vgg11(weights=None), losses)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_every_parametrization_brings_the_loss_down_within_the_range(name, optimizer, criterion):
    shown = []
    result = optimize_image(
        criterion,
        REFERENCES,
        init="uniform",
        seed=0,
        num_steps=8,
        optimizer=OPTIMIZERS[optimizer],
        parametrization=PARAMETRIZATIONS[name],
        callbacks=[lambda step: shown.append(step.image.aminmax())],
    )
    total = result.history["total"]
    assert total[-1] < 0.95 * total[0]
    assert all(low >= 0 and high <= 1 for low, high in shown)
    assert not result.image.requires_grad
    # What is given back is what was optimised: the last row is the loss of the picture.
    assert total[-1] == pytest.approx(float(criterion.bind(REFERENCES)(result.image).total), rel=1e-5)


@pytest.mark.parametrize("name", EXACT)
def test_a_run_starts_from_the_initial_image(name, criterion):
    result = optimize_image(criterion, REFERENCES, num_steps=0, parametrization=PARAMETRIZATIONS[name])
    torch.testing.assert_close(result.image, REFERENCES["content"], rtol=0, atol=1e-5)
    first = optimize_image(criterion, REFERENCES, num_steps=1, parametrization=PARAMETRIZATIONS[name])
    expected = float(criterion.bind(REFERENCES)(REFERENCES["content"]).total)
    assert first.history["total"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", EXACT)
def test_an_initial_image_outside_the_bounds_is_clamped_to_them(name):
    start = 1.4 * random_image(3) - 0.2
    bounds = {"pixels": (0.2, 0.7)}.get(name, (0.0, 1.0))
    result = optimize_image(
        by_pixels(ContentLoss("pixels")),
        REFERENCES,
        init=start,
        bounds=bounds,
        num_steps=1,
        parametrization=PARAMETRIZATIONS[name],
    )
    expected = float((start.clamp(*bounds) - REFERENCES["content"]).square().mean())
    assert result.history["total"][0] == pytest.approx(expected, rel=1e-4)


def test_pixels_are_what_is_optimised_by_default(criterion):
    default, pixels = (
        optimize_image(criterion, REFERENCES, num_steps=4, **arguments)
        for arguments in ({}, {"parametrization": Pixels})
    )
    assert torch.equal(default.image, pixels.image)
    assert type(Runner(EagerEvaluator(criterion.bind(REFERENCES)), random_image(0)).parametrization) is Pixels


class Brightness(Parametrization):
    """One number for each image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.size = image.shape
        self.value = nn.Parameter(image.detach().mean((1, 2, 3), keepdim=True))

    def forward(self) -> Tensor:
        return self.value.clamp(0, 1).expand(self.size)


def test_the_gradient_of_the_image_goes_on_to_the_parameters():
    class Constant(EagerEvaluator):
        def __call__(self, image):
            assert not image.requires_grad, "the graph of the parameters is nothing for it"
            return self.terms(image), torch.full_like(image, 0.5)

    objective = by_pixels(ContentLoss("pixels")).bind({"content": torch.zeros(1, 3, 4, 5)})
    runner = Runner(
        Constant(objective),
        torch.full((1, 3, 4, 5), 0.75),
        optimizer=partial(torch.optim.SGD, lr=0.01),
        parametrization=Brightness,
    )
    # 60 numbers of the image, each with the gradient 0.5: a step of 0.01 * 60 * 0.5 = 0.3.
    torch.testing.assert_close(runner.run(1).image, torch.full((1, 3, 4, 5), 0.45))
    torch.testing.assert_close(runner.image, torch.full((1, 3, 4, 5), 0.45))
    assert float(runner.parametrization.value.detach()) == pytest.approx(0.45)


@pytest.mark.parametrize("optimizer", [LBFGS, partial(torch.optim.Adam, lr=0.3)])
@pytest.mark.parametrize("name", ["pixels", "low resolution"])
def test_projected_parametrizations_keep_to_any_bounds(name, optimizer, criterion):
    ranges = []
    optimize_image(
        criterion,
        REFERENCES,
        num_steps=6,
        optimizer=optimizer,
        parametrization=PARAMETRIZATIONS[name],
        bounds=(0.2, 0.7),
        callbacks=[lambda step: ranges.append(step.image.aminmax())],
    )
    # Up to the rounding of the weights of an interpolation.
    assert all(low >= 0.2 - 1e-6 and high <= 0.7 + 1e-6 for low, high in ranges)


@pytest.mark.parametrize("name", ["Laplacian pyramid", "Fourier"])
def test_parameters_that_are_no_pixels_are_not_bounded(name, criterion):
    objective = EagerEvaluator(criterion.bind(REFERENCES))
    runner = Runner(objective, random_image(0), parametrization=PARAMETRIZATIONS[name])
    assert runner.optimizer.param_groups[0]["bounds"] is None
    start = [parameter.detach().clone() for parameter in runner.parametrization.parameters()]
    assert min(float(parameter.min()) for parameter in start) < 0
    runner = Runner(
        objective,
        random_image(0),
        optimizer=partial(torch.optim.SGD, lr=0.0),
        parametrization=PARAMETRIZATIONS[name],
    )
    runner.run(1)
    for parameter, before in zip(runner.parametrization.parameters(), start, strict=True):
        assert torch.equal(parameter, before)
    assert Runner(objective, random_image(0)).optimizer.param_groups[0]["bounds"] == (0.0, 1.0)


@pytest.mark.parametrize("name", ["Laplacian pyramid", "Fourier"])
def test_other_bounds_than_the_range_need_a_projected_parametrization(name, criterion):
    arguments = {"parametrization": PARAMETRIZATIONS[name], "num_steps": 1}
    with pytest.raises(
        ValueError, match=r"`bounds` must be \(0, 1\) for a parametrization .*got \(0\.2, 0\.7\)"
    ):
        optimize_image(criterion, REFERENCES, bounds=(0.2, 0.7), **arguments)
    for bounds in (None, (0, 1), [0.0, 1.0]):
        image = optimize_image(criterion, REFERENCES, bounds=bounds, **arguments).image
        assert image.min() >= 0
        assert image.max() <= 1


class BreaksAt(Loss):
    """A smooth loss whose evaluation number `call` is not finite or raises."""

    reference, spatial = None, "dense"

    def __init__(self, call: int, error: type[BaseException] | None = None) -> None:
        super().__init__("pixels")
        self.call, self.error = call, error
        self.images: list[Tensor] = []

    def represent(self, features: Tensor) -> Tensor:
        self.images.append(features.detach().clone())
        value = (features - random_image(5)).square().mean()
        if len(self.images) != self.call:
            return value
        if self.error is not None:
            raise self.error
        return value * torch.nan


@pytest.mark.parametrize("call", [1, 2, 5])
@pytest.mark.parametrize("optimizer", ["LBFGS", "Adam"])
@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_a_run_that_diverges_gives_the_image_of_the_last_good_parameters(name, optimizer, call):
    loss = BreaksAt(call)
    objective = EagerEvaluator(by_pixels(loss).bind({}))
    runner = Runner(
        objective,
        random_image(0),
        optimizer=OPTIMIZERS[optimizer],
        parametrization=PARAMETRIZATIONS[name],
    )
    result = runner.run(8)
    assert result.failed
    assert torch.equal(result.image, loss.images[max(call - 2, 0)])
    assert torch.equal(runner.image, result.image)


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_an_optimizer_that_moves_without_a_gradient_does_not_change_the_last_good_parameters(name):
    loss = BreaksAt(1)
    result = optimize_image(
        by_pixels(loss),
        {},
        init=random_image(0),
        num_steps=2,
        optimizer=partial(torch.optim.AdamW, lr=0.1, weight_decay=0.5),
        parametrization=PARAMETRIZATIONS[name],
    )
    assert result.failed
    assert torch.equal(result.image, loss.images[0])


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_an_interrupt_gives_the_picture_so_far(name):
    loss = BreaksAt(4, KeyboardInterrupt)
    result = optimize_image(
        by_pixels(loss), {}, init=random_image(0), num_steps=8, parametrization=PARAMETRIZATIONS[name]
    )
    assert result.stop_reason == "interrupted"
    assert torch.equal(result.image, loss.images[2])


class Jumps(torch.optim.SGD):
    """One whose third step leaves the last of several parameters without a number."""

    steps = 0

    def step(self, closure):
        self.steps += 1
        loss = super().step(closure)
        if self.steps == 3:
            self.param_groups[0]["params"][-1].data.view(-1)[-1] = torch.nan
        return loss


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
@pytest.mark.parametrize("poll_interval", [1, 25])
def test_an_image_that_is_not_finite_is_never_shown(name, poll_interval):
    loss, shown = BreaksAt(0), []
    runner = Runner(
        EagerEvaluator(by_pixels(loss).bind({})),
        random_image(0),
        optimizer=partial(Jumps, lr=0.1),
        parametrization=PARAMETRIZATIONS[name],
        averaging=0.5,
        callbacks=[lambda step: shown.append(step.image)],
    )
    # 25 is what a device other than the CPU gets, where a look at the flag in every step would be slow.
    runner._loop.poll_interval = poll_interval
    result = runner.run(6)
    assert result.failed
    assert all(image.isfinite().all() for image in [*shown, result.image])
    assert torch.equal(runner.image, loss.images[2])


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_averages_are_those_of_the_images(name):
    images = []

    class Looks(torch.optim.SGD):
        def step(self, closure):
            loss = super().step(closure)
            images.append(runner.image.clone())
            return loss

    runner = Runner(
        EagerEvaluator(by_pixels(ContentLoss("pixels")).bind({"content": random_image(5)})),
        random_image(0),
        optimizer=partial(Looks, lr=30.0),
        parametrization=PARAMETRIZATIONS[name],
        averaging=0.5,
    )
    result = runner.run(3)
    # With decay 0.5 the weights of three iterates are 1, 2, 4 over 7.
    images = [image.clamp(0, 1) for image in images]
    expected = (images[0] + 2 * images[1] + 4 * images[2]) / 7
    torch.testing.assert_close(result.image, expected)
    assert (images[0] - images[2]).abs().max() > 1e-3


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_the_tensors_of_the_caller_stay_as_they_are(name, criterion):
    start = random_image(2).requires_grad_()
    before = start.detach().clone()
    result = optimize_image(
        criterion, REFERENCES, init=start, num_steps=2, parametrization=PARAMETRIZATIONS[name]
    )
    result.image.zero_()
    assert torch.equal(start, before)
    assert start.grad is None


def test_the_same_seed_gives_the_same_picture_to_the_last_bit(criterion):
    for factory in PARAMETRIZATIONS.values():
        first, second = (
            optimize_image(
                criterion, REFERENCES, num_steps=3, seed=5, init="uniform", parametrization=factory
            )
            for _ in range(2)
        )
        assert torch.equal(first.image, second.image)
