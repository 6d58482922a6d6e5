"""Callers that switch gradients off, or autocast on, around a run: it has the gradients that it needs."""

from functools import partial

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Pyramid, optimize_image, stylize
from pystyle.evaluation import EagerEvaluation, EagerEvaluator, StripEvaluation
from pystyle.parametrizations import Fourier


def image(seed, height=16, width=12):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": image(0), "style": image(1)}
RUNS = {
    "optimize_image": partial(optimize_image, num_steps=4),
    "Adam": partial(optimize_image, num_steps=4, optimizer=torch.optim.Adam),
    "Fourier": partial(optimize_image, num_steps=4, parametrization=Fourier),
    "strips": partial(optimize_image, num_steps=4, evaluation=StripEvaluation(4)),
    "pyramid": Pyramid([8, 12], num_steps=2).optimize,
}


@pytest.fixture
def criterion(small_vgg):
    losses = {"content": ContentLoss("relu2_1"), "style": GramLoss(["relu1_1", "relu3_1"], weight=3.0)}
    return Criterion(small_vgg(), losses)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_a_program_without_gradients_has_the_same_bytes(criterion, name, mode):
    expected = RUNS[name](criterion, REFERENCES)
    with mode():
        result = RUNS[name](criterion, REFERENCES, init=image(0))
    assert torch.equal(result.image, expected.image)
    assert result.history["total"] == expected.history["total"]
    assert not result.image.is_inference()


def test_stylize_in_inference_mode_has_the_same_bytes(small_vgg):
    run = partial(stylize, image(0), image(1), encoder=small_vgg(), edge_size=12, num_steps=3)
    expected = run().image
    with torch.inference_mode():
        assert torch.equal(run().image, expected)


def test_an_encoder_that_was_built_in_inference_mode_is_refused(small_vgg):
    with torch.inference_mode():
        encoder = small_vgg()
    with pytest.raises(ValueError, match=r"`encoder` must be built outside of `torch\.inference_mode\(\)`"):
        Criterion(encoder, {"content": ContentLoss("relu2_1")})


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(4)])
def test_a_tensor_of_inference_mode_can_be_evaluated(criterion, evaluation):
    with torch.inference_mode():
        tensor = image(2)
    evaluator = evaluation.bind(criterion, REFERENCES)
    terms, gradient = evaluator(tensor)
    expected_terms, expected = evaluator(image(2))
    assert torch.equal(terms.total, expected_terms.total)
    assert torch.equal(gradient, expected)
    assert float(evaluator.terms(tensor).total) == pytest.approx(float(terms.total), rel=1e-5)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(4)])
def test_autocast_rounds_the_features_and_not_the_statistics(criterion, evaluation):
    _, expected = evaluation.bind(criterion, REFERENCES)(image(2))
    with torch.autocast("cpu", torch.bfloat16):
        _, gradient = evaluation.bind(criterion, REFERENCES)(image(2))
    assert gradient.dtype == torch.float32
    assert (gradient - expected).norm() < 0.05 * expected.norm()
    assert not torch.equal(gradient, expected)


def test_a_gradient_within_autocast_is_that_of_the_graph(criterion):
    with torch.autocast("cpu", torch.bfloat16):
        objective = criterion.bind(REFERENCES)
        _, within = EagerEvaluator(objective)(image(2))
        leaf = image(2).requires_grad_()
        total = objective(leaf).total
    (outside,) = torch.autograd.grad(total, leaf)
    torch.testing.assert_close(within, outside, rtol=1e-3, atol=1e-3 * float(outside.abs().max()))
