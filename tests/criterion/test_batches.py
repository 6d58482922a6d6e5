"""A batch is the mean of its images, whatever the loss, the evaluation and the references."""

import copy

import pytest
import torch
from torch import Tensor

from pystyle import (
    AttentionLoss,
    ContentLoss,
    ContextualLoss,
    CovarianceLoss,
    Criterion,
    GramLoss,
    HistogramLoss,
    LPIPSLoss,
    MaskedImage,
    MattingLaplacianLoss,
    MeanLoss,
    MeanStdLoss,
    MMDLoss,
    MomentLoss,
    MRFLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    RelaxedEMDLoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TemporalLoss,
    TotalVariationLoss,
    WassersteinLoss,
)
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation

LAYERS = ["relu1_1", "relu2_1"]
LOSSES = {
    "attention": AttentionLoss(LAYERS),
    "relative attention": AttentionLoss("relu2_1", relative=True),
    "content": ContentLoss(LAYERS),
    "relative content": ContentLoss(LAYERS, relative=True),
    "content l1": ContentLoss(LAYERS, relative=True, distance="l1"),
    "scaled content": ContentLoss(LAYERS, relative=True, distance="scaled_mse"),
    "Gram": GramLoss(LAYERS),
    "relative Gram": GramLoss(LAYERS, relative=True),
    "mean": MeanLoss(LAYERS, relative=True),
    "mean and std": MeanStdLoss(LAYERS, relative=True),
    "covariance": CovarianceLoss(LAYERS, relative=True),
    "moments": MomentLoss(LAYERS, relative=True),
    "Wasserstein": WassersteinLoss(LAYERS),
    "relative Wasserstein": WassersteinLoss(LAYERS, relative=True),
    "histogram": HistogramLoss(LAYERS, relative=True),
    "sliced Wasserstein": SlicedWassersteinLoss(LAYERS, relative=True),
    "resampled sliced Wasserstein": SlicedWassersteinLoss("relu1_1", relative=True, resample=True),
    "relaxed EMD": RelaxedEMDLoss(LAYERS, relative=True, num_samples=50),
    "resampled relaxed EMD": RelaxedEMDLoss("relu1_1", num_image_samples=40, num_samples=50, resample=True),
    "Euclidean relaxed EMD": RelaxedEMDLoss(LAYERS, relative=True, distance="euclidean"),
    "MMD": MMDLoss(LAYERS, relative=True),
    "MRF": MRFLoss("relu2_1", relative=True, scales=(1.0, 0.9)),
    "nearest neighbours": NearestNeighborLoss(LAYERS, centered=True, rotations=(0, 90)),
    "contextual": ContextualLoss(LAYERS),
    "self-similarity": SelfSimilarityLoss(LAYERS, relative=True),
    "patch NCE": PatchNCELoss(LAYERS, relative=True),
    "LPIPS": LPIPSLoss({"relu1_1": torch.ones(64)}),
    "matting": MattingLaplacianLoss(),
    "temporal": TemporalLoss(reference="content"),
    "total variation": TotalVariationLoss(),
}
STRIPS = [name for name, loss in LOSSES.items() if loss.spatial != "set"]
CONFINED = [name for name in LOSSES if name not in ("matting", "total variation")]
EAGER = EagerEvaluation()


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The second style and content are nearly flat and dark.
IMAGES = noise(0, 2, 3, 22, 20)
CONTENTS = torch.cat((noise(1, 1, 3, 22, 20), 0.05 + 0.002 * noise(2, 1, 3, 22, 20)))
STYLES = torch.cat((noise(3, 1, 3, 20, 26).square(), 0.1 + 0.001 * noise(4, 1, 3, 20, 26)))
OTHERS = torch.cat((0.9 - 0.003 * noise(5, 1, 3, 20, 26), noise(6, 1, 3, 20, 26).sqrt()))


@pytest.fixture(scope="module")
def encoder() -> SequentialEncoder:
    return vgg11(weights=None).double()


def references(index: slice, *, blended: bool = False, masked: bool = False) -> dict[str, object]:
    content, style, other = CONTENTS[index], STYLES[index], OTHERS[index]
    if masked:
        content = MaskedImage(content, {"left": mask(22, 20)})
        style = MaskedImage(style, {"left": mask(20, 26)})
        other = MaskedImage(other, {"left": mask(20, 26)})
    return {"content": content, "style": [(style, 1.0), (other, 1.0)] if blended else style}


def mask(height: int, width: int) -> Tensor:
    inside = torch.zeros(1, 1, height, width)
    inside[..., : width // 2] = 1
    return inside


def assert_batch_is_mean(criterion, evaluation=EAGER, **options) -> None:
    terms, gradient = evaluated(criterion, evaluation, slice(0, 2), **options)
    singles = [evaluated(criterion, evaluation, slice(i, i + 1), **options) for i in range(2)]
    for name in terms:
        mean = torch.stack([single[name] for single, _ in singles]).mean()
        torch.testing.assert_close(terms[name], mean, rtol=1e-6, atol=1e-12)
    for own, (_, alone) in zip(gradient.split(1), singles, strict=True):
        torch.testing.assert_close(own, alone / 2, rtol=1e-5, atol=1e-6 * float(alone.abs().max()))


def evaluated(criterion, evaluation, index, **options):
    # Losses that draw anew at each evaluation begin anew.
    evaluator = evaluation.bind(copy.deepcopy(criterion), references(index, **options))
    return evaluator(IMAGES[index])


@pytest.mark.parametrize("name", LOSSES)
def test_the_terms_of_a_batch_are_the_means_of_those_of_its_images(encoder, name: str) -> None:
    assert_batch_is_mean(Criterion(encoder, {"loss": LOSSES[name]}))


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if "style" in loss.references])
def test_so_are_those_of_blends(encoder, name: str) -> None:
    assert_batch_is_mean(Criterion(encoder, {"loss": LOSSES[name]}), blended=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFINED)
def test_so_are_those_of_regions(encoder, name: str) -> None:
    assert_batch_is_mean(Criterion(encoder, {"loss": LOSSES[name].within("left")}), masked=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", STRIPS)
def test_so_are_those_of_strips(encoder, name: str) -> None:
    assert_batch_is_mean(Criterion(encoder, {"loss": LOSSES[name]}), StripEvaluation(rows=8))


@pytest.mark.parametrize("evaluation", [EAGER, StripEvaluation(rows=8)], ids=["eager", "strips"])
def test_so_are_those_with_normalized_gradients(encoder, evaluation) -> None:
    losses = {"content": LOSSES["relative content"], "style": LOSSES["relative Gram"]}
    assert_batch_is_mean(Criterion(encoder, losses, normalize_gradients=("content", "style")), evaluation)


def test_a_relative_loss_of_a_flat_and_a_textured_style_divides_each_by_its_own(encoder) -> None:
    criterion = Criterion(encoder, {"style": GramLoss("relu2_1", relative=True)})
    totals = [criterion.bind({"style": STYLES[i : i + 1]})(IMAGES[i : i + 1]).total for i in range(2)]
    both = criterion.bind({"style": STYLES})(IMAGES).total
    torch.testing.assert_close(both, sum(totals) / 2)
    assert max(totals) > 10 * min(totals)


def test_a_batch_of_one_image_and_a_blend_with_single_images_fit_each_other(encoder) -> None:
    criterion = Criterion(encoder, {"style": GramLoss("relu1_1")})
    mixed = criterion.bind({"style": [(STYLES, 1.0), (OTHERS[:1], 1.0)]})(IMAGES)
    alone = [
        criterion.bind({"style": [(STYLES[i : i + 1], 1.0), (OTHERS[:1], 1.0)]})(IMAGES[i : i + 1])
        for i in range(2)
    ]
    torch.testing.assert_close(mixed.total, (alone[0].total + alone[1].total) / 2)


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_images_than_references_is_refused_by_name(encoder, count: int) -> None:
    objective = Criterion(encoder, {"style": GramLoss("relu1_1")}).bind({"style": STYLES})
    with pytest.raises(ValueError, match=f"The loss 'style.relu1_1' .* each of 2 images .* got {count}"):
        objective(noise(7, count, 3, 16, 16))
