"""Graphs are captured once per size and replayed; a stand-in for CUDA's shows that without a GPU."""

import logging

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Terms
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluator, GraphedEvaluation, GraphedEvaluator

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = [torch.rand(1, 3, 24, 20, generator=GENERATOR) for _ in range(3)]
LARGER = torch.rand(1, 3, 32, 20, generator=GENERATOR)


@pytest.fixture
def eager() -> EagerEvaluator:
    losses = {"content": ContentLoss("image"), "style": GramLoss(["relu1_1", "relu2_1"], relative=True)}
    references = {"content": IMAGES[2], "style": LARGER}
    return EagerEvaluator(Criterion(vgg11(weights=None), losses).bind(references))


def test_a_replay_gives_the_terms_and_the_gradient_of_the_image(eager, recorded_graph):
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    results = [graphed(image) for image in IMAGES]
    # All of them, after all replays: none may share memory with the graph.
    for image, (terms, gradient) in zip(IMAGES, results, strict=True):
        expected, expected_gradient = eager(image)
        assert isinstance(terms, Terms)
        assert {name: float(term) for name, term in terms.items()} == {
            name: float(term) for name, term in expected.items()
        }
        assert torch.equal(gradient, expected_gradient)
    assert (recorded_graph.captures, recorded_graph.replays) == (1, 3)
    assert graphed.fallback is None


def test_a_graph_of_inference_mode_is_replayed_outside_of_it(eager, recorded_graph):
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    with torch.inference_mode():
        graphed(IMAGES[0])
    assert torch.equal(graphed(IMAGES[1])[1], eager(IMAGES[1])[1])
    assert recorded_graph.captures == 1


def test_another_size_is_captured_anew(recorded_graph):
    losses = {"style": GramLoss("relu1_1")}
    eager = EagerEvaluator(Criterion(vgg11(weights=None), losses).bind({"style": LARGER}))
    graphed = GraphedEvaluator(eager, capture=recorded_graph, device_type="cpu")
    for image in (IMAGES[0], LARGER, LARGER):
        assert torch.equal(graphed(image)[1], eager(image)[1])
    assert recorded_graph.captures == 2


def test_what_cannot_be_captured_is_evaluated_as_it_was_and_said_once(eager, caplog):
    def fail(function, *, warm_ups):
        del function, warm_ups
        raise RuntimeError("operation not permitted when stream is capturing")

    graphed = GraphedEvaluator(eager, capture=fail, device_type="cpu")
    with caplog.at_level(logging.WARNING, logger="pystyle"):
        for image in IMAGES[:2]:
            assert torch.equal(graphed(image)[1], eager(image)[1])
    assert "operation not permitted" in graphed.fallback
    assert len(caplog.records) == 1


def test_images_on_other_devices_are_evaluated_as_they_were(eager):
    graphed = GraphedEvaluator(eager)
    assert torch.equal(graphed(IMAGES[0])[1], eager(IMAGES[0])[1])
    assert graphed.fallback == "images on cpu cannot be captured"


def test_the_precision_is_that_of_the_evaluation():
    criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
    evaluator = GraphedEvaluation("bfloat16").bind(criterion, {"style": LARGER}).evaluator
    assert isinstance(evaluator, EagerEvaluator)
    assert evaluator.precision == "bfloat16"
    with pytest.raises(ValueError, match="`precision` must be one of"):
        GraphedEvaluation("int8")
