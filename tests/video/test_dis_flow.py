"""The DIS flow: motions that are known, sizes that are odd, and what it refuses."""

import sys

import pytest
import torch

from pystyle.functional import warp
from pystyle.video import DISFlow

pytest.importorskip("cv2")


def waves(right=0.0, down=0.0, height=160, width=200):
    """A smooth texture of sines, whose content is moved by so many pixels: exact for fractions, too."""
    generator = torch.Generator().manual_seed(3)
    rows = torch.arange(float(height)).view(-1, 1) - down
    columns = torch.arange(float(width)) - right
    total = torch.zeros(height, width)
    for _ in range(24):
        angle, length, phase = torch.rand(3, generator=generator).tolist()
        across, along = torch.tensor(6.2832 * angle).cos(), torch.tensor(6.2832 * angle).sin()
        total += (6.2832 * ((across * columns + along * rows) / (9 + 40 * length) + phase)).sin()
    return (0.5 + total / 24).clamp(0, 1).expand(1, 3, height, width)


def middle(flow):
    return flow[..., 40:-40, 40:-40]


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.parametrize(("right", "down"), [(3, 2), (-6, 4), (0, 1), (2.5, -1.25), (11, 7)])
def test_a_pan_is_found_within_a_fifth_of_a_pixel(scale, right, down):
    flow = middle(DISFlow(scale=scale)(waves(), waves(right, down)))
    assert torch.allclose(flow[:, 0], torch.full_like(flow[:, 0], right), atol=0.2, rtol=0)
    assert torch.allclose(flow[:, 1], torch.full_like(flow[:, 1], down), atol=0.2, rtol=0)


@pytest.mark.parametrize("preset", ["ultrafast", "fast"])
def test_the_fast_presets_find_it_within_half_a_pixel(preset):
    flow = middle(DISFlow(preset=preset, scale=1)(waves(), waves(5, -3)))
    assert torch.allclose(flow.mean((0, 2, 3)), torch.tensor([5.0, -3.0]), atol=0.5, rtol=0)


def test_it_warps_the_other_image_into_the_pose_of_the_image():
    image, other = waves(), waves(7, 4)
    found = warp(other, DISFlow()(image, other))
    assert (middle(found) - middle(image)).abs().max() < 0.02
    assert (middle(other) - middle(image)).abs().max() > 0.2


def test_each_side_of_an_odd_size_has_its_own_scale():
    flow = DISFlow(scale=0.4)(waves(height=131, width=181), waves(4, 3, height=131, width=181))
    assert flow.shape == (1, 2, 131, 181)
    assert torch.allclose(middle(flow).mean((0, 2, 3)), torch.tensor([4.0, 3.0]), atol=0.3, rtol=0)


def test_each_pair_of_a_batch_has_its_own_flow():
    search = DISFlow()
    images, others = torch.cat([waves(), waves(1, 1)]), torch.cat([waves(3, 0), waves(0, 2)])
    expected = [search(images[:1], others[:1]), search(images[1:], others[1:])]
    assert torch.equal(search(images, others), torch.cat(expected))
    assert not torch.equal(*expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (5, 7), (31, 33), (12, 200)])
@pytest.mark.parametrize("scale", [1, 0.5])
def test_small_images_that_are_equal_have_no_flow(size, scale):
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    flow = DISFlow(scale=scale)(image, image)
    assert flow.shape == (1, 2, *size)
    assert flow.dtype == torch.float32
    assert flow.abs().max() < 1e-3


def test_nothing_of_a_call_is_left_for_the_next():
    search, fresh = DISFlow(preset="fast"), DISFlow(preset="fast")
    search(torch.rand(1, 3, 9, 9), torch.rand(1, 3, 9, 9))
    assert torch.equal(search(waves(), waves(2, 1)), fresh(waves(), waves(2, 1)))


def test_what_is_no_number_and_out_of_range_has_some_finite_flow():
    image = waves().clone()
    image[..., :50] = float("nan")
    image[..., 50:60] = 9
    assert DISFlow()(image, image).isfinite().all()


def test_images_of_two_sizes_or_with_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"the same shape .* got \(1, 3, 8, 8\) and \(1, 3, 8, 9\)"):
        DISFlow()(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9))
    with pytest.raises(ValueError, match="the same shape"):
        DISFlow()(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))


def test_settings_out_of_their_range_are_refused():
    with pytest.raises(ValueError, match="`preset` must be one of 'ultrafast', 'fast', 'medium', got 'slow'"):
        DISFlow(preset="slow")
    with pytest.raises(ValueError, match=r"`scale` must be in \(0, 1\], got 0"):
        DISFlow(scale=0)
    with pytest.raises(ValueError, match="`scale`"):
        DISFlow(scale=2)


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"pystyle-nst\[flow\]"):
        DISFlow()
