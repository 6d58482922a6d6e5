"""Callers that switch gradients off, or autocast on, around a run: it has the gradients that it needs."""

from functools import partial

import pytest
import torch

from pystyle import (
    AttentionLoss,
    ContentLoss,
    Criterion,
    GramLoss,
    MaskedImage,
    Pyramid,
    SlicedWassersteinLoss,
    TemporalLoss,
    optimize_image,
    stylize,
)
from pystyle.evaluation import EagerEvaluation, EagerEvaluator, StoredTargets, StripEvaluation
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


def test_a_loss_that_was_built_in_inference_mode_is_refused():
    with torch.inference_mode():
        loss = TemporalLoss(torch.ones(1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"`losses` must be built outside of .*, got 'frame' with tensors"):
        Criterion(None, {"frame": loss})


@pytest.mark.parametrize(
    "evaluation",
    [EagerEvaluation(), StripEvaluation(4), EagerEvaluation("bfloat16"), StripEvaluation(4, "bfloat16")],
)
def test_an_evaluator_gives_the_gradient_in_inference_mode_too(criterion, evaluation):
    expected_terms, expected = evaluation.bind(criterion, REFERENCES)(image(2))
    with torch.inference_mode():
        references = {"content": image(0), "style": image(1)}
        evaluator = evaluation.bind(criterion, references)
        terms, gradient = evaluator(image(2))
    assert torch.equal(terms.total, expected_terms.total)
    assert torch.equal(gradient, expected)
    assert torch.equal(evaluator(image(2))[1], expected)


def test_targets_that_are_read_in_inference_mode_can_be_differentiated(small_vgg, tmp_path):
    criterion = Criterion(small_vgg(), {"style": SlicedWassersteinLoss("relu2_1")})
    evaluation = StoredTargets(EagerEvaluation(), tmp_path)
    _, expected = evaluation.bind(criterion, REFERENCES)(image(2))
    with torch.inference_mode():
        evaluator = evaluation.bind(criterion, REFERENCES)
    assert torch.equal(evaluator(image(2))[1], expected)


@pytest.mark.parametrize(
    "loss", [AttentionLoss("relu2_1"), SlicedWassersteinLoss("relu2_1"), GramLoss("relu1_1").within("top")]
)
def test_what_was_bound_in_inference_mode_can_be_differentiated(small_vgg, loss):
    criterion = Criterion(small_vgg(), {"loss": loss})
    with torch.inference_mode():
        mask = torch.ones(1, 1, 16, 12)
        mask[:, :, 8:] = 0
        content = MaskedImage(image(0), {"top": mask})
        objective = criterion.bind({"content": content, "style": MaskedImage(image(1), {"top": mask})})
    leaf = image(2).requires_grad_()
    (gradient,) = torch.autograd.grad(objective(leaf).total, leaf)
    assert torch.equal(gradient, EagerEvaluator(objective)(image(2))[1])
    assert gradient.abs().max() > 0


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
