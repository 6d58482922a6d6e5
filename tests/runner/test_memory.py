from functools import partial

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Loss, Pyramid, optimize_image
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.evaluation._allocations import Allocations
from pystyle.optim import LBFGS
from pystyle.runner import estimate_memory, largest_size

SCRATCH = 24 * 2**20
IMAGE = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(0))


class Greedy(Loss):
    """A loss for which there is never enough memory."""

    reference, spatial = None, "dense"

    def __init__(self, error: Exception) -> None:
        super().__init__("image")
        self.error = error

    def represent(self, features):
        if features.requires_grad and features.shape[2] == 64:
            raise self.error
        return features.square().mean()


@pytest.fixture(scope="module")
def criterion() -> Criterion:
    return Criterion(vgg11(weights=None), {"content": ContentLoss("relu1_1")})


def test_a_pair_of_lbfgs_takes_two_images(criterion):
    few, many = (
        estimate_memory(criterion, (256, 256), optimizer=partial(LBFGS, history_size=size))
        for size in (5, 25)
    )
    # 20 pairs of 2 images of 3 colours of 4 bytes.
    assert many - few == pytest.approx(20 * 2 * 3 * 4 * 256**2, rel=0.01)


def test_adam_takes_less_than_lbfgs(criterion):
    lbfgs = estimate_memory(criterion, (256, 256))
    assert estimate_memory(criterion, (256, 256), optimizer=torch.optim.Adam) < lbfgs


@pytest.mark.slow
@pytest.mark.parametrize(
    "evaluation", [EagerEvaluation(), StripEvaluation(36), StripEvaluation(36, "bfloat16")]
)
@pytest.mark.parametrize("optimizer", [torch.optim.Adam, partial(LBFGS, history_size=5)])
def test_the_estimate_is_that_of_a_run(optimizer, evaluation):
    losses = {"content": ContentLoss("relu2_1"), "style": GramLoss(["relu1_1", "relu2_1"])}
    criterion, size = Criterion(vgg11(weights=None), losses), (320, 256)
    references = dict.fromkeys(("content", "style"), torch.rand(1, 3, *size))
    estimate = estimate_memory(criterion, size, optimizer=optimizer, evaluation=evaluation)
    with Allocations() as allocations:
        optimize_image(criterion, references, optimizer=optimizer, evaluation=evaluation, num_steps=3)
    # What convolutions take beside tensors is a constant of the estimate, and no tensor.
    assert estimate - SCRATCH == pytest.approx(allocations.peak, rel=0.2)


@pytest.mark.parametrize("budget", [2**28, 2**32])
def test_the_largest_size_fills_the_budget(criterion, budget):
    side = largest_size(criterion, budget)
    assert estimate_memory(criterion, (side, side)) <= budget * 1.001
    assert estimate_memory(criterion, (side + 8, side + 8)) > budget


def test_there_is_no_size_for_no_memory(criterion):
    assert largest_size(criterion, 1000) == 0


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("in_pyramid", [False, True])
def test_too_little_memory_is_explained(error, in_pyramid):
    criterion = Criterion(vgg11(weights=None), {"greedy": Greedy(error)})
    message = r"A run at 64 x 48 pixels takes about .* GiB.*Take a smaller image"
    if in_pyramid:
        with pytest.raises(MemoryError, match=message):
            Pyramid([24, 48], num_steps=2).optimize(criterion, {"content": IMAGE})
    else:
        with pytest.raises(MemoryError, match=message):
            optimize_image(criterion, {}, init=IMAGE, num_steps=2)


def test_other_errors_stay_as_they_are():
    criterion = Criterion(vgg11(weights=None), {"greedy": Greedy(RuntimeError("something else"))})
    with pytest.raises(RuntimeError, match=r"^something else$"):
        optimize_image(criterion, {}, init=IMAGE, num_steps=2)
