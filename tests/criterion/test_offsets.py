"""Channels that lie far from zero: float32 gives what float64 does."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from pystyle import (
    ContextualLoss,
    CovarianceLoss,
    Criterion,
    MaskedImage,
    MeanStdLoss,
    MomentLoss,
    MRFLoss,
    NearestNeighborLoss,
    RelaxedEMDLoss,
    WassersteinLoss,
)
from pystyle.criterion import Targets
from pystyle.encoders import Encoder, LayerGeometry
from pystyle.evaluation import EagerEvaluation, StoredTargets, StripEvaluation

MOMENTS = {
    "mean and std": MeanStdLoss("far"),
    "relative mean and std": MeanStdLoss("far", relative=True),
    "covariance": CovarianceLoss("far"),
    "relative covariance": CovarianceLoss("far", relative=True),
    "moments": MomentLoss("far"),
    "Wasserstein": WassersteinLoss("far"),
    "relative Wasserstein": WassersteinLoss("far", relative=True),
}
NEIGHBORS = {
    "Euclidean patches": MRFLoss("far", matching="euclidean", patch_size=1),
    "relaxed EMD": RelaxedEMDLoss("far", distance="euclidean"),
    "centred neighbours": NearestNeighborLoss("far", centered=True),
    "contextual": ContextualLoss("far"),
}


class FarEncoder(Encoder):
    """Channels of the image times two, and an offset: exact in float32 at multiples of 2^-7."""

    layers = ("far",)

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        signs = torch.tensor([1.0, -1.0, 1.0], dtype=image.dtype).reshape(1, 3, 1, 1)
        return {"far": 2 * image + self.offset * signs}

    def geometry(self, layer: str) -> LayerGeometry:
        del layer
        return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)


def levels(seed: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 65, (1, 3, height, width), generator=generator) / 64


IMAGE, STYLE, OTHER = levels(0, 30, 32), levels(1, 28, 36) / 2, 1 - levels(2, 30, 20) / 2


def evaluated(loss, offset, dtype, references=None, evaluation=EagerEvaluation()):
    references = {"style": STYLE} if references is None else references
    criterion = Criterion(FarEncoder(offset), {"loss": loss})
    terms, gradient = evaluation.bind(criterion, changed(references, dtype))(IMAGE.to(dtype))
    return terms.total.double(), gradient.double()


def changed(reference, dtype):
    if isinstance(reference, dict):
        return {name: changed(one, dtype) for name, one in reference.items()}
    if isinstance(reference, list):
        return [(changed(image, dtype), weight) for image, weight in reference]
    if isinstance(reference, MaskedImage):
        return MaskedImage(reference.image.to(dtype), reference.masks)
    return reference.to(dtype)


def assert_exact(loss, offset, **options) -> None:
    expected = evaluated(loss, offset, torch.float64, **options)
    for value, exact in zip(evaluated(loss, offset, torch.float32, **options), expected, strict=True):
        torch.testing.assert_close(value, exact, rtol=1e-3, atol=1e-3 * float(exact.abs().max()))


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e4])
@pytest.mark.parametrize("name", MOMENTS)
def test_moments_in_single_precision_are_those_in_double_precision(name: str, offset: float) -> None:
    assert_exact(MOMENTS[name], offset)


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("name", NEIGHBORS)
def test_so_are_distances_to_the_nearest(name: str, offset: float) -> None:
    # The gradients depend on which of several equally near ones is taken.
    value, exact = (evaluated(NEIGHBORS[name], offset, dtype)[0] for dtype in (torch.float32, torch.float64))
    torch.testing.assert_close(value, exact, rtol=1e-3, atol=0)
    torch.testing.assert_close(value, evaluated(NEIGHBORS[name], 0.0, torch.float64)[0], rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", [name for name in MOMENTS if "relative" not in name])
def test_an_offset_changes_nothing(name: str) -> None:
    near = evaluated(MOMENTS[name], 0.0, torch.float64)[0]
    torch.testing.assert_close(evaluated(MOMENTS[name], 1e4, torch.float32)[0], near, rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", MOMENTS)
def test_so_it_is_in_blends_regions_and_strips(name: str) -> None:
    assert_exact(MOMENTS[name], 1e4, references={"style": [(STYLE, 1.0), (OTHER, 2.0)]})
    assert_exact(MOMENTS[name], 1e4, evaluation=StripEvaluation(rows=7))
    masked = {
        "content": MaskedImage(IMAGE, {"left": half(30, 32)}),
        "style": MaskedImage(STYLE, {"left": half(28, 36)}),
    }
    assert_exact(MOMENTS[name].within("left"), 1e4, references=masked)
    assert_exact(MOMENTS[name].within("left"), 1e4, references=masked, evaluation=StripEvaluation(rows=7))


def half(height: int, width: int) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return mask


def test_targets_that_are_given_or_stored_know_their_origin(tmp_path) -> None:
    criterion = Criterion(FarEncoder(1e4), {"loss": MeanStdLoss("far")})
    objective = criterion.bind({"style": STYLE})
    given = criterion.bind({"style": Targets.of(objective, "style")})
    assert torch.equal(given(IMAGE).total, objective(IMAGE).total)
    evaluation = StoredTargets(EagerEvaluation(), tmp_path)
    for _ in range(2):
        stored = evaluation.bind(criterion, {"style": STYLE})
        assert torch.equal(stored.terms(IMAGE).total, given(IMAGE).total)


def test_features_near_zero_are_seen_as_they_are() -> None:
    objective = Criterion(FarEncoder(0.0), {"loss": MeanStdLoss("far")}).bind({"style": STYLE})
    assert objective.parts[0].targets[0].origin is None
