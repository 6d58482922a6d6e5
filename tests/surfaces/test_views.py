"""From where a mesh is seen: functions of the seed and the step."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from pystyle.surfaces import Views


def test_views_of_a_sheet_lie_at_equal_angles_and_all_views_evenly():
    cameras = Views(sheets=3, views=4, seed=5).cameras()
    for sheet in cameras:
        angles = sorted(camera.azimuth for camera in sheet)
        gaps = [b - a for a, b in zip(angles, [*angles[1:], angles[0] + 360], strict=True)]
        assert gaps == pytest.approx([90] * 4)
    everywhere = sorted(camera.azimuth for sheet in cameras for camera in sheet)
    gaps = [b - a for a, b in zip(everywhere, [*everywhere[1:], everywhere[0] + 360], strict=True)]
    assert gaps == pytest.approx([30] * 12)


def test_heights_are_spread_evenly_over_the_sphere():
    cameras = Views(sheets=5, views=4, elevations=(-30, 90)).cameras()
    sines = sorted(math.sin(math.radians(camera.elevation)) for sheet in cameras for camera in sheet)
    assert sines == pytest.approx([-0.5 + 1.5 * (index + 0.5) / 20 for index in range(20)])
    for sheet in cameras:
        # Each sheet has views from low and from high.
        quarters = {int((math.sin(math.radians(camera.elevation)) + 0.5) / 1.5 * 4) for camera in sheet}
        assert quarters == {0, 1, 2, 3}


@pytest.mark.parametrize("elevations", [(20, 20), [20, 20], np.array([20, 20]), torch.full((2,), 20.0)])
def test_a_ring_of_views_has_one_height(elevations):
    cameras = Views(sheets=1, views=4, elevations=elevations).cameras()[0]
    assert [camera.elevation for camera in cameras] == pytest.approx([20] * 4)


def test_all_sheets_come_equally_often_in_an_order_of_the_seed():
    views = Views(sheets=4, views=2, seed=1)
    order = [views.sheet_at(step) for step in range(12)]
    assert Counter(order) == dict.fromkeys(range(4), 3)
    assert all(set(order[start : start + 4]) == {0, 1, 2, 3} for start in (0, 4, 8))
    assert order == [Views(sheets=4, views=2, seed=1).sheet_at(step) for step in range(12)]
    others = [[Views(sheets=4, views=2, seed=seed).sheet_at(step) for step in range(12)] for seed in range(5)]
    assert len(set(map(tuple, others))) == 5
    assert len({Views(seed=seed).cameras() for seed in range(5)}) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sheets": 0}, "`sheets`"),
        ({"views": 0}, "`views`"),
        ({"elevations": (20, -20)}, "`elevations`"),
        ({"elevations": (20, 20, 20)}, "`elevations`"),
        ({"elevations": (-100, 0)}, r"`elevations\[0\]`"),
        ({"elevations": (0, 91)}, r"`elevations\[1\]`"),
        ({"field_of_view": 0}, "`field_of_view`"),
        ({"distance": 0.5}, "`distance`"),
        ({"seed": 2**70}, "`seed`"),
    ],
)
def test_impossible_views_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Views(**arguments)
