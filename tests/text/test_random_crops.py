"""Crops in perspective: where they lie, that they are repeated, and what torchvision makes of the corners."""

import pytest
import torch
from torchvision.transforms.v2.functional import perspective

from pystyle.text import RandomCrops
from pystyle.text._crops import perspective_grids


def drawn(crops, image, seed=0):
    return crops(image, generator=torch.Generator().manual_seed(seed))


def noise(*shape, seed=1, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_crops_are_a_function_of_the_seed_and_of_how_many_came_before():
    crops, image = RandomCrops(count=3, size=8), noise(1, 3, 20, 24)
    generator = torch.Generator().manual_seed(5)
    first, second = crops(image, generator=generator), crops(image, generator=generator)
    assert not torch.equal(first, second)
    assert torch.equal(first, drawn(crops, image, 5))
    assert not torch.equal(first, drawn(crops, image, 6))


def test_all_images_of_a_batch_are_seen_alike():
    crops, images = RandomCrops(count=3, size=8), noise(2, 3, 20, 24)
    both = drawn(crops, images)
    for index in range(2):
        torch.testing.assert_close(both[:, index], drawn(crops, images[index : index + 1])[:, 0])


def test_without_distortion_crops_are_parts_of_the_image():
    image = noise(1, 3, 9, 7)
    windows = image.unfold(2, 4, 1).unfold(3, 4, 1)[0].permute(1, 2, 0, 3, 4).flatten(0, 1)
    found = drawn(RandomCrops(count=400, size=4, distortion=0.0), image)[:, 0]
    which = (found[:, None] == windows[None]).all((2, 3, 4)).float()
    assert torch.equal(which.sum(1), torch.ones(400))  # each is one of them,
    assert bool((which.sum(0) > 0).all())  # and all 24 come up, also at the border


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (5, 3)])
def test_crops_are_no_larger_than_the_image(size):
    found = drawn(RandomCrops(count=2, size=16), noise(1, 3, *size))
    assert found.shape == (2, 1, 3, min(size[0], 16), min(size[1], 16))
    assert bool(found.isfinite().all())


def test_the_perspective_is_that_of_torchvision():
    image = noise(1, 3, 20, 30)
    # Both count from the outer edges of the picture: in pixels there, from -1 to 1 here.
    ends = [[4.0, 2.0], [26.0, 5.0], [24.0, 17.0], [3.0, 15.0]]
    starts = [[0.0, 0.0], [30.0, 0.0], [30.0, 20.0], [0.0, 20.0]]
    theirs = perspective(image, starts, ends, fill=0)
    corners = 2 * torch.tensor(ends, dtype=torch.float64) / torch.tensor([30.0, 20.0]) - 1
    grid = perspective_grids(corners[None], (20, 30)).float()
    ours = torch.nn.functional.grid_sample(image, grid, align_corners=False)
    inside = (grid.abs() < 0.9).all(-1)
    assert int(inside.sum()) > 100
    # torchvision solves for its coefficients in single precision.
    torch.testing.assert_close(ours[:, :, inside[0]], theirs[:, :, inside[0]], atol=1e-3, rtol=0)


def test_a_crop_in_perspective_is_the_whole_of_it_on_black():
    crops = RandomCrops(count=1, size=64, distortion=0.5)
    seen = drawn(crops, torch.ones(1, 1, 64, 64), 3)
    numbers = torch.rand(1, 10, generator=torch.Generator().manual_seed(3), dtype=torch.float64)[0, 2:]
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * (1 - 0.5 * numbers.reshape(4, 2))
    x, y = corners.T
    area = 0.5 * float((x * y.roll(-1) - y * x.roll(-1)).sum()) / 4  # of the quadrangle, as a share
    assert float(seen.mean()) == pytest.approx(area, abs=0.01)


def test_gradients_flow_through():
    crops, image = RandomCrops(count=2, size=5), noise(1, 1, 6, 7, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: drawn(crops, image), image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "`count` must be at least 1"),
        ({"size": 0.5}, "`size` must be a whole number"),
        ({"distortion": 1.0}, r"`distortion` must be in \[0, 1\)"),
    ],
)
def test_impossible_crops_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RandomCrops(**options)
