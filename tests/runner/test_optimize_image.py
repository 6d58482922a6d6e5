import gc
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, GramLoss, Loss, Runner, TotalVariationLoss, optimize_image
from pystyle.criterion import Targets
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluator
from pystyle.optim import LBFGS
from pystyle.runner import initial_image

OPTIMIZERS = {
    "LBFGS": LBFGS,
    "Adam": partial(torch.optim.Adam, lr=0.05),
    "SGD": partial(torch.optim.SGD, lr=0.01, momentum=0.5),
    "Adagrad": partial(torch.optim.Adagrad, lr=0.1),
    "LBFGS of torch": partial(torch.optim.LBFGS, max_iter=1),
    "LBFGS of torch with line search": partial(torch.optim.LBFGS, max_iter=5, line_search_fn="strong_wolfe"),
}


def random_image(seed: int, height: int = 16, width: int = 20) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0), "style": random_image(1, 20, 16).square()}


def pixels() -> SequentialEncoder:
    return SequentialEncoder({"pixels": nn.Identity()})


@pytest.fixture(scope="module")
def criterion() -> Criterion:
    losses = {
        "content": ContentLoss("relu2_1"),
        "style": GramLoss(["relu1_1", "relu2_1"], weight=100.0),
        "smoothness": TotalVariationLoss(weight=0.1),
    }
    return Criterion(vgg11(weights=None), losses)


@pytest.fixture(scope="module")
def by_pixels() -> Criterion:
    return Criterion(pixels(), {"content": ContentLoss("pixels")})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_brings_the_loss_down_within_the_bounds(name, criterion):
    result = optimize_image(
        criterion, REFERENCES, init="uniform", optimizer=OPTIMIZERS[name], num_steps=8, seed=0
    )
    total = result.history["total"]
    assert total[-1] < 0.8 * total[0]
    assert result.stop_reason == "finished"
    assert result.image.min() >= 0
    assert result.image.max() <= 1


def test_the_lbfgs_of_torch_takes_gradients_of_any_memory_layout():
    # Convolutions give gradients with the channels innermost, which torch's L-BFGS cannot take as they are.
    texture = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
    result = optimize_image(texture, REFERENCES, optimizer=OPTIMIZERS["LBFGS of torch"], num_steps=3)
    assert result.history["total"][-1] < result.history["total"][0]


@pytest.mark.parametrize("num_steps", [0, 1, 7])
def test_history_has_the_losses_after_each_step_and_those_of_the_start(num_steps, criterion):
    result = optimize_image(criterion, REFERENCES, num_steps=num_steps)
    history = result.history
    assert list(history) == [
        "step", "seconds", "total", "content.relu2_1", "style.relu1_1", "style.relu2_1", "smoothness.image",
    ]  # fmt: skip
    assert {len(column) for column in history.values()} == {num_steps + 1}
    assert history["step"] == list(range(num_steps + 1))
    assert history["seconds"] == sorted(history["seconds"])
    assert result.seconds >= history["seconds"][-1] >= 0
    parts = [column for name, column in history.items() if "." in name]
    assert [sum(row) for row in zip(*parts, strict=True)] == pytest.approx(history["total"], rel=1e-5)


def test_first_row_is_the_loss_of_the_start_worked_out_by_hand(by_pixels):
    start, content = torch.full((1, 3, 4, 5), 0.75), torch.full((1, 3, 4, 5), 0.25)
    result = optimize_image(by_pixels, {"content": content}, init=start, num_steps=2)
    assert result.history["total"][0] == 0.25


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_last_row_is_the_loss_of_the_picture(optimizer, criterion):
    result = optimize_image(criterion, REFERENCES, optimizer=optimizer, num_steps=4)
    terms = criterion.bind(REFERENCES)(result.image)
    assert result.history["total"][-1] == pytest.approx(float(terms.total), rel=1e-6)
    assert result.history["style.relu2_1"][-1] == pytest.approx(float(terms["style.relu2_1"]), rel=1e-6)


def test_no_steps_give_the_initial_image(criterion):
    result = optimize_image(criterion, REFERENCES, num_steps=0)
    assert torch.equal(result.image, REFERENCES["content"])
    assert result.stop_reason == "finished"


@pytest.mark.parametrize("num_steps", [0, 3])
def test_the_tensors_of_the_caller_stay_as_they_are(num_steps, criterion):
    start = random_image(2).requires_grad_()
    references = {name: image.clone().requires_grad_() for name, image in REFERENCES.items()}
    before = start.detach().clone()
    result = optimize_image(criterion, references, init=start, num_steps=num_steps)
    assert torch.equal(start, before)
    assert start.requires_grad
    assert start.grad is None
    for name, image in references.items():
        assert torch.equal(image, REFERENCES[name])
        assert image.requires_grad
        assert image.grad is None
        assert result.image.data_ptr() != image.data_ptr()
    assert result.image.data_ptr() != start.data_ptr()
    assert not result.image.requires_grad
    result.image.zero_()
    assert torch.equal(start, before)


def test_the_image_is_clamped_at_the_end_if_it_has_no_bounds():
    class Brightness(Loss):
        reference, spatial = None, "dense"

        def represent(self, features):
            return (features - 2).square().mean()

    criterion = Criterion(pixels(), {"brightness": Brightness("pixels")})
    seen = []
    free = optimize_image(
        criterion,
        {},
        init=random_image(0),
        num_steps=10,
        bounds=None,
        callbacks=[lambda step: seen.append(step.image)],
    )
    assert min(free.history["total"][:-1]) < 0.1
    assert free.history["total"][-1] == 1, "the last row is that of the picture, which is clamped"
    assert torch.equal(free.image, torch.ones_like(free.image))
    assert max(image.max() for image in seen) <= 1
    kept = optimize_image(criterion, {}, init=random_image(0), num_steps=10)
    assert kept.history["total"][-1] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("optimizer", [LBFGS, partial(torch.optim.Adam, lr=0.3)])
def test_all_iterates_are_within_the_bounds(optimizer, criterion):
    runner = Runner(
        EagerEvaluator(criterion.bind(REFERENCES)), random_image(3), optimizer=optimizer, bounds=(0.2, 0.7)
    )
    ranges = []
    runner.callbacks = (lambda step: ranges.append(step.image.aminmax()),)
    runner.run(6)
    assert all(low >= 0.2 and high <= 0.7 for low, high in ranges)
    assert len(ranges) == 6


@pytest.mark.parametrize("init", ["content", "style", "uniform", "normal", "grey", "style_colours", (16, 20)])
@pytest.mark.parametrize("averaging", [None, 0.9])
def test_the_same_seed_gives_the_same_picture_to_the_last_bit(init, averaging, criterion):
    before = torch.get_rng_state()
    arguments = {"init": init, "num_steps": 3, "seed": 5, "averaging": averaging}
    first, second = (optimize_image(criterion, REFERENCES, **arguments) for _ in range(2))
    assert torch.equal(first.image, second.image)
    assert first.history["total"] == second.history["total"]
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_noise_is_another_one_each_time():
    before = torch.get_rng_state()
    first, second = (initial_image("uniform", REFERENCES) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_the_default_optimizer_moves_as_far_for_losses_of_any_scale(scale):
    criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu2_1", relative=True, weight=scale)})
    result = optimize_image(criterion, REFERENCES, num_steps=15)
    assert (result.image - REFERENCES["content"]).abs().max() > 0.1
    assert result.history["total"][-1] < 0.5 * result.history["total"][0]


def test_a_zero_gradient_ends_in_the_image_it_began_with(by_pixels):
    for optimizer in OPTIMIZERS.values():
        result = optimize_image(by_pixels, REFERENCES, optimizer=optimizer, num_steps=3)
        assert torch.equal(result.image, REFERENCES["content"])
        assert result.history["total"] == [0, 0, 0, 0]


def test_a_missing_content_is_named(criterion):
    style = {"style": REFERENCES["style"]}
    with pytest.raises(ValueError, match="`init` = 'content' needs the reference 'content', got style"):
        optimize_image(criterion, style)
    texture = Criterion(pixels(), {"style": GramLoss("pixels")})
    with pytest.raises(
        ValueError, match=r"`init` = 'content' needs the reference 'content', got style\. Give"
    ):
        optimize_image(texture, style)


def test_images_of_the_wrong_kind_are_refused(criterion):
    with pytest.raises(ValueError, match="on the device of the encoder, got meta"):
        optimize_image(criterion, {**REFERENCES, "style": REFERENCES["style"].to("meta")})
    with pytest.raises(TypeError, match=r"of the encoder's type torch\.float32, got torch\.float64"):
        optimize_image(criterion, REFERENCES, init=random_image(0).double())
    with pytest.raises(TypeError, match=r"floating tensor with values in \[0, 1\], got torch\.uint8"):
        optimize_image(criterion, REFERENCES, init=(255 * random_image(0)).byte())
    with pytest.raises(ValueError, match="`init` must be finite"):
        optimize_image(criterion, REFERENCES, init=torch.full((1, 3, 16, 20), torch.nan))


def test_a_run_in_float64_stays_in_float64():
    criterion = Criterion(vgg11(weights=None).double(), {"style": GramLoss("relu1_1")})
    result = optimize_image(criterion, {"style": REFERENCES["style"].double()}, init=(16, 16), num_steps=2)
    assert result.image.dtype == torch.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_steps": -1}, "`num_steps` must not be negative, got -1"),
        ({"bounds": (1.0, 0.0)}, r"`bounds` must be \(smallest, largest\) with smallest < largest"),
        ({"averaging": 1.0}, r"`averaging` must be in \[0, 1\), got 1.0"),
        ({"averaging": -0.1}, r"`averaging` must be in \[0, 1\)"),
        ({"init": "noise"}, r"`init` must be a tensor, a size, or one of \('content', .*got 'noise'"),
    ],
)
def test_an_impossible_argument_is_named(arguments, message, criterion):
    with pytest.raises(ValueError, match=message):
        optimize_image(criterion, REFERENCES, **arguments)


class Silent(torch.optim.Optimizer):
    """One that never calls the closure."""

    def __init__(self, params):
        super().__init__(params, {})

    def step(self, closure=None):
        del closure


def test_an_optimizer_that_never_evaluates_is_refused(criterion):
    with pytest.raises(TypeError, match=r"Silent\.step\(\) must call the closure"):
        optimize_image(criterion, REFERENCES, optimizer=Silent)


class Sequence(torch.optim.Optimizer):
    """One whose iterates are 0.1, 0.2, 0.4, 0.8."""

    def __init__(self, params):
        super().__init__(params, {})
        self.values = iter([0.1, 0.2, 0.4, 0.8])

    @torch.no_grad()
    def step(self, closure):
        with torch.enable_grad():
            closure()
        self.param_groups[0]["params"][0].fill_(next(self.values))


def test_averaging_weights_late_iterates_more_and_forgets_the_start(by_pixels):
    # With decay 0.5 the weights of four iterates are 1, 2, 4, 8 over 15.
    result = optimize_image(by_pixels, REFERENCES, optimizer=Sequence, num_steps=4, averaging=0.5)
    expected = (0.1 + 2 * 0.2 + 4 * 0.4 + 8 * 0.8) / 15
    torch.testing.assert_close(result.image, torch.full_like(result.image, expected))


def test_averaging_without_decay_is_the_last_iterate(by_pixels):
    seen = []
    optimize_image(
        by_pixels, REFERENCES, optimizer=Sequence, num_steps=3, averaging=0.0,
        callbacks=[lambda step: seen.append(float(step.image.mean()))],
    )  # fmt: skip
    assert seen == pytest.approx([0.1, 0.2, 0.4])


@pytest.mark.slow
@pytest.mark.long
def test_a_long_run_keeps_nothing_alive_and_leaves_no_hooks(criterion):
    counts = []

    def count(step):
        if step.index % 10 == 0:
            gc.collect()
            counts.append(
                sum(issubclass(type(item), Tensor) and item.numel() > 100 for item in gc.get_objects())
            )

    optimize_image(
        criterion, REFERENCES, num_steps=40, optimizer=partial(LBFGS, history_size=5), callbacks=[count]
    )
    assert counts[1] == counts[2] == counts[3]
    for module in criterion.modules():
        assert not module._forward_hooks
        assert not module._backward_hooks


def test_gradients_of_a_custom_evaluation_are_taken_as_they_are(criterion):
    class Constant(EagerEvaluator):
        def __call__(self, image):
            return self.terms(image), torch.full_like(image, 3.0)

    start = torch.full((1, 3, 16, 20), 0.5)
    evaluator = Constant(criterion.bind(REFERENCES))
    result = Runner(evaluator, start, optimizer=partial(torch.optim.SGD, lr=0.1)).run(1)
    torch.testing.assert_close(result.image, start - 0.3)


def test_a_result_tells_the_facts_in_one_line(criterion):
    result = optimize_image(criterion, REFERENCES, num_steps=2)
    loss = f"{result.history['total'][-1]:.4g}"
    assert repr(result) == f"Result(16 x 20 pixels, 2 steps in {result.seconds:.1f} s, loss {loss}, finished)"


def test_what_holds_tensors_is_compared_and_hashed_by_what_it_is(criterion):
    objective = criterion.bind(REFERENCES)
    makers = [
        lambda: optimize_image(criterion, REFERENCES, num_steps=0),
        lambda: Targets.of(objective, "style"),
        lambda: criterion.bind(REFERENCES).parts[0],
        lambda: criterion.bind(REFERENCES).parts[0].targets[0],
    ]
    for make in makers:
        one, other = make(), make()
        assert one == one
        assert one != other
        assert len({one, other, one}) == 2
