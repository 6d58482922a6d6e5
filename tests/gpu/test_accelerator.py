"""What only an accelerator can show; run with `python -m pytest -m gpu`."""

from functools import partial

import pytest
import torch

from pystyle import (
    ContentLoss,
    Criterion,
    HistogramLoss,
    MomentLoss,
    MultiLayerGramLoss,
    RelaxedEMDLoss,
    SlicedWassersteinLoss,
    WassersteinLoss,
    optimize_image,
    stylize,
)
from pystyle.colors import match_colors, rgb_to_oklab
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation, GraphedEvaluation, StripEvaluation
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def references(device: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.rand(1, 3, 64, 80, generator=generator).to(device) for name in ("content", "style")}


STYLES = [
    MultiLayerGramLoss,
    WassersteinLoss,
    SlicedWassersteinLoss,
    HistogramLoss,
    RelaxedEMDLoss,
    MomentLoss,
]


@pytest.mark.parametrize("style", STYLES)
def test_the_objective_is_that_of_the_cpu(style):
    def terms(device: str) -> dict[str, float]:
        losses = {"content": ContentLoss("relu4_2", relative=True), "style": style(LAYERS, relative=True)}
        images = references(device)
        objective = Criterion(vgg19().to(device), losses).bind(images)
        return {name: float(term) for name, term in objective(images["content"].flip(3)).items()}

    assert terms("cuda") == pytest.approx(terms("cpu"), rel=1e-2)


@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_a_step_of_lbfgs_never_waits_for_the_device(bounds):
    image = torch.rand(1, 3, 32, 32, device="cuda", requires_grad=True)
    optimizer = LBFGS([image], history_size=100, damping=0.1, bounds=bounds)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (image - 0.3).square().sum() + image.sin().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(120):
            optimizer.step(closure)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert image.isfinite().all()


@pytest.mark.parametrize("optimizer", [LBFGS, partial(torch.optim.Adam, lr=0.02)])
def test_a_run_on_the_device_lowers_the_loss_and_stays_there(optimizer):
    criterion = Criterion(vgg19().cuda(), {"style": MultiLayerGramLoss(LAYERS, relative=True)})
    result = optimize_image(criterion, references("cuda"), optimizer=optimizer, num_steps=30)
    assert result.image.device.type == "cuda"
    assert result.history["total"][-1] < 0.5 * result.history["total"][0]


def test_stylize_takes_the_accelerator_by_itself():
    images = references("cpu")
    assert stylize(images["content"], images["style"], edge_size=64, num_steps=4).image.device.type == "cuda"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("style", [MultiLayerGramLoss, WassersteinLoss])
def test_a_graph_gives_the_numbers_of_an_eager_evaluation(style, precision):
    losses = {"content": ContentLoss("relu4_2", relative=True), "style": style(LAYERS, relative=True)}
    criterion, images = Criterion(vgg19().cuda(), losses), references("cuda")
    eager = EagerEvaluation(precision).bind(criterion, images)
    graphed = GraphedEvaluation(precision).bind(criterion, images)
    for image in (images["content"], images["style"]):
        (terms, gradient), (other_terms, other_gradient) = eager(image), graphed(image)
        assert graphed.fallback is None
        assert float(other_terms.total) == pytest.approx(float(terms.total), rel=1e-3)
        assert (gradient - other_gradient).norm() < 1e-2 * gradient.norm()


@pytest.mark.parametrize("optimizer", [LBFGS, partial(torch.optim.Adam, lr=0.02)])
def test_replayed_steps_are_those_of_an_eager_run(optimizer, caplog):
    losses = {"content": ContentLoss("relu4_2", relative=True), "style": MultiLayerGramLoss(LAYERS)}
    criterion, images = Criterion(vgg19().cuda(), losses), references("cuda")
    results = [
        optimize_image(
            criterion, images, optimizer=optimizer, averaging=0.9, num_steps=8, evaluation=evaluation
        )
        for evaluation in (EagerEvaluation(), GraphedEvaluation())
    ]
    assert "captured" not in caplog.text
    assert results[1].history["total"] == pytest.approx(results[0].history["total"], rel=1e-2)


def test_strips_give_the_gradient_of_the_whole_on_the_device():
    losses = {"content": ContentLoss("relu4_2"), "style": MultiLayerGramLoss(LAYERS, relative=True)}
    criterion, images = Criterion(vgg19().cuda().double(), losses), references("cuda")
    images = {name: image.double() for name, image in images.items()}
    _, whole = EagerEvaluation().bind(criterion, images)(images["style"])
    _, strips = StripEvaluation(rows=16).bind(criterion, images)(images["style"])
    assert (whole - strips).abs().max() < 1e-10 * whole.abs().max()


@pytest.mark.parametrize("parametrization", [LaplacianPyramid, Fourier, LowResolution])
def test_other_parametrizations_stay_on_the_device_and_lower_the_loss(parametrization):
    criterion = Criterion(vgg19().cuda(), {"style": MultiLayerGramLoss(LAYERS, relative=True)})
    result = optimize_image(criterion, references("cuda"), parametrization=parametrization, num_steps=30)
    assert result.image.device.type == "cuda"
    assert result.history["total"][-1] < 0.9 * result.history["total"][0]


@pytest.mark.parametrize("method", ["symmetric", "cholesky", "pca", "histogram"])
def test_colours_are_those_of_the_cpu(method):
    def matched(device: str) -> torch.Tensor:
        images = references(device)
        return match_colors(images["content"], images["style"].square(), method=method).cpu()

    torch.testing.assert_close(matched("cuda"), matched("cpu"), rtol=0, atol=1e-4)
    image = references("cpu")["content"]
    torch.testing.assert_close(rgb_to_oklab(image.cuda()).cpu(), rgb_to_oklab(image), rtol=0, atol=1e-5)
