import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import patches


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def windows(features: Tensor, size: int, rows: list[int], columns: list[int]) -> np.ndarray:
    """One row per patch of an image, by loops."""
    array = features.numpy()
    return np.array([array[:, r : r + size, c : c + size].ravel() for r in rows for c in columns])


def sorted_rows(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_patches_are_all_windows_row_by_row(size: int) -> None:
    features = noise(2, 3, 6, 5)
    found = patches(features, size)
    for image in range(2):
        expected = windows(features[image], size, list(range(7 - size)), list(range(6 - size)))
        np.testing.assert_array_equal(found[image].numpy().T, expected)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [
        (7, 9, [0, 2, 4], [0, 2, 4, 6]),
        (8, 9, [0, 2, 4, 5], [0, 2, 4, 6]),
        (8, 10, [0, 2, 4, 5], [0, 2, 4, 6, 7]),
        (4, 3, [0, 1], [0]),
    ],
)
def test_patches_with_a_stride_cover_the_last_rows_and_columns_too(
    height: int, width: int, rows: list[int], columns: list[int]
) -> None:
    features = noise(1, 2, height, width)
    found = patches(features, 3, stride=2)[0].numpy().T
    np.testing.assert_array_equal(sorted_rows(found), sorted_rows(windows(features[0], 3, rows, columns)))


def test_patches_of_one_position_are_the_features() -> None:
    features = noise(2, 3, 4, 5)
    assert torch.equal(patches(features, 1), features.flatten(2))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_patches_of_a_region_are_those_of_the_crop_with_the_same_grid(stride: int) -> None:
    mask = torch.zeros(1, 1, 9, 8)
    mask[..., 1:6, 2:] = 1
    features = noise(2, 3, 9, 8)
    inside = patches(features, 3, stride=stride, mask=mask)
    assert torch.equal(inside, patches(features[:, :, 1:6, 2:], 3, stride=stride))
    assert inside.shape[2] == {1: 12, 2: 6, 3: 4}[stride]


def test_patches_inside_a_mask_have_no_position_outside() -> None:
    # Outside the region, which is no rectangle, the features are negative.
    mask = torch.zeros(1, 1, 9, 8)
    mask[..., 1:6, 2:] = 1
    mask[..., 4:, :3] = 1
    features = torch.where(mask > 0, noise(2, 3, 9, 8), -torch.ones(()).double())
    inside, everywhere = patches(features, 3, mask=mask), patches(features, 3)
    assert inside.min() >= 0
    assert inside.shape == (2, 27, int((everywhere[0] >= 0).all(0).sum()))


def test_a_full_mask_changes_nothing_and_an_empty_one_leaves_nothing() -> None:
    features = noise(2, 3, 6, 5)
    assert torch.equal(patches(features, 3, mask=torch.ones(1, 1, 6, 5)), patches(features, 3))
    assert patches(features, 3, mask=torch.zeros(1, 1, 6, 5)).shape == (2, 27, 0)


def test_a_soft_mask_is_cut_at_a_half() -> None:
    mask = torch.tensor([0.4, 0.6, 0.6, 1.0]).expand(1, 1, 2, 4)
    assert patches(noise(1, 1, 2, 4), 2, mask=mask).shape == (1, 4, 2)


def test_patches_have_the_gradient_of_finite_differences() -> None:
    features = noise(1, 2, 4, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: patches(x, 3, stride=2), features)


def test_patches_do_not_change_with_the_memory_layout_and_widen_half_precision() -> None:
    features = noise(1, 2, 5, 6)
    assert torch.equal(patches(features.mT.contiguous().mT, 3), patches(features, 3))
    assert patches(features.bfloat16(), 3).dtype == torch.float32
    assert patches(features, 3).dtype == torch.float64


@pytest.mark.parametrize(
    ("features", "size", "stride", "message"),
    [
        (noise(1, 3, 5, 5), 0, 1, "`size` must be at least 1, got 0"),
        (noise(1, 3, 5, 5), 3, 0, "`stride` must be at least 1, got 0"),
        (noise(1, 3, 2, 9), 3, 1, r"at least 3 x 3 positions .*got the shape \(1, 3, 2, 9\)"),
        (noise(1, 3, 25), 3, 1, r"must have the axes \(batch, channels, height, width\)"),
    ],
)
def test_patches_that_cannot_be_are_refused(features: Tensor, size: int, stride: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        patches(features, size, stride=stride)


@pytest.mark.parametrize("shape", [(1, 1, 5, 6), (2, 1, 6, 5), (1, 3, 6, 5), (6, 5)])
def test_a_mask_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`mask` must have the shape \(1, 1, height, width\)"):
        patches(noise(2, 3, 6, 5), 3, mask=torch.ones(shape))
