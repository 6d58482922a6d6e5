"""Whole steps as graphs: a stand-in for CUDA's replays operators and runs no Python."""

import copy
import logging
from functools import partial

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluator, GraphedEvaluator
from pystyle.optim import LBFGS
from pystyle.parametrizations import LaplacianPyramid, LowResolution
from pystyle.runner import LinearSchedule, Runner

GENERATOR = torch.Generator().manual_seed(0)
CONTENT, STYLE = (torch.rand(1, 3, 24, 20, generator=GENERATOR) for _ in range(2))


@pytest.fixture(scope="module")
def eager() -> EagerEvaluator:
    losses = {"content": ContentLoss("relu2_1"), "style": GramLoss(["relu1_1", "relu2_1"], relative=True)}
    references = {"content": CONTENT, "style": STYLE}
    return EagerEvaluator(Criterion(vgg11(weights=None), losses).bind(references))


def assert_same(result, expected):
    assert torch.equal(result.image, expected.image)
    assert {name: column for name, column in result.history.items() if name != "seconds"} == {
        name: column for name, column in expected.history.items() if name != "seconds"
    }
    assert result.stop_reason == expected.stop_reason


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"averaging": 0.9},
        {"bounds": None, "optimizer": partial(LBFGS, damping=0.2)},
        {"optimizer": partial(LBFGS, history_bytes=4 * 24 * 20 * 3 * 4)},
        {"parametrization": LaplacianPyramid},
        {"parametrization": LowResolution},
        {"schedules": {"style": LinearSchedule(0.1, 1)}},
    ],
)
def test_a_run_by_replayed_steps_has_the_same_bytes(eager, recorded_graph, arguments):
    # Fewer pairs than steps, so that the ring of pairs comes round.
    arguments = {"optimizer": partial(LBFGS, history_size=3), **arguments}
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    result = Runner(graphed, CONTENT, **arguments).run(9)
    assert_same(result, Runner(eager, CONTENT, **arguments).run(9))
    assert (recorded_graph.captures, recorded_graph.replays) == (1, 6)
    assert len(set(result.history["total"])) == 10


def test_replayed_steps_stop_at_the_last_good_iterate(eager, recorded_graph):
    # The fourth step and those after it are replayed.
    schedules = {"style": lambda fraction: 1.0 if fraction < 0.55 else 1e38}
    arguments = {"schedules": schedules, "bounds": None}
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    result = Runner(graphed, CONTENT, **arguments).run(12)
    assert_same(result, Runner(eager, CONTENT, **arguments).run(12))
    assert "non-finite" in result.stop_reason
    assert result.image.isfinite().all()


def test_a_run_goes_on_from_the_state_of_replayed_steps(eager, recorded_graph):
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    states = []
    first = Runner(graphed, CONTENT, averaging=0.5)
    first.run(6, keep=lambda state: states.append(copy.deepcopy(state)))
    second = Runner(graphed, CONTENT, averaging=0.5)
    second.load_state_dict(states[-1])
    assert_same(second.run(12), Runner(eager, CONTENT, averaging=0.5).run(12))


def test_with_other_optimizers_the_evaluation_alone_is_captured(eager, recorded_graph, caplog):
    arguments = {"optimizer": partial(torch.optim.SGD, lr=0.1)}
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    with caplog.at_level(logging.INFO, logger="pystyle"):
        result = Runner(graphed, CONTENT, **arguments).run(5)
    assert_same(result, Runner(eager, CONTENT, **arguments).run(5))
    assert (recorded_graph.captures, recorded_graph.replays) == (1, 5)
    assert "SGD has no option `capturable`" in caplog.text


class Reading(LBFGS):
    """Looks at a number of the device in each step."""

    def step(self, closure=None):
        loss = super().step(closure)
        assert float(loss) >= 0
        return loss


def test_a_step_that_reads_a_number_is_not_captured_and_loses_nothing(eager, recorded_graph, caplog):
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    result = Runner(graphed, CONTENT, optimizer=Reading).run(8)
    assert_same(result, Runner(eager, CONTENT, optimizer=Reading).run(8))
    assert recorded_graph.replays == 5
    assert "cannot be captured whole: operation not permitted" in caplog.text
