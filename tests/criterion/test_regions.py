"""Losses that are confined to regions of the image and of its references."""

import pytest
import torch
from torch import nn

from pystyle import (
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
    PNormLoss,
    Pyramid,
    RelaxedEMDLoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TemporalLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
)
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation
from pystyle.runner import estimate_memory

LAYER = "one"
LOSSES = {
    "content": lambda: ContentLoss(LAYER),
    "content l1": lambda: ContentLoss(LAYER, distance="l1", relative=True),
    "content scaled": lambda: ContentLoss(LAYER, distance="scaled_mse"),
    "contextual": lambda: ContextualLoss(LAYER),
    "covariance": lambda: CovarianceLoss(LAYER, relative=True),
    "Gram": lambda: GramLoss(LAYER, relative=True),
    "Gram chw": lambda: GramLoss(LAYER, normalization="chw"),
    "maximum mean discrepancy": lambda: MMDLoss(LAYER),
    "histogram": lambda: HistogramLoss(LAYER),
    "LPIPS": lambda: LPIPSLoss({LAYER: torch.linspace(0, 1, 5)}),
    "mean": lambda: MeanLoss(LAYER),
    "mean and std": lambda: MeanStdLoss(LAYER),
    "moment": lambda: MomentLoss(LAYER),
    "MRF": lambda: MRFLoss(LAYER, patch_size=2),
    "nearest neighbour": lambda: NearestNeighborLoss(LAYER),
    "p-norm": lambda: PNormLoss(),
    "PatchNCE": lambda: PatchNCELoss(LAYER, num_samples=None),
    "relaxed EMD": lambda: RelaxedEMDLoss(LAYER, num_samples=None),
    "self-similarity": lambda: SelfSimilarityLoss(LAYER, num_samples=None),
    "sliced Wasserstein": lambda: SlicedWassersteinLoss(LAYER),
    "temporal": lambda: TemporalLoss(reference="content"),
    "total variation": lambda: TotalVariationLoss(exponent=1.5),
    "anisotropic": lambda: TotalVariationLoss(variant="anisotropic"),
    "value range": lambda: ValueRangeLoss(low=0.4, high=0.5),
    "Wasserstein": lambda: WassersteinLoss(LAYER, relative=True),
}
WITHOUT_REGIONS = {"matting": MattingLaplacianLoss, "wavelet": WaveletLoss}

GENERATOR = torch.Generator().manual_seed(0)
IMAGE, CONTENT, STYLE = (
    torch.rand(1, 3, height, width, generator=GENERATOR, dtype=torch.float64)
    for height, width in ((12, 16), (12, 16), (14, 10))
)
CORNER = torch.zeros(1, 1, 12, 16)
CORNER[..., :7, :9] = 1
STYLE_CORNER = torch.zeros(1, 1, 14, 10)
STYLE_CORNER[..., 5:, 2:] = 1


@pytest.fixture
def pointwise() -> SequentialEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SequentialEncoder({LAYER: nn.Conv2d(3, 5, 1), "pool": nn.AvgPool2d(2)}).double()


def evaluate(encoder, loss, image, references):
    return EagerEvaluation().bind(Criterion(encoder, {"loss": loss}), references)(image)


def masked(content=CORNER, style=STYLE_CORNER, **more):
    return {
        "content": MaskedImage(CONTENT, {"corner": content}),
        "style": MaskedImage(STYLE, {"corner": style}),
        **more,
    }


@pytest.mark.parametrize("name", LOSSES)
def test_a_region_is_judged_like_an_image_of_its_own(pointwise, name) -> None:
    crops = {"content": CONTENT[..., :7, :9], "style": STYLE[..., 5:, 2:]}
    terms, gradient = evaluate(pointwise, LOSSES[name]().within("corner"), IMAGE, masked())
    cropped_terms, cropped_gradient = evaluate(pointwise, LOSSES[name](), IMAGE[..., :7, :9], crops)
    assert float(terms.total) == pytest.approx(float(cropped_terms.total), rel=1e-9)
    assert float(terms.total) > 0
    torch.testing.assert_close(gradient[..., :7, :9], cropped_gradient, rtol=1e-6, atol=1e-12)
    outside = gradient.clone()
    outside[..., :7, :9] = 0
    assert outside.abs().max() == 0


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("propagation", ["simple", "inside", "all"])
def test_a_mask_of_ones_changes_no_bit(pointwise, name, propagation) -> None:
    references = masked(torch.ones_like(CORNER), torch.ones_like(STYLE_CORNER))
    loss = LOSSES[name]().within("corner", propagation=propagation)
    terms, gradient = evaluate(pointwise, loss, IMAGE, references)
    plain_terms, plain_gradient = evaluate(
        pointwise, LOSSES[name](), IMAGE, {"content": CONTENT, "style": STYLE}
    )
    assert torch.equal(terms.total, plain_terms.total)
    assert torch.equal(gradient, plain_gradient)


@pytest.mark.parametrize(
    "name", ["Gram", "covariance", "mean and std", "Wasserstein", "moment", "histogram", "sliced Wasserstein"]
)
def test_the_same_texture_costs_nothing_however_large_its_region_is(pointwise, name) -> None:
    texture = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    image, style = IMAGE.clone(), STYLE.clone()
    image[..., :6, :8] = texture.repeat(1, 1, 3, 4)
    style[..., 2:, :] = texture.repeat(1, 1, 6, 5)
    quarter, most = torch.zeros(1, 1, 12, 16), torch.zeros(1, 1, 14, 10)
    quarter[..., :6, :8], most[..., 2:, :] = 1, 1
    references = masked(quarter, most) | {"style": MaskedImage(style, {"corner": most})}
    criterion = Criterion(pointwise, {"loss": LOSSES[name]().within("corner")})
    assert float(criterion.bind(references)(image).total) == pytest.approx(0, abs=1e-9)
    assert float(criterion.bind(references)(IMAGE).total) > 1e-4


def test_soft_masks_weight_positions(pointwise) -> None:
    # A Gram matrix of three parts one texture and one part of another.
    weights = torch.rand(1, 1, 12, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    references = masked(weights) | {"style": STYLE}
    terms, _ = evaluate(pointwise, GramLoss(LAYER).within("corner"), IMAGE, references)
    vectors, style = (pointwise(image, [LAYER])[LAYER].flatten(2)[0] for image in (IMAGE, STYLE))
    share = weights.flatten() / weights.sum()
    expected = ((vectors * share) @ vectors.T - style @ style.T / style.shape[1]).square().mean()
    assert float(terms.total) == pytest.approx(float(expected), rel=1e-12)


def test_a_reference_without_masks_counts_as_a_whole(pointwise) -> None:
    loss = GramLoss(LAYER).within("corner")
    terms, _ = evaluate(pointwise, loss, IMAGE, masked() | {"style": STYLE})
    cropped, _ = evaluate(
        pointwise, GramLoss(LAYER), IMAGE[..., :7, :9], {"content": CONTENT, "style": STYLE}
    )
    assert float(terms.total) == pytest.approx(float(cropped.total), rel=1e-12)


def test_regions_have_styles_of_their_own(pointwise) -> None:
    masks = {"corner": CORNER, "rest": 1 - CORNER}
    losses = {name: GramLoss(LAYER, reference=name).within(name) for name in masks}
    references = {"content": MaskedImage(CONTENT, masks), "corner": STYLE, "rest": 1 - STYLE}
    criterion = Criterion(pointwise, losses)
    assert criterion.regions == ("corner", "rest")
    _, both = EagerEvaluation().bind(criterion, references)(IMAGE)
    apart = [evaluate(pointwise, loss, IMAGE, references)[1] for loss in losses.values()]
    torch.testing.assert_close(both, apart[0] + apart[1])
    assert (apart[0] * (1 - CORNER)).abs().max() == 0
    assert (apart[1] * CORNER).abs().max() == 0


def test_styles_with_masks_can_be_blended(pointwise) -> None:
    other = MaskedImage(1 - STYLE, {"corner": 1 - STYLE_CORNER})
    style = MaskedImage(STYLE, {"corner": STYLE_CORNER})
    loss, image = GramLoss(LAYER).within("corner"), IMAGE
    content = masked()["content"]
    criterion = Criterion(pointwise, {"loss": loss})
    target = criterion.bind({"content": content, "style": [(style, 3), (other, 1)]}).parts[0].targets[0].value
    first, second = (
        criterion.bind({"content": content, "style": one}).parts[0].targets[0].value for one in (style, other)
    )
    torch.testing.assert_close(target, 0.75 * first + 0.25 * second)
    assert criterion.bind({"content": content, "style": style})(image).total > 0


@pytest.mark.parametrize("name", ["content scaled", "PatchNCE", "self-similarity"])
def test_a_region_of_what_lies_where_the_image_does_is_that_of_the_image(pointwise, name) -> None:
    loss = LOSSES[name]().within("corner")
    loss.reference = "layout"
    found, gradient = evaluate(pointwise, loss, IMAGE, masked(layout=CONTENT))
    expected, own = evaluate(pointwise, LOSSES[name](), IMAGE[..., :7, :9], {"content": CONTENT[..., :7, :9]})
    torch.testing.assert_close(found.total, expected.total)
    torch.testing.assert_close(gradient[..., :7, :9], own)


def test_masks_are_turned_with_the_reference(pointwise) -> None:
    # Patches of the turned style come from its turned region: those of the crop, turned.
    loss = MRFLoss(LAYER, patch_size=2, rotations=(0, 90))
    whole = Criterion(pointwise, {"loss": loss.within("corner")}).bind(masked())
    crop = Criterion(pointwise, {"loss": loss}).bind({"style": STYLE[..., 5:, 2:]})
    target, expected = (objective.parts[0].targets[0].value for objective in (whole, crop))
    assert target.shape == expected.shape
    torch.testing.assert_close(
        target.sum(1).sort(1).values, expected.sum(1).sort(1).values, rtol=1e-5, atol=1e-5
    )


def test_masks_reach_every_level_of_a_pyramid() -> None:
    encoder = vgg11(weights=None)
    photo = torch.linspace(0.2, 0.8, 64).expand(1, 3, 48, 64)
    painting = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    left = torch.zeros(1, 1, 48, 64)
    left[..., :32] = 1
    criterion = Criterion(encoder, {"style": GramLoss("relu1_1", weight=10).within("left")})
    result = Pyramid([24, 48], num_steps=4).optimize(
        criterion, {"content": MaskedImage(photo, {"left": left}), "style": painting}
    )
    change = (result.image - photo).abs().mean((0, 1, 2))
    assert result.image.shape == photo.shape
    assert change[:30].mean() > 5 * change[36:].mean()


def test_masks_that_cover_an_image_once_do_so_at_every_size() -> None:
    # Three regions that meet at a point: a filter with negative weights would make them overlap.
    photo, names = torch.rand(1, 3, 61, 83, generator=torch.Generator().manual_seed(0)), ("a", "b", "c")
    rows, columns = torch.meshgrid(torch.arange(61), torch.arange(83), indexing="ij")
    index = torch.where(rows < 30, 0, torch.where(columns < 40, 1, 2))
    masks = {name: (index == number)[None, None] for number, name in enumerate(names)}
    encoder = vgg11(weights=None)
    losses = {name: GramLoss("relu1_1").within(name) for name in names}
    result = Pyramid([20, 33], num_steps=1).optimize(
        Criterion(encoder, losses), {"content": MaskedImage(photo, masks), "style": photo}
    )
    assert result.image.isfinite().all()


def test_regions_work_in_half_precision() -> None:
    encoder = vgg11(weights=None)
    references = {
        "content": MaskedImage(CONTENT.float(), {"corner": CORNER}),
        "style": MaskedImage(STYLE.float(), {"corner": STYLE_CORNER}),
    }
    criterion = Criterion(
        encoder, {"style": GramLoss(["relu1_1", "relu2_1"], relative=True).within("corner")}
    )
    full, half = (
        EagerEvaluation(precision=precision).bind(criterion, references)(IMAGE.float())[0].total
        for precision in ("float32", "bfloat16")
    )
    assert float(half) == pytest.approx(float(full), rel=0.02)


@pytest.mark.slow
def test_the_memory_of_a_criterion_with_regions_can_be_estimated() -> None:
    encoder = vgg11(weights=None)
    plain, confined = GramLoss("relu2_1"), GramLoss("relu2_1").within("sky")
    with_regions, without = (
        estimate_memory(Criterion(encoder, {"style": loss}), (256, 256)) for loss in (confined, plain)
    )
    assert with_regions == without


@pytest.mark.parametrize("name", WITHOUT_REGIONS)
def test_losses_that_cannot_be_confined_say_so(pointwise, name) -> None:
    with pytest.raises(ValueError, match="cannot be confined to a region"):
        evaluate(pointwise, WITHOUT_REGIONS[name]().within("corner"), IMAGE, masked())


def test_regions_without_masks_are_named(pointwise) -> None:
    criterion = Criterion(pointwise, {"style": GramLoss(LAYER).within("sky")})
    with pytest.raises(ValueError, match=r'`references\["content"\]` must be a MaskedImage .* \'sky\''):
        criterion.bind({"content": CONTENT, "style": STYLE})
    with pytest.raises(ValueError, match=r'\["content"\] must have a mask of the region \'sky\', got \'corn'):
        criterion.bind(masked())
    content = MaskedImage(CONTENT, {"sky": CORNER})
    with pytest.raises(ValueError, match=r'\["style"\] must have a mask of the region \'sky\''):
        criterion.bind(masked() | {"content": content})


def test_a_region_of_which_nothing_is_left_is_named() -> None:
    encoder, small = vgg11(weights=None), torch.zeros(1, 1, 64, 64)
    small[..., :8, :8] = 1
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    references = {"content": MaskedImage(photo, {"dot": small}), "style": photo}
    loss = GramLoss(["relu1_1", "relu3_1"])
    criterion = Criterion(encoder, {"style": loss.within("dot", propagation="inside")})
    with pytest.raises(
        ValueError, match=r"'dot' of .* must not be empty at 'relu3_1', whose positions see 18"
    ):
        criterion.bind(references)
    Criterion(encoder, {"style": loss.within("dot")}).bind(references)


def test_regions_that_are_nowhere_above_one_half_are_no_set(pointwise) -> None:
    criterion = Criterion(pointwise, {"style": HistogramLoss(LAYER).within("corner")})
    with pytest.raises(ValueError, match="nowhere above 1/2"):
        criterion.bind(masked(style=0.4 * STYLE_CORNER))


def test_regions_too_thin_for_a_patch_are_refused(pointwise) -> None:
    thin = torch.zeros_like(STYLE_CORNER)
    thin[..., 0, :] = 1
    with pytest.raises(ValueError, match="No patch of 2 x 2 positions"):
        evaluate(pointwise, LOSSES["MRF"]().within("corner"), IMAGE, masked(style=thin))


def test_an_image_of_another_size_than_its_masks_is_refused(pointwise) -> None:
    objective = Criterion(pointwise, {"style": GramLoss(LAYER).within("corner")}).bind(masked())
    with pytest.raises(ValueError, match=r"The layer has \(12, 15\) positions, the mask .* \(12, 16\)"):
        objective(IMAGE[..., 1:])


def test_the_region_is_part_of_the_text_of_a_loss() -> None:
    loss = GramLoss("relu1_1", weight=2)
    assert repr(loss.within("sky")) == "GramLoss('relu1_1', weight=2).within('sky')"
    inside = loss.within("sky", propagation="inside")
    assert repr(inside) == "GramLoss('relu1_1', weight=2).within('sky', propagation='inside')"
    assert repr(inside.within(None)) == repr(loss) == "GramLoss('relu1_1', weight=2)"
    with pytest.raises(ValueError, match="`propagation` must be one of"):
        loss.within("sky", propagation="outside")


def test_a_region_can_grow_at_every_layer_and_in_the_image(pointwise) -> None:
    generator = torch.Generator().manual_seed(3)
    photo, painting = (torch.rand(1, 3, 8, 8, generator=generator).double() for _ in range(2))
    small, large = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    small[:, :, 2:5, 3:5], large[:, :, 1:6, 2:6] = 1, 1
    for layer in (pointwise.layers[0], "image"):
        values = []
        for mask, dilation in ((small, 1), (large, 0)):
            loss = GramLoss(layer).within("spot", dilation=dilation)
            criterion = Criterion(pointwise, {"style": loss})
            references = {"content": MaskedImage(photo, {"spot": mask}), "style": painting}
            values.append(criterion.bind(references)(photo).total)
        assert torch.equal(*values)
    assert repr(GramLoss("relu1_1").within("spot", dilation=1)).endswith(".within('spot', dilation=1)")
