"""Whole runs on numbers, shapes and tensors that nobody hopes for: a finite picture, or one clear error."""

import logging
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import (
    ContentLoss,
    ContextualLoss,
    CovarianceLoss,
    Criterion,
    GramLoss,
    HistogramLoss,
    MattingLaplacianLoss,
    MeanLoss,
    MeanStdLoss,
    MomentLoss,
    MRFLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    PNormLoss,
    Pyramid,
    RelaxedEMDLoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
    optimize_image,
)
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.optim import LBFGS

ADAM = partial(torch.optim.Adam, lr=0.02)
LINE_SEARCH = partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe")
OPTIMIZERS = {
    "LBFGS": LBFGS,
    "Adam": ADAM,
    "LBFGS of torch": partial(torch.optim.LBFGS, max_iter=1),
    "line search": LINE_SEARCH,
}


def image(seed, height=12, width=10):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def encoder(factor=1.0):
    generator = torch.Generator().manual_seed(2)
    first, second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
    with torch.no_grad():
        for conv in (first, second):
            conv.weight.copy_(factor * torch.randn(conv.weight.shape, generator=generator))
            conv.bias.zero_()
    modules = {
        "conv1": first,
        "relu1": nn.ReLU(),
        "pool1": nn.MaxPool2d(2),
        "conv2": second,
        "relu2": nn.ReLU(),
    }
    return SequentialEncoder(modules)


REFERENCES = {"content": image(0), "style": image(1, 9, 14)}


def scaled(factor):
    losses = {"content": ContentLoss("conv2", weight=factor), "style": GramLoss("relu1", weight=3 * factor)}
    return Criterion(encoder(), losses)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("exponent", [-8, -6, -3, 3, 6, 8])
def test_no_scale_of_the_losses_makes_a_run_do_nothing_in_silence(name, exponent, caplog):
    run = partial(
        optimize_image, references=REFERENCES, optimizer=OPTIMIZERS[name], num_steps=15, init="grey"
    )
    result, usual = run(scaled(10.0**exponent)), run(scaled(1.0))
    assert result.image.isfinite().all()
    if name == "LBFGS":
        assert (result.image - usual.image).abs().mean() < 0.02
    if torch.equal(result.image, torch.full_like(result.image, 0.5)):
        assert result.failed or "The image did not move" in caplog.text


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_is_said_and_no_error(name, caplog):
    criterion = Criterion(encoder(), {"content": ContentLoss("conv2", weight=0.0)})
    result = optimize_image(criterion, REFERENCES, optimizer=OPTIMIZERS[name], num_steps=4)
    assert torch.equal(result.image, REFERENCES["content"])
    assert result.stop_reason == "finished"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The image did not move in 4 steps: ")


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("colour", [0.0, 0.5, 1.0])
def test_a_flat_image_that_is_already_as_wanted_is_said_and_no_error(name, colour, caplog):
    flat = torch.full((1, 3, 12, 10), colour)
    losses = {"content": ContentLoss("conv2"), "style": GramLoss("relu1"), "tv": TotalVariationLoss()}
    run = partial(optimize_image, Criterion(encoder(), losses), {"content": flat, "style": flat})
    result = run(optimizer=OPTIMIZERS[name], num_steps=4)
    torch.testing.assert_close(result.image, flat, rtol=0, atol=1e-3)
    assert result.stop_reason == "finished"
    assert torch.equal(result.image, flat) == ("The image did not move in 4 steps" in caplog.text)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_that_moves_says_nothing(name, caplog):
    optimize_image(scaled(1.0), REFERENCES, optimizer=OPTIMIZERS[name], num_steps=4)
    optimize_image(scaled(1.0), REFERENCES, optimizer=OPTIMIZERS[name], num_steps=0)
    assert caplog.records == []


LOSSES = {
    "content": ContentLoss("conv2", relative=True),
    "gram": GramLoss(["relu1", "conv2"], relative=True),
    "mean": MeanLoss("relu2"),
    "mean and deviation": MeanStdLoss("relu1", relative=True),
    "covariance": CovarianceLoss("conv2", relative=True),
    "moments": MomentLoss("relu1"),
    "Wasserstein": WassersteinLoss(["image", "relu2"], relative=True),
    "sliced": SlicedWassersteinLoss("relu1", relative=True),
    "histogram": HistogramLoss("relu1"),
    "earth movers": RelaxedEMDLoss("relu2", relative=True),
    "similarity": SelfSimilarityLoss("relu2"),
    "contrast": PatchNCELoss("relu2"),
    "contextual": ContextualLoss("relu2"),
    "patches": MRFLoss("relu1"),
    "neighbours": NearestNeighborLoss("relu2"),
    "matting": MattingLaplacianLoss(),
    "variation": TotalVariationLoss(exponent=1.0),
    "wavelet": WaveletLoss(),
    "range": ValueRangeLoss(),
    "norm": PNormLoss(),
}

IMAGES = {
    "black": torch.zeros(1, 3, 12, 10),
    "white": torch.ones(1, 3, 12, 10),
    "grey": torch.full((1, 3, 12, 10), 0.5),
    "one colour": torch.tensor([1.0, 0.0, 0.3]).reshape(1, 3, 1, 1).expand(1, 3, 12, 10),
    "a step": torch.arange(12.0).reshape(1, 1, 12, 1).gt(5).float().expand(1, 3, 12, 10),
    "tiny numbers": image(3) * 1e-30,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("optimizer", [LBFGS, ADAM])
def test_degenerate_images_give_finite_pictures_with_every_loss(name, kind, optimizer):
    criterion = Criterion(encoder(), {name: LOSSES[name]})
    for references in (
        {"content": IMAGES[kind], "style": IMAGES[kind]},
        {**REFERENCES, "content": IMAGES[kind]},
    ):
        result = optimize_image(criterion, references, optimizer=optimizer, num_steps=3)
        assert result.image.isfinite().all()
        # Numbers of which a square is 0 may end the run.
        assert not result.failed or kind == "tiny numbers"
        assert torch.tensor(result.history["total"]).isfinite().all()


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (2, 2), (3, 2), (1, 40), (2, 300), (300, 2), (3, 1000)])
@pytest.mark.parametrize("name", LOSSES)
def test_tiny_and_long_images_give_finite_pictures_or_one_clear_error(name, size):
    criterion = Criterion(encoder(), {name: LOSSES[name]})
    references = {"content": image(0, *size), "style": image(1, *size)}
    message, result = None, None
    try:
        result = optimize_image(criterion, references, num_steps=2)
    except ValueError as error:
        message = str(error)
    if result is None:
        assert "`" in message
        assert message.endswith(".")
        assert min(size) < 4
    else:
        assert result.image.shape == (1, 3, *size)
        assert result.image.isfinite().all()
        assert not result.failed


LAYOUTS = {
    "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "sliced": lambda x: torch.stack([x, x], -1)[..., 0],
    "flipped": lambda x: x.flip(3).flip(3),
    "wants a gradient": lambda x: x.clone().requires_grad_(),
    "of a graph": lambda x: x.clone().requires_grad_() * 1.0,
    "a parameter": lambda x: nn.Parameter(x.clone()),
}


def in_inference_mode(x):
    with torch.inference_mode():
        return x.clone()


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(4)])
@pytest.mark.parametrize("name", [*LAYOUTS, "of inference mode"])
def test_tensors_of_every_kind_give_the_same_picture_and_are_left_alone(name, evaluation):
    kind = LAYOUTS.get(name, in_inference_mode)
    references = {key: kind(value) for key, value in REFERENCES.items()}
    before = {key: value.detach().clone() for key, value in references.items()}
    versions = {} if name == "of inference mode" else {key: x._version for key, x in references.items()}
    start = kind(image(4))
    run = partial(optimize_image, scaled(1.0), num_steps=5, evaluation=evaluation)
    result = run(references, init=start)
    expected = run(REFERENCES, init=image(4))
    torch.testing.assert_close(result.image, expected.image, rtol=0, atol=1e-4)
    assert torch.equal(start.detach(), image(4))
    assert all(torch.equal(references[key].detach(), value) for key, value in before.items())
    assert all(references[key]._version == version for key, version in versions.items())
    assert all(x.grad is None for x in references.values() if x.is_leaf)


def test_an_expanded_image_gives_the_picture_of_its_copy():
    grey = image(0)[:, :1].expand(1, 3, 12, 10)
    for references in ({**REFERENCES, "content": grey}, {**REFERENCES, "style": grey}):
        copied = {name: value.clone() for name, value in references.items()}
        run = partial(optimize_image, scaled(1.0), num_steps=4)
        assert torch.equal(run(references).image, run(copied).image)


@pytest.mark.parametrize("place", ["init", "content", "style", "encoder"])
@pytest.mark.parametrize("kind", ["meta", "float64", "float16", "uint8"])
def test_another_device_or_type_is_named(place, kind):
    change = {"meta": torch.device("meta")}.get(kind) or getattr(torch, kind)
    criterion, references, init = scaled(1.0), dict(REFERENCES), image(4)
    if place == "init":
        init = init.to(change)
    elif place == "encoder":
        if kind == "uint8":
            pytest.skip("Modules have no such type.")
        criterion.encoder.to(change)
    else:
        references[place] = references[place].to(change)
    with pytest.raises((ValueError, TypeError), match=r"float32|floating|device") as caught:
        optimize_image(criterion, references, init=init, num_steps=2)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("factor", [1.0, 30.0, 300.0])
def test_huge_activations_give_finite_pictures(precision, factor):
    losses = {
        "content": ContentLoss("conv1", relative=True),
        "style": GramLoss(["relu1", "relu2"], relative=True),
        "moments": MeanStdLoss("relu1"),
        "sliced": SlicedWassersteinLoss("relu1", relative=True),
    }
    if precision == "float16" and factor > 30:
        pytest.skip("The activations themselves are beyond float16.")
    result = optimize_image(
        Criterion(encoder(factor), losses), REFERENCES, num_steps=4, evaluation=EagerEvaluation(precision)
    )
    assert result.image.isfinite().all()
    assert not result.failed


def test_runs_leave_the_random_state_alone(tmp_path):
    losses = Criterion(encoder(), {"style": SlicedWassersteinLoss("relu1", resample=True)})
    before = torch.get_rng_state()
    optimize_image(losses, REFERENCES, init="uniform", num_steps=2, checkpoint=tmp_path / "a")
    Pyramid([6, 8], num_steps=2).optimize(losses, REFERENCES, init="normal", checkpoint=tmp_path / "b")
    assert torch.equal(torch.get_rng_state(), before)
