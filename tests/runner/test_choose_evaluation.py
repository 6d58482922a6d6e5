"""The fastest evaluation that fits into a memory budget."""

import logging
from functools import partial

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Loss
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation, evaluation_memory
from pystyle.optim import LBFGS
from pystyle.runner import choose_evaluation, estimate_memory

SIZE = (1024, 1024)


class Sorted(Loss):
    reference, spatial = "style", "set"

    def represent(self, features):
        return features.flatten(2).sort().values.mean(2)


@pytest.fixture(scope="module")
def criterion() -> Criterion:
    return Criterion(vgg11(weights=None), {"c": ContentLoss("relu2_1"), "s": GramLoss("relu3_1")})


@pytest.mark.slow
def test_the_fastest_evaluation_within_the_budget_is_chosen(criterion, caplog):
    whole = estimate_memory(criterion, SIZE)
    # On a CPU three quarters of what strips take are added for what lies unused between them.
    strips = {
        rows: estimate_memory(criterion, SIZE, evaluation=StripEvaluation(rows))
        + round(0.75 * evaluation_memory(criterion, SIZE, StripEvaluation(rows)))
        for rows in (36, 16)
    }
    assert whole > strips[36] > strips[16]
    assert choose_evaluation(criterion, SIZE, memory_budget=10**12) == EagerEvaluation()
    assert choose_evaluation(criterion, SIZE, memory_budget=whole) == EagerEvaluation()
    with caplog.at_level(logging.INFO, logger="pystyle"):
        for rows, needed in strips.items():
            assert choose_evaluation(criterion, SIZE, memory_budget=needed) == StripEvaluation(rows)
    assert "1024 x 1024 pixels are evaluated in strips of 36 rows" in caplog.text
    with pytest.raises(MemoryError, match=r"1024 x 1024 pixels takes about .* even in strips of 16 rows"):
        choose_evaluation(criterion, SIZE, memory_budget=strips[16] - 1)


@pytest.mark.slow
def test_an_optimizer_that_keeps_less_leaves_more_for_the_evaluation(criterion):
    adam = partial(choose_evaluation, criterion, SIZE, optimizer=torch.optim.Adam)
    budget = estimate_memory(criterion, SIZE, optimizer=torch.optim.Adam)
    assert adam(memory_budget=budget) == EagerEvaluation()
    greedy = partial(LBFGS, history_size=20)
    assert choose_evaluation(criterion, SIZE, optimizer=greedy, memory_budget=budget) != EagerEvaluation()


def test_the_precision_is_kept(criterion):
    evaluation = choose_evaluation(criterion, (64, 64), precision="bfloat16")
    assert evaluation == EagerEvaluation("bfloat16")


def test_a_loss_that_cannot_be_computed_in_strips_is_named():
    criterion = Criterion(vgg11(weights=None), {"sorted": Sorted("relu1_1")})
    with pytest.raises(ValueError, match="Sorted at 'relu1_1' needs all positions at once"):
        choose_evaluation(criterion, (512, 512), memory_budget=10**6)
