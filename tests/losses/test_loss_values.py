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
    MeanStdLoss,
    MultiLayerGramLoss,
    TotalVariationLoss,
    WassersteinLoss,
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
