"""Poolings of torch alone, where an image wraps: as in the middle of many images, or refused."""

import pytest
import torch
from torch import nn

from pystyle._wrapping import wrapping

IMAGE = torch.rand(1, 3, 12, 8, generator=torch.Generator().manual_seed(0))
AXES = {"both": (2, 3), "horizontal": (3,)}


class Unpooled(nn.Module):
    """Pools by the largest and puts them back where they were."""

    def __init__(self, *arguments, sized=False):
        super().__init__()
        self.pool, self.sized = nn.MaxPool2d(*arguments, return_indices=True), sized
        self.unpool = nn.MaxUnpool2d(*arguments)

    def forward(self, image):
        found, places = self.pool(image)
        return self.unpool(found, places, image.shape if self.sized else None)


@pytest.mark.parametrize("wrap", AXES)
@pytest.mark.parametrize(
    "module",
    [
        nn.LPPool2d(2, 2),
        nn.LPPool2d(3.0, (3, 2), stride=1),
        nn.LPPool2d(float("inf"), 4, stride=2),
        nn.Sequential(nn.ReflectionPad2d(1), nn.LPPool2d(2, 3, stride=1)),
        Unpooled(2),
        Unpooled(2, 2, sized=True),
    ],
    ids=str,
)
def test_a_pooling_is_that_of_the_middle_of_many_images(module, wrap):
    with wrapping(wrap):
        found = module(IMAGE)
    rows = 3 if wrap == "both" else 1
    lines = IMAGE.repeat(1, 1, rows, 3)
    expected = module(lines)
    if isinstance(module, nn.Sequential):
        # With a border of one line the first window begins a line earlier, which a roll does as well.
        reflected = nn.functional.pad(lines, (0, 0, 1, 1), mode="reflect")
        lines = lines.roll(1, 2) if wrap == "both" else reflected
        expected = module[1](lines.roll(1, 3))
    for axis in AXES[wrap]:
        expected = expected.narrow(axis, found.shape[axis], found.shape[axis])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "module",
    [
        nn.MaxPool2d(3, 1, 1, return_indices=True),
        nn.MaxPool2d(3, 2, return_indices=True),
        nn.Sequential(nn.ReflectionPad2d(1), nn.MaxPool2d(2, return_indices=True)),
        nn.FractionalMaxPool2d(2, output_ratio=0.5),
        nn.FractionalMaxPool2d(2, output_ratio=0.5, return_indices=True),
    ],
    ids=str,
)
def test_a_pooling_that_does_not_know_where_it_looks_is_refused(module):
    with wrapping("both"), pytest.raises(ValueError, match=r"that calls `\w*max_pool2d\w*` cannot wrap"):
        module(IMAGE)
    module(IMAGE)


def test_putting_back_what_overlaps_is_refused():
    found, places = nn.MaxPool2d(3, 2, return_indices=True)(IMAGE)
    with wrapping("horizontal"), pytest.raises(ValueError, match="that calls `max_unpool2d` cannot wrap"):
        nn.MaxUnpool2d(3, 2)(found, places)
    with wrapping("both"), pytest.raises(ValueError, match="that calls `max_unpool2d` cannot wrap"):
        nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(IMAGE), output_size=(13, 8))
