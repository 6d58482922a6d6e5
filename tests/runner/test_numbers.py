"""Whole numbers of numpy and torch are whole numbers, in a run and in its checkpoints."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, Runner, optimize_image, stylize
from pystyle.checkpoints import Checkpoints, describe
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.runner import Preview, StopOnPlateau, initial_image
from pystyle.stylization import stylization_pyramid

PHOTO = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
KINDS = {"numpy": np.int64, "array": np.array, "tensor": torch.tensor, "float": float}


def by_pixels():
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})


def runner():
    return Runner(EagerEvaluation().bind(by_pixels(), {"content": PHOTO}), PHOTO)


def run(**arguments):
    return optimize_image(by_pixels(), {"content": PHOTO}, **{"num_steps": 2, "init": "uniform", **arguments})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_run_takes_whole_numbers_of_any_kind(kind):
    assert torch.equal(run(num_steps=kind(2), seed=kind(3)).image, run(seed=3).image)
    noise = initial_image((kind(6), kind(8)), {"content": PHOTO}, seed=kind(3))
    assert torch.equal(noise, initial_image((6, 8), {"content": PHOTO}, seed=3))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_stylize_takes_whole_numbers_of_any_kind(kind):
    paint = partial(stylize, PHOTO, PHOTO.flip(2), encoder=vgg11(weights=None), device="cpu")
    expected = paint(edge_size=24, num_steps=2, tile=8)
    assert torch.equal(paint(edge_size=kind(24), num_steps=kind(2), tile=kind(8)).image, expected.image)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_levels_of_stylize_are_made_of_whole_numbers_of_any_kind(kind):
    assert stylization_pyramid(kind(256), num_steps=kind(90)) == stylization_pyramid(256, num_steps=90)
    sizes, steps = [kind(64), kind(128)], [kind(3), kind(2)]
    assert stylization_pyramid(sizes, num_steps=steps) == stylization_pyramid([64, 128], num_steps=[3, 2])


@pytest.mark.parametrize("kind", [np.int64, np.int16])
def test_a_checkpoint_takes_numbers_of_numpy_for_numbers(kind, tmp_path):
    descent = partial(torch.optim.SGD, lr=np.float64(0.5))
    checkpoint = Checkpoints(tmp_path, steps=kind(1))
    first = run(seed=kind(3), num_steps=kind(2), optimizer=descent, checkpoint=checkpoint)
    again = run(seed=3, optimizer=partial(torch.optim.SGD, lr=0.5), checkpoint=tmp_path, resume=True)
    assert torch.equal(first.image, again.image)
    assert describe({"steps": kind(5), "factor": np.float32(0.5)}) == {"steps": "5", "factor": "0.5"}


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda value: run(num_steps=value), "`num_steps`"),
        (lambda value: run(seed=value), "`seed`"),
        (lambda value: run(init=(value, 8)), r"`init\[0\]`"),
        (lambda value: runner().run(value), "`num_steps`"),
        (lambda value: stylization_pyramid(value), "`edge_size`"),
        (lambda value: stylization_pyramid(64, num_steps=value), "`num_steps`"),
        (lambda value: Preview("x.png", every=value), "`every`"),
        (lambda value: StopOnPlateau(patience=value), "`patience`"),
        (lambda value: Checkpoints("run", steps=value), "`steps`"),
        (StripEvaluation, "`rows`"),
    ],
)
def test_half_a_step_or_pixel_means_nothing_and_is_refused(make, label):
    with pytest.raises(ValueError, match=rf"{label} must be a whole number, got 2\.5"):
        make(2.5)


def test_a_decay_that_is_a_text_is_named():
    with pytest.raises(TypeError, match=r"`averaging` must be a number, got the text '0\.9'"):
        run(averaging="0.9")
    assert torch.equal(run(averaging=np.float64(0.5), seed=3).image, run(averaging=0.5, seed=3).image)
