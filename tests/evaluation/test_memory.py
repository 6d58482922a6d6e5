"""Estimates of memory, and the choice of an evaluation that follows from them."""

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, Loss, SelfSimilarityLoss, SlicedWassersteinLoss
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StoredTargets, StripEvaluation, evaluation_memory
from pystyle.evaluation._allocations import Allocations

SCRATCH = 24 * 2**20


class Sorted(Loss):
    reference, spatial = "style", "set"

    def represent(self, features):
        return features.flatten(2).sort().values.mean(2)


@pytest.fixture(scope="module")
def criterion() -> Criterion:
    return Criterion(vgg11(weights=None), {"c": ContentLoss("relu2_1"), "s": GramLoss("relu3_1")})


def test_allocations_are_those_that_live_at_a_time():
    with Allocations() as allocations:
        kept = torch.zeros(100)  # 400 bytes
        for _ in range(3):
            torch.zeros(1000)  # 4000 bytes, given back each time
        view = kept[10:].view(9, 10)  # nothing
        kept.add_(1)  # nothing
        total = kept + 1  # 400 bytes
        assert allocations.current == 800
    assert allocations.peak == 4400
    assert view.sum() + total.sum() > 0


def test_what_a_backward_pass_needs_is_counted():
    x = torch.zeros(1000, requires_grad=True)
    with Allocations() as allocations:
        # Each of three results is kept for the backward pass; their sum is a number.
        (x.exp().exp().exp()).sum().backward()
    assert allocations.peak >= 3 * 4000


def test_an_image_of_pixels_takes_what_is_worked_out_by_hand():
    # The target of 12 bytes per pixel and, in the evaluation, at least the difference and two gradients.
    pixels = Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"c": ContentLoss("pixels")})
    needed = evaluation_memory(pixels, (1000, 1000)) - SCRATCH
    assert 4 * 12e6 <= needed <= 9 * 12e6


def test_random_choices_go_on_as_if_nothing_had_been_measured():
    losses = {
        "s": SlicedWassersteinLoss("image", num_directions=2, resample=True),
        "c": SelfSimilarityLoss("image", num_samples=4, resample=True).within("sky"),
    }
    criterion = Criterion(None, losses)
    before = [generator.get_state() for loss in losses.values() for generator in loss.generators()]
    evaluation_memory(criterion, (32, 32))
    after = [generator.get_state() for loss in losses.values() for generator in loss.generators()]
    assert len(before) == 2
    assert all(torch.equal(*states) for states in zip(before, after, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    "evaluation", [EagerEvaluation(), EagerEvaluation("bfloat16"), StripEvaluation(8), StripEvaluation(16)]
)
def test_an_estimate_is_what_a_larger_image_takes(evaluation, criterion):
    image = torch.rand(1, 3, 320, 288, generator=torch.Generator().manual_seed(0))
    with Allocations() as allocations:
        evaluation.bind(criterion, {"content": image, "style": image})(image)
    estimate = evaluation_memory(criterion, (320, 288), evaluation) - SCRATCH
    assert estimate == pytest.approx(allocations.peak, rel=0.1)


def test_strips_take_much_less(criterion):
    whole, strips = (
        evaluation_memory(criterion, (1024, 1024), kind) - SCRATCH
        for kind in (EagerEvaluation(), StripEvaluation(16))
    )
    assert strips < whole / 3


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
def test_an_image_that_wraps_takes_what_is_laid_around_it(wrap):
    # Wide kernels, with a stride that divides none of the sizes that are tried otherwise.
    encoder = SequentialEncoder({"conv": nn.Conv2d(3, 2, 25, stride=5, padding=10)})
    criterion = Criterion(encoder, {"style": GramLoss("conv")}, wrap=wrap)
    image = torch.rand(1, 3, 300, 250, generator=torch.Generator().manual_seed(0))
    with Allocations() as allocations:
        EagerEvaluation().bind(criterion, {"style": image})(image)
    estimate = evaluation_memory(criterion, (300, 250)) - SCRATCH
    assert estimate == pytest.approx(allocations.peak, rel=0.1)
    plain = evaluation_memory(Criterion(encoder, {"style": GramLoss("conv")}), (300, 250)) - SCRATCH
    assert plain < 0.95 * estimate


def test_a_store_takes_no_memory_and_an_estimate_stores_nothing(tmp_path):
    criterion = Criterion(SequentialEncoder({"conv": nn.Conv2d(3, 2, 3)}), {"style": GramLoss("conv")})
    plain = EagerEvaluation()
    stored = StoredTargets(StoredTargets(plain, tmp_path / "inner"), tmp_path / "outer")
    assert evaluation_memory(criterion, (64, 64), stored) == evaluation_memory(criterion, (64, 64), plain)
    assert list(tmp_path.iterdir()) == []
