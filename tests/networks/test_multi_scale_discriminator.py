"""Discriminators of halved images."""

import pytest
import torch
from torch import nn

from pystyle.networks import MultiScaleDiscriminator, PatchDiscriminator


def halved(image):
    """Means over those of the 3 x 3 pixels around every second one that lie in the image."""
    batch, channels, height, width = image.shape
    half = torch.empty(batch, channels, (height + 1) // 2, (width + 1) // 2)
    for row in range(half.shape[2]):
        for column in range(half.shape[3]):
            rows = slice(max(2 * row - 1, 0), 2 * row + 2)
            columns = slice(max(2 * column - 1, 0), 2 * column + 2)
            half[:, :, row, column] = image[:, :, rows, columns].mean((2, 3))
    return half


@pytest.mark.parametrize("size", [(8, 8), (9, 14), (1, 3)])
def test_each_scale_is_half_of_the_one_before(size):
    image = torch.rand(2, 3, *size)
    whole, half, quarter = MultiScaleDiscriminator([nn.Identity() for _ in range(3)])(image)
    assert torch.equal(whole, image)
    torch.testing.assert_close(half, halved(image))
    torch.testing.assert_close(quarter, halved(halved(image)))


def test_an_even_image_stays_even_up_to_the_border():
    scales = MultiScaleDiscriminator([nn.Identity() for _ in range(4)])(torch.full((1, 1, 13, 20), 0.7))
    for scale in scales:
        torch.testing.assert_close(scale, torch.full_like(scale, 0.7))


def test_each_scale_has_its_own_weights_and_gets_gradients():
    torch.manual_seed(0)
    parts = [PatchDiscriminator(width=2, num_layers=1) for _ in range(2)]
    discriminator = MultiScaleDiscriminator(parts)
    image = torch.rand(1, 3, 16, 20)
    whole, half = discriminator(image)
    torch.testing.assert_close(whole, parts[0](image))
    torch.testing.assert_close(half, parts[1](halved(image)))
    (whole.mean() + half.mean()).backward()
    assert all(weight.grad is not None for weight in discriminator.parameters())
    assert len(list(discriminator.parameters())) == 2 * len(list(parts[0].parameters()))


def test_the_smallest_image_is_large_enough_for_each_scale():
    """The side 11 is 6 at the half, which is what one layer needs; 10 is 5."""
    parts = [PatchDiscriminator(width=1, num_layers=1) for _ in range(2)]
    discriminator = MultiScaleDiscriminator(parts)
    assert discriminator.smallest == 11
    assert [scores.shape[2:] for scores in discriminator(torch.rand(1, 3, 11, 11))] == [(3, 3), (1, 1)]
    with pytest.raises(
        ValueError, match="`image` must have sides of at least 11 pixels for 2 scales, got 10 x"
    ):
        discriminator(torch.rand(1, 3, 10, 12))
    # Here the first scale needs most.
    other = MultiScaleDiscriminator([PatchDiscriminator(width=1), nn.Identity()])
    assert other.smallest == 24
    assert MultiScaleDiscriminator([nn.Identity()]).smallest == 1


def test_what_is_no_discriminator_is_refused():
    with pytest.raises(ValueError, match="`discriminators` must be one for each scale, got none"):
        MultiScaleDiscriminator([])
    with pytest.raises(TypeError, match="`discriminators` must be modules, got str"):
        MultiScaleDiscriminator([nn.Identity(), "patch"])
