"""Whitening and colouring against numpy."""

import numpy as np
import pytest
import torch

from pystyle.networks import feature_coloring, whitened_features, whitening_coloring


def features(seed, channels=6, height=9, width=11, rank=None):
    """Maps whose channels depend on each other, with as many independent ones as `rank`."""
    generator = torch.Generator().manual_seed(seed)
    sources = torch.randn(2, rank or channels, height, width, generator=generator, dtype=torch.float64)
    mixing = torch.randn(2, channels, rank or channels, generator=generator, dtype=torch.float64)
    return torch.einsum("bcr,brhw->bchw", mixing, sources) + torch.arange(channels)[:, None, None]


def covariance(image):
    return np.cov(image.flatten(1).numpy())


def power(matrix, exponent, smallest=1e-5):
    values, vectors = np.linalg.eigh(matrix)
    kept = values >= smallest
    return vectors[:, kept] @ np.diag(values[kept] ** exponent) @ vectors[:, kept].T


def test_the_result_has_the_mean_and_the_covariance_of_the_style():
    content, style = features(0), features(1, height=7, width=20)
    result = whitening_coloring(content, feature_coloring(style))
    for ours, theirs in zip(result, style, strict=True):
        np.testing.assert_allclose(covariance(ours), covariance(theirs), rtol=0, atol=1e-9)
        np.testing.assert_allclose(ours.mean((1, 2)), theirs.mean((1, 2)), atol=1e-10)


def test_it_is_the_equations_of_the_paper():
    content, style = features(0)[:1], features(1)[:1]
    flat = content[0].flatten(1).numpy()
    centred = flat - flat.mean(1, keepdims=True)
    white = power(covariance(content[0]), -0.5) @ centred
    expected = power(covariance(style[0]), 0.5) @ white + style[0].mean((1, 2)).numpy()[:, None]
    result = whitening_coloring(content, feature_coloring(style))
    np.testing.assert_allclose(result[0].flatten(1), expected, atol=1e-9)
    np.testing.assert_allclose(whitened_features(content)[0].flatten(1), white, atol=1e-9)
    np.testing.assert_allclose(covariance(whitened_features(content)[0]), np.eye(6), atol=1e-10)


def test_whitened_features_that_are_coloured_by_themselves_are_themselves():
    content = features(0)
    torch.testing.assert_close(whitening_coloring(content, feature_coloring(content)), content)


def test_only_directions_that_vary_are_whitened():
    content = features(0, rank=3)[:1]
    whitened = whitened_features(content)[0]
    values = np.linalg.eigvalsh(covariance(whitened))
    np.testing.assert_allclose(values, [0, 0, 0, 1, 1, 1], atol=1e-9)
    # All directions of the content that do vary get those of the style, however different in size.
    style = features(1)[:1]
    result = whitening_coloring(content, feature_coloring(style))
    root = power(covariance(style[0]), 0.5)
    expected = root @ covariance(whitened) @ root
    np.testing.assert_allclose(covariance(result[0]), expected, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_flat_channels_and_single_positions_give_finite_numbers(dtype):
    style = features(1).to(dtype)
    flat = features(0).to(dtype)
    flat[:, 2] = 3
    for content in (flat, torch.full((1, 6, 5, 4), 2.0, dtype=dtype), torch.rand(1, 6, 1, 1, dtype=dtype)):
        result = whitening_coloring(content, feature_coloring(style))
        assert (result.shape, result.dtype) == ((2, *content.shape[1:]), dtype)
        assert bool(result.isfinite().all())
    # What does not vary at all becomes the mean of the style.
    torch.testing.assert_close(result[:, :, 0, 0], style.mean((2, 3)))


@pytest.mark.parametrize("size", [0.9e-5, 1.1e-5])
def test_the_smallest_eigenvalue_that_counts_is_that_of_the_code(size):
    wave = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(50).reshape(1, 1, 10, 10)
    content = torch.cat([wave, torch.flip(wave, [3])], 1) * (size * 99 / 100 / 2) ** 0.5
    # Both channels are one direction; its eigenvalue is `size`.
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance(content[0]))[-1], size)
    assert bool((whitened_features(content) != 0).any()) == (size > 1e-5)


def test_the_identity_is_added_to_both_covariances():
    content, style = features(0)[:1], features(1)[:1]
    both = [covariance(image[0]) + np.eye(6) for image in (content, style)]
    centred = (content[0] - content[0].mean((1, 2), keepdim=True)).flatten(1).numpy()
    expected = power(both[1], 0.5) @ power(both[0], -0.5) @ centred
    result = whitening_coloring(content, feature_coloring(style, added=1.0), added=1.0)
    np.testing.assert_allclose(
        result[0].flatten(1), expected + style[0].mean((1, 2)).numpy()[:, None], atol=1e-9
    )


def test_a_blend_of_colorings_is_a_blend_of_features():
    content, (one, other) = features(0)[:1], (features(seed)[:1] for seed in (1, 2))
    blend = 0.3 * feature_coloring(one) + 0.7 * feature_coloring(other)
    expected = 0.3 * whitening_coloring(content, feature_coloring(one))
    expected = expected + 0.7 * whitening_coloring(content, feature_coloring(other))
    torch.testing.assert_close(whitening_coloring(content, blend), expected)


def test_many_positions_are_added_up_in_parts(monkeypatch):
    content, coloring = features(0), feature_coloring(features(1))
    expected = whitening_coloring(content, coloring)
    monkeypatch.setattr("pystyle.networks._whitening_coloring._POSITIONS", 10)
    torch.testing.assert_close(whitening_coloring(content, coloring), expected)


def test_half_precision_is_widened_and_autocast_is_left():
    content, style = features(0).float(), features(1).float()
    expected = whitening_coloring(content, feature_coloring(style))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(whitening_coloring(content, feature_coloring(style)), expected)
        assert whitened_features(content.bfloat16()).dtype == torch.float32


def test_the_gradient_is_that_of_a_linear_map():
    content, coloring = features(0)[:1].requires_grad_(), feature_coloring(features(1)[:1])
    weights = features(3)[:1]
    (gradient,) = torch.autograd.grad((whitening_coloring(content, coloring) * weights).sum(), content)
    step = 1e-3 * features(4)[:1]
    matrix = coloring[:, 1:] @ torch.from_numpy(power(covariance(content[0].detach()), -0.5))
    expected = (matrix @ step.flatten(2) * weights.flatten(2)).sum()
    torch.testing.assert_close((gradient * step).sum(), expected)
    assert not feature_coloring(content).requires_grad


def test_wrong_arguments_are_named():
    content = features(0)
    with pytest.raises(ValueError, match=r"`coloring` must be of as many channels as the features, 6"):
        whitening_coloring(content, feature_coloring(content[:, :5]))
    with pytest.raises(ValueError, match="`features` must have positions"):
        feature_coloring(content[:, :, :0])
    with pytest.raises(ValueError, match="`smallest`"):
        whitened_features(content, smallest=-1.0)
    with pytest.raises(ValueError, match="`added`"):
        whitened_features(content, added=-1.0)
