import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import attention_features


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def oracle(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """The formulas of the paper for (channels, positions), one position of the content at a time."""

    def normalized(features: np.ndarray) -> np.ndarray:
        return (features - features.mean(1, keepdims=True)) / np.sqrt(features.var(1, keepdims=True) + 1e-5)

    queries, keys = normalized(content), normalized(style)
    found = np.zeros_like(content)
    for position in range(content.shape[1]):
        scores = [math.exp(queries[:, position] @ keys[:, other]) for other in range(style.shape[1])]
        attention = np.array(scores) / sum(scores)
        mean = style @ attention
        deviation = np.sqrt(((style - mean[:, None]) ** 2) @ attention + 1e-5)
        found[:, position] = deviation * queries[:, position] + mean
    return found


def test_attention_features_are_those_of_the_formulas() -> None:
    content, style = noise(2, 4, 3, 5), noise(2, 4, 6, 2, seed=1)
    found = attention_features(content, style)
    for image in range(2):
        expected = oracle(content[image].flatten(1).numpy(), style[image].flatten(1).numpy())
        np.testing.assert_allclose(found[image].flatten(1).numpy(), expected, rtol=1e-9)


def test_positions_without_weight_get_no_attention_and_take_no_part_in_the_statistics() -> None:
    content, style = noise(1, 4, 3, 6), noise(1, 4, 5, 6, seed=1)
    weights = torch.zeros(1, 1, 3, 6).double()
    weights[..., :4] = 1
    other = torch.zeros(1, 1, 5, 6).double()
    other[..., :2] = 1
    found = attention_features(content, style, content_weights=weights, style_weights=other)
    expected = attention_features(content[..., :4], style[..., :2])
    torch.testing.assert_close(found[..., :4], expected)


def test_an_offset_of_the_style_is_one_of_the_features() -> None:
    content, style = noise(1, 4, 3, 6).float(), noise(1, 4, 5, 6, seed=1).float()
    far = attention_features(content, style + 1024)
    torch.testing.assert_close(far - 1024, attention_features(content, style), rtol=0, atol=2e-3)


def test_it_is_the_same_in_blocks(monkeypatch) -> None:
    content, style = noise(1, 4, 7, 6), noise(1, 4, 5, 6, seed=1)
    whole = attention_features(content, style)
    monkeypatch.setattr("pystyle.functional._vector_sets._LARGEST_BLOCK", 100)
    torch.testing.assert_close(attention_features(content, style), whole)


def test_other_channels_batches_and_empty_maps_are_refused() -> None:
    for shape in ((1, 3, 5, 6), (2, 4, 5, 6), (4, 5, 6)):
        with pytest.raises(ValueError, match="the same batch size and channels"):
            attention_features(noise(1, 4, 3, 6), noise(*shape))
    with pytest.raises(ValueError, match="There must be positions"):
        attention_features(noise(1, 4, 3, 6), noise(1, 4, 0, 6))
