import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import (
    RawMoments,
    channel_mean_std,
    channel_means,
    covariance,
    mean_std,
    raw_moments,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(features: Tensor, weights: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Both moments of one image by a loop over the positions."""
    vectors, weight = features[0].flatten(1).numpy().T, weights[0].flatten().numpy()
    mean = sum(w * v for w, v in zip(weight, vectors, strict=True)) / weight.sum()
    second = sum(w * np.outer(v, v) for w, v in zip(weight, vectors, strict=True)) / weight.sum()
    return mean, second


def test_raw_moments_are_means_over_the_positions() -> None:
    features = noise(1, 3, 4, 5)
    mean, second = oracle(features, torch.ones(1, 1, 4, 5))
    moments = raw_moments(features)
    np.testing.assert_allclose(moments.mean[0].numpy(), mean)
    np.testing.assert_allclose(moments.second[0].numpy(), second)


def test_raw_moments_count_positions_by_their_weights() -> None:
    features, weights = noise(1, 3, 4, 5), 7 * noise(1, 1, 4, 5, seed=1)
    mean, second = oracle(features, weights)
    moments = raw_moments(features, weights)
    np.testing.assert_allclose(moments.mean[0].numpy(), mean)
    np.testing.assert_allclose(moments.second[0].numpy(), second)


def test_raw_moments_are_given_for_each_image_of_a_batch() -> None:
    features, weights = noise(3, 2, 4, 5), noise(3, 1, 4, 5, seed=1)
    moments = raw_moments(features, weights)
    for index in range(3):
        mean, second = oracle(features[index, None], weights[index, None])
        np.testing.assert_allclose(moments.mean[index].numpy(), mean)
        np.testing.assert_allclose(moments.second[index].numpy(), second)


def test_one_map_of_weights_serves_a_whole_batch() -> None:
    features, weights = noise(3, 2, 4, 5), noise(1, 1, 4, 5, seed=1)
    shared, repeated = raw_moments(features, weights), raw_moments(features, weights.expand(3, 1, 4, 5))
    assert torch.equal(shared.mean, repeated.mean)
    assert torch.equal(shared.second, repeated.second)


def test_a_texture_has_the_same_moments_in_a_quarter_and_in_three_quarters_of_the_map() -> None:
    texture = noise(1, 3, 4, 2)
    moments = []
    for repeats in (1, 3):
        features, mask = 100 * noise(1, 3, 4, 8, seed=1), torch.zeros(1, 1, 4, 8)
        features[..., : 2 * repeats] = texture.repeat(1, 1, 1, repeats)
        mask[..., : 2 * repeats] = 1
        moments.append(raw_moments(features, mask))
    torch.testing.assert_close(moments[0].mean, moments[1].mean)
    torch.testing.assert_close(moments[0].second, moments[1].second)
    torch.testing.assert_close(moments[0].second, raw_moments(texture).second)


def test_moments_of_an_empty_region_are_0_and_so_is_their_gradient() -> None:
    features = noise(1, 3, 4, 5).requires_grad_()
    mean, second = raw_moments(features, torch.zeros(1, 1, 4, 5))
    (gradient,) = torch.autograd.grad(mean.sum() + second.sum(), features)
    assert not mean.any()
    assert not second.any()
    assert torch.equal(gradient, torch.zeros_like(features))


def test_moments_of_tiles_add_up_weighted_by_their_areas() -> None:
    features = noise(1, 3, 4, 10)
    left, right, whole = raw_moments(features[..., :3]), raw_moments(features[..., 3:]), raw_moments(features)
    torch.testing.assert_close(0.3 * left.mean + 0.7 * right.mean, whole.mean)
    torch.testing.assert_close(0.3 * left.second + 0.7 * right.second, whole.second)


def test_raw_moments_have_the_gradient_of_finite_differences() -> None:
    features, weights = noise(2, 3, 2, 3).requires_grad_(), noise(1, 1, 2, 3, seed=1)
    assert torch.autograd.gradcheck(lambda f: tuple(raw_moments(f)), features)
    assert torch.autograd.gradcheck(lambda f: tuple(raw_moments(f, weights)), features)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_raw_moments_of_large_half_precision_features_do_not_overflow(dtype: torch.dtype) -> None:
    moments = raw_moments(torch.full((1, 2, 8, 8), 2e4, dtype=dtype))
    assert moments.mean.dtype == moments.second.dtype == torch.float32
    torch.testing.assert_close(moments.mean, torch.full((1, 2), 2e4), rtol=1e-2, atol=0)
    torch.testing.assert_close(moments.second, torch.full((1, 2, 2), 4e8), rtol=1e-2, atol=0)


def test_raw_moments_are_the_same_under_autocast() -> None:
    features, weights = noise(1, 8, 6, 6).float(), noise(1, 1, 6, 6).float()
    expected = raw_moments(features, weights)
    with torch.autocast("cpu", torch.bfloat16):
        moments = raw_moments(features, weights)
    assert torch.equal(moments.mean, expected.mean)
    assert torch.equal(moments.second, expected.second)


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (3, 1, 4, 5), (2, 3, 4, 5), (1, 4, 5), (4, 5), (1, 1, 20)])
def test_raw_moments_refuse_weights_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`weights` must have the shape \(batch, 1, height, width\)"):
        raw_moments(noise(2, 3, 4, 5), torch.ones(shape))


def test_raw_moments_need_a_position_axis() -> None:
    with pytest.raises(ValueError, match="`features` must have the axes"):
        raw_moments(torch.zeros(3, 4))


def test_covariance_agrees_with_numpy() -> None:
    features = noise(2, 3, 4, 5)
    for index, matrix in enumerate(covariance(raw_moments(features)).numpy()):
        np.testing.assert_allclose(matrix, np.cov(features[index].flatten(1).numpy(), bias=True), atol=1e-14)


def test_covariance_of_a_single_position_is_0() -> None:
    features = torch.tensor([[[[2.0]], [[3.0]]]])
    torch.testing.assert_close(covariance(raw_moments(features)), torch.zeros(1, 2, 2))


def test_mean_std_agrees_with_numpy() -> None:
    features = noise(2, 3, 4, 5)
    statistics = mean_std(raw_moments(features), eps=0.0)
    assert statistics.shape == (2, 2, 3)
    np.testing.assert_allclose(statistics[:, 0].numpy(), features.numpy().mean((2, 3)))
    np.testing.assert_allclose(statistics[:, 1].numpy(), features.numpy().std((2, 3)))


def test_mean_std_adds_eps_to_the_variance() -> None:
    moments = RawMoments(torch.tensor([[1.0]]), torch.tensor([[[10.0]]]))
    torch.testing.assert_close(mean_std(moments, eps=7.0), torch.tensor([[[1.0], [4.0]]]))
    torch.testing.assert_close(mean_std(moments), torch.tensor([[[1.0], [3.0]]]))


@pytest.mark.parametrize("shape", [(1, 3, 5, 5), (1, 3, 1, 1)])
@pytest.mark.parametrize("value", [0.0, 0.3, 2e4])
def test_the_gradient_of_mean_std_is_finite_on_flat_features(value: float, shape: tuple[int, ...]) -> None:
    features = torch.full(shape, value, requires_grad=True)
    (gradient,) = torch.autograd.grad(mean_std(raw_moments(features)).sum(), features)
    assert gradient.isfinite().all()


def test_mean_std_has_the_gradient_of_finite_differences() -> None:
    assert torch.autograd.gradcheck(lambda f: mean_std(raw_moments(f)), noise(2, 3, 2, 3).requires_grad_())


def test_channel_means_are_those_of_the_raw_moments() -> None:
    features = noise(2, 3, 4, 5)
    np.testing.assert_allclose(channel_means(features).numpy(), features.numpy().mean((2, 3)), rtol=1e-12)
    torch.testing.assert_close(channel_means(features), raw_moments(features).mean)
    assert torch.equal(channel_means(torch.zeros(1, 3, 1, 0)), torch.zeros(1, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_channel_means_of_half_precision_features_are_precise(dtype: torch.dtype) -> None:
    means = channel_means(torch.full((1, 2, 100, 100), 2e4, dtype=dtype))
    assert means.dtype == torch.float32
    torch.testing.assert_close(means, torch.full((1, 2), 2e4), rtol=1e-2, atol=0)


def test_means_and_deviations_are_those_of_numpy_and_of_the_raw_moments() -> None:
    features = 3 + torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = channel_mean_std(features, eps=0.25)
    flat = features.flatten(2).numpy()
    np.testing.assert_allclose(found[:, 0], flat.mean(2), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], np.sqrt(flat.var(2) + 0.25), rtol=1e-12)
    torch.testing.assert_close(found, mean_std(raw_moments(features), eps=0.25))
    assert torch.equal(channel_mean_std(torch.ones(1, 2, 3, 3))[:, 1], torch.zeros(1, 2))
    unbiased = channel_mean_std(features, correction=1)
    np.testing.assert_allclose(unbiased[:, 1], flat.std(2, ddof=1), rtol=1e-12)


def test_deviations_of_half_precision_features_are_precise() -> None:
    features = torch.tensor([1e4, 1.0064e4], dtype=torch.float16).repeat(5000).reshape(1, 1, 100, 100)
    wanted = [float(features.double().mean()), float(features.double().std(correction=0))]
    assert channel_mean_std(features)[0, :, 0].tolist() == pytest.approx(wanted, rel=1e-3)


def test_no_positions_have_no_deviation() -> None:
    with pytest.raises(ValueError, match="`features` must have positions"):
        channel_mean_std(torch.zeros(1, 3, 1, 0))
