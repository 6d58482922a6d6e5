"""Values of the losses against numpy, on the colours of small images and on a 1 x 1 convolution of them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    Loss,
    MattingLaplacianLoss,
    MeanStdLoss,
    MultiLayerGramLoss,
    PNormLoss,
    TemporalLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
)
from pystyle.encoders import SequentialEncoder

KERNEL = torch.tensor([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0], [3.0, 0.0, -1.0], [0.5, 0.5, 0.5]])


def linear(scale: float = 1.0) -> SequentialEncoder:
    """An encoder of linear combinations of the colours, four and then two."""
    first, second = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 2, 1, bias=False)
    first.weight.data = scale * KERNEL[:, :, None, None]
    second.weight.data = KERNEL[:2, [0, 1, 2, 0], None, None]
    return SequentialEncoder({"four": first, "two": second})


def image(seed: int, height: int = 5, width: int = 6) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def value(loss: Loss, image: Tensor, reference: Tensor, *, scale: float = 1.0) -> float:
    references = {} if loss.reference is None else {loss.reference: reference}
    return float(Criterion(linear(scale), {"loss": loss}).bind(references)(image).total)


def colours(image: Tensor) -> np.ndarray:
    """The positions of an image as columns, in float64."""
    return image[0].flatten(1).double().numpy()


def gram(image: Tensor) -> np.ndarray:
    vectors = colours(image)
    return vectors @ vectors.T / vectors.shape[1]


IMAGE, REFERENCE, WIDE = image(0), image(1), image(2, 4, 9)


def test_content_loss_is_the_mean_squared_difference_of_the_features() -> None:
    expected = ((colours(IMAGE) - colours(REFERENCE)) ** 2).mean()
    assert value(ContentLoss("image"), IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)


def test_relative_content_loss_is_divided_by_the_mean_square_of_the_reference() -> None:
    left, right = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.25)
    assert value(ContentLoss("image", relative=True), left, right) == pytest.approx(0.25**2 / 0.25**2)
    assert value(ContentLoss("image", relative=True), right, left) == pytest.approx(0.25**2 / 0.5**2)


@pytest.mark.parametrize(("normalization", "divisor"), [("hw", 1), ("chw", 3)])
def test_gram_loss_is_the_mean_squared_difference_of_gram_matrices(normalization: str, divisor: int) -> None:
    loss = GramLoss("image", normalization=normalization)  # type: ignore[arg-type]
    expected = ((gram(IMAGE) - gram(WIDE)) ** 2).mean() / divisor**2
    assert value(loss, IMAGE, WIDE) == pytest.approx(expected, rel=1e-4)


def test_mean_std_loss_is_the_mean_squared_difference_of_both_statistics() -> None:
    statistics = [np.stack((colours(x).mean(1), colours(x).std(1))) for x in (IMAGE, WIDE)]
    expected = ((statistics[0] - statistics[1]) ** 2).mean()
    assert value(MeanStdLoss("image"), IMAGE, WIDE) == pytest.approx(expected, rel=1e-3)


def test_wasserstein_loss_is_the_distance_of_gaussians_per_channel() -> None:
    means = [colours(x).mean(1) for x in (IMAGE, WIDE)]
    matrices = [np.cov(colours(x), bias=True) for x in (IMAGE, WIDE)]
    ridge = 1e-4 * np.diag(matrices[1]).mean() * np.eye(3)
    left, right = matrices[0] + ridge, matrices[1] + ridge
    overlap = np.sqrt(np.linalg.eigvals(left @ right).real).sum()
    distance = ((means[0] - means[1]) ** 2).sum() + np.trace(left) + np.trace(right) - 2 * overlap
    assert value(WassersteinLoss("image"), IMAGE, WIDE) == pytest.approx(distance / 3, rel=1e-3)


def test_wasserstein_loss_of_a_reference_to_itself_is_nearly_0() -> None:
    assert abs(value(WassersteinLoss("image"), IMAGE, IMAGE)) < 1e-5 * colours(IMAGE).var(1).mean()
    # Four combinations of three colours have no variance in one direction but that of the ridge.
    features = linear()(IMAGE, ["four"])["four"]
    assert abs(value(WassersteinLoss("four"), IMAGE, IMAGE)) < 1e-5 * colours(features).var(1).mean()


@pytest.mark.parametrize("loss", [ContentLoss("image"), GramLoss("image"), MeanStdLoss("image")])
def test_the_loss_of_a_reference_to_itself_is_0(loss: Loss) -> None:
    assert value(loss, IMAGE, IMAGE) == 0


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_total_variation_loss_is_a_mean_over_pixels(exponent: float) -> None:
    array = IMAGE[0].double().numpy()
    right, below = np.diff(array, axis=2)[:, :-1], np.diff(array, axis=1)[:, :, :-1]
    expected = ((right**2 + below**2) ** (exponent / 2)).mean()
    assert value(TotalVariationLoss(exponent), IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)


def test_total_variation_loss_smooths_features_too() -> None:
    single = TotalVariationLoss(layers="four")
    weighted = TotalVariationLoss(layers=("image", "four"), layer_weights=(3.0, 5.0), weight=2.0)
    expected = 6 * value(TotalVariationLoss(), IMAGE, IMAGE) + 10 * value(single, IMAGE, IMAGE)
    assert value(weighted, IMAGE, IMAGE) == pytest.approx(expected, rel=1e-5)


def test_the_style_loss_of_many_layers_is_the_weighted_sum_of_gram_losses() -> None:
    loss = MultiLayerGramLoss(["four", "two"], [3.0, 5.0], weight=2.0)
    singles = [value(GramLoss(layer), IMAGE, WIDE) for layer in ("four", "two")]
    assert value(loss, IMAGE, WIDE) == pytest.approx(2 * (3 * singles[0] + 5 * singles[1]), rel=1e-5)
    mean = value(MultiLayerGramLoss(["four", "two"]), IMAGE, WIDE)
    assert mean == pytest.approx(sum(singles) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "factor"), [(ContentLoss, 1e4), (GramLoss, 1e8), (MeanStdLoss, 1e4), (WassersteinLoss, 1e4)]
)
def test_a_relative_loss_does_not_depend_on_the_scale_of_the_encoder(make: type[Loss], factor: float) -> None:
    plain, relative = make("four"), make("four", relative=True)
    before, after = (value(plain, IMAGE, REFERENCE, scale=scale) for scale in (1.0, 100.0))
    assert after / before == pytest.approx(factor, rel=1e-3)
    before, after = (value(relative, IMAGE, REFERENCE, scale=scale) for scale in (1.0, 100.0))
    # The deviations, about 0.3, are compared with the 1e-3 of an empty map: 2e-3 / 0.3 at most.
    assert after == pytest.approx(before, rel=7e-3)


@pytest.mark.parametrize("make", [ContentLoss, GramLoss, MeanStdLoss])
def test_a_relative_loss_of_a_black_image_is_one(make: type[Loss]) -> None:
    assert value(make("image", relative=True), torch.zeros_like(IMAGE), REFERENCE) == pytest.approx(
        1, rel=1e-3
    )


def test_relative_wasserstein_loss_is_nearly_divided_by_the_second_moment_of_the_reference() -> None:
    second = np.trace(gram(REFERENCE)) / 3
    plain, relative = (value(WassersteinLoss("image", relative=r), IMAGE, REFERENCE) for r in (False, True))
    assert plain / relative == pytest.approx(second, rel=0.02)


def test_a_relative_loss_with_a_black_reference_is_finite() -> None:
    for make in (ContentLoss, GramLoss, MeanStdLoss, WassersteinLoss):
        assert np.isfinite(value(make("image", relative=True), IMAGE, torch.zeros_like(IMAGE)))


def test_a_relative_loss_divides_each_layer_by_its_own_magnitude() -> None:
    both = value(GramLoss(["four", "two"], relative=True), IMAGE, WIDE)
    singles = [value(GramLoss(layer, relative=True), IMAGE, WIDE) for layer in ("four", "two")]
    assert both == pytest.approx(sum(singles) / 2, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("make", [ContentLoss, GramLoss, MeanStdLoss, WassersteinLoss, TotalVariationLoss])
def test_losses_of_large_half_precision_features_are_finite(make: type[Loss], dtype: torch.dtype) -> None:
    # The Caffe VGG-19 has activations of this size; their squares overflow float16.
    loss = TotalVariationLoss() if make is TotalVariationLoss else make("image")
    features, reference = (
        (2e4 * x).to(dtype).requires_grad_() for x in (IMAGE, WIDE[..., :6].repeat(1, 1, 2, 1))
    )
    target = None if loss.reference is None else loss.prepare(loss.represent(reference[:, :, :5].detach()))
    result = loss.compare(loss.represent(features), target)
    assert result.dtype == torch.float32
    assert result.isfinite()


def test_a_relative_loss_of_an_empty_target_is_the_plain_one():
    plain, relative = (
        value(ContentLoss("image", relative=r), IMAGE, torch.zeros_like(IMAGE)) for r in (False, True)
    )
    assert relative == plain == pytest.approx((colours(IMAGE) ** 2).mean(), rel=1e-5)


def test_wasserstein_loss_stays_finite_with_far_fewer_positions_than_channels():
    from pystyle import WassersteinLoss

    generator = torch.Generator().manual_seed(0)
    few, other = (torch.rand(1, 256, 1, 2, generator=generator) for _ in range(2))
    loss = WassersteinLoss("relu1_1")
    target = loss.prepare(loss.represent(other))
    few.requires_grad_()
    value = loss.compare(loss.represent(few), target)
    (gradient,) = torch.autograd.grad(value, few)
    # The covariances have rank one: roots of their ridges aside, the distance is that along one line each.
    assert 0 < float(value.detach()) < float((few - other).detach().square().sum())
    assert gradient.isfinite().all()


def test_anisotropic_and_nine_point_total_variation_are_what_they_are_called() -> None:
    array = IMAGE[0].double().numpy()
    expected = np.abs(np.diff(array, axis=2)).mean() + np.abs(np.diff(array, axis=1)).mean()
    loss = TotalVariationLoss(1.0, variant="anisotropic")
    assert value(loss, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)
    padded = np.pad(array, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across, down = np.diff(padded, axis=2), np.diff(padded, axis=1)
    diagonals = padded[:, 1:, 1:] - padded[:, :-1, :-1], padded[:, 1:, :-1] - padded[:, :-1, 1:]
    expected = 2 * (
        sum((d**2).mean() / 3 for d in (across, down)) + sum((d**2).mean() / 12 for d in diagonals)
    )
    assert value(TotalVariationLoss(variant="nine_point"), IMAGE, REFERENCE) == pytest.approx(
        expected, rel=1e-5
    )


def test_value_range_loss_is_the_mean_squared_excess() -> None:
    wide = 3 * IMAGE - 1
    array = wide.double().numpy()
    expected = (np.clip(array, 0, 1) - array) ** 2
    assert value(ValueRangeLoss(weight=2.0), wide, REFERENCE) == pytest.approx(2 * expected.mean(), rel=1e-5)
    expected = (np.clip(array, -0.5, 0.25) - array) ** 2
    assert value(ValueRangeLoss(-0.5, 0.25), wide, REFERENCE) == pytest.approx(expected.mean(), rel=1e-5)
    assert value(ValueRangeLoss(), IMAGE, REFERENCE) == 0


@pytest.mark.parametrize("exponent", [2.0, 6.0])
def test_p_norm_loss_is_1_for_black_and_white_and_0_for_grey(exponent: float) -> None:
    for level, expected in ((0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.75, 0.5**exponent)):
        picture = torch.full((1, 3, 4, 4), level)
        assert value(PNormLoss(exponent), picture, REFERENCE) == pytest.approx(expected)


def test_wavelet_loss_of_stripes_is_their_contrast_on_their_scale() -> None:
    # Stripes of two columns: half of the columns differ from the next one by 1.
    stripes = torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(50).expand(1, 3, 4, 200)
    fine, both = (value(WaveletLoss(num_levels=n), stripes, REFERENCE) for n in (1, 2))
    assert fine == pytest.approx(1 / 2 / 2, rel=0.02)
    # Averages of neighbours, 0 1/2 1 1/2, differ from those two columns on by 1 or 0.
    assert both - fine == pytest.approx(1 / 2 / 2, rel=0.02)
    assert value(WaveletLoss(2.0, num_levels=1), stripes, REFERENCE) == pytest.approx(1 / 4 / 2, rel=0.02)


def test_wavelet_loss_with_db2_does_not_see_a_ramp() -> None:
    ramp = torch.linspace(0, 1, 100).expand(1, 3, 4, 100)
    haar, db2 = (value(WaveletLoss(num_levels=1, wavelet=name), ramp, REFERENCE) for name in ("haar", "db2"))  # type: ignore[arg-type]
    assert db2 < 0.1 * haar


def test_matting_laplacian_loss_allows_recolouring_only() -> None:
    photo, other = image(3, 9, 8), image(4, 9, 8)
    loss = MattingLaplacianLoss()
    assert value(loss, 1 - 0.5 * photo.flip(1), photo) < 1e-5
    cost = value(loss, other, photo)
    assert cost > 0.1
    # The energy is quadratic, and independent of the brightness.
    assert value(loss, 0.5 * other + 0.25, photo) == pytest.approx(cost / 4, rel=1e-4)
    assert value(MattingLaplacianLoss(weight=3.0, reference="x"), other, photo) == pytest.approx(3 * cost)


def test_the_eps_of_the_matting_laplacian_is_what_a_steep_map_costs() -> None:
    photo = image(3, 9, 8)
    steep = 3 * photo
    small, large = (value(MattingLaplacianLoss(eps=eps), steep, photo) for eps in (1e-7, 1e-2))
    assert large > 1e3 * small > 0


def test_the_weight_of_the_matting_laplacian_does_not_change_with_the_size() -> None:
    small, large = (
        value(MattingLaplacianLoss(), image(3, side, side), image(4, side, side)) for side in (32, 96)
    )
    # The outermost two rows and columns are in fewer windows.
    assert small == pytest.approx(large, rel=0.15)


def test_blended_contents_have_the_laplacian_of_their_mean() -> None:
    first, second, picture = image(3), image(4), image(5)
    criterion = Criterion(linear(), {"photo": MattingLaplacianLoss()})
    blend = criterion.bind({"content": [(first, 1.0), (second, 3.0)]})(picture).total
    single = criterion.bind({"content": (first + 3 * second) / 4})(picture).total
    assert float(blend) == pytest.approx(float(single), rel=1e-4)


def test_temporal_loss_is_the_mean_of_the_weighted_squared_differences() -> None:
    weights = image(6)[:, :1]
    expected = (weights.double() * (IMAGE.double() - REFERENCE.double()) ** 2).mean()
    assert value(TemporalLoss(weights), IMAGE, REFERENCE) == pytest.approx(float(expected), rel=1e-5)
    plain = value(TemporalLoss(), IMAGE, REFERENCE)
    assert plain == pytest.approx(value(ContentLoss("image"), IMAGE, REFERENCE), rel=1e-6)
    assert value(TemporalLoss(torch.zeros_like(weights)), IMAGE, REFERENCE) == 0


def test_temporal_loss_ignores_what_is_not_reliable() -> None:
    weights = torch.zeros(1, 1, 5, 6)
    weights[..., :3] = 1
    changed = IMAGE.clone()
    changed[..., 3:] = 0
    loss = TemporalLoss(weights)
    assert value(loss, changed, REFERENCE) == value(loss, IMAGE, REFERENCE) > 0


def test_temporal_weights_follow_the_size_of_the_image() -> None:
    weights = torch.zeros(1, 1, 40, 40)
    weights[..., :20] = 1
    left = torch.zeros(1, 3, 10, 10)
    left[..., :4] = 1
    loss = TemporalLoss(weights)
    # Four of ten columns are off by 1, all of them on the reliable side, and away from its border.
    assert value(loss, left, torch.zeros_like(left)) == pytest.approx(0.4)
    assert value(loss, left.flip(3), torch.zeros_like(left)) == pytest.approx(0, abs=1e-6)
    large = left.repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert value(loss, large, torch.zeros_like(large)) == pytest.approx(0.4)


def test_temporal_loss_does_not_change_with_the_callers_weights() -> None:
    weights = torch.ones(1, 1, 5, 6)
    loss = TemporalLoss(weights)
    before = value(loss, IMAGE, REFERENCE)
    weights.zero_()
    assert value(loss, IMAGE, REFERENCE) == before
    assert "reliability" in loss.state_dict()


@pytest.mark.parametrize("make", [MattingLaplacianLoss, TemporalLoss])
def test_losses_of_positions_refuse_another_size(make: type[Loss]) -> None:
    with pytest.raises(ValueError, match=r"The loss 'loss.image' cannot be computed.* the same size"):
        value(make(), IMAGE, WIDE)
