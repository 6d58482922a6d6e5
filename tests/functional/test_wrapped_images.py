"""Functions of images that wrap, against the middle of many such images laid beside each other."""

import pytest
import torch
from torch import Tensor

from pystyle.functional import patches, total_variation, wavelet_norm

VARIANTS = ["isotropic", "anisotropic", "nine_point"]
AXES = {"both": (2, 3), "horizontal": (3,)}


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_total_variation_of_a_ramp_has_the_step_back_to_its_start():
    ramp = torch.tensor([[[[0.0, 1.0, 2.0, 6.0]]]])
    found = total_variation(ramp, exponent=1.0, variant="anisotropic", wrap="horizontal")
    assert float(found) == (1 + 1 + 4 + 6) / 4


def test_total_variation_that_wraps_in_both_directions_by_hand():
    image = torch.tensor([[[[0.0, 3.0], [4.0, 9.0]]]])
    # Right and below: (3, 4), (-3, 6), (5, -4), (-5, -6).
    assert float(total_variation(image, wrap="both")) == (9 + 16 + 9 + 36 + 25 + 16 + 25 + 36) / 4
    anisotropic = total_variation(image, exponent=1.0, variant="anisotropic", wrap="both")
    assert float(anisotropic) == (3 + 3 + 5 + 5) / 4 + (4 + 6 + 4 + 6) / 4
    # Both diagonal neighbours of a pixel are the same here: 9, 1, 1, 9 away.
    nine = total_variation(image, exponent=1.0, variant="nine_point", wrap="both")
    assert float(nine) == pytest.approx((4 + 5) * 2 / 3 + (5 + 5) / 6)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_total_variation_is_nearly_that_of_many_images_beside_each_other(variant, exponent):
    image, count = noise(1, 2, 6, 5), 60
    many = total_variation(image.repeat(1, 1, count, count), exponent=exponent, variant=variant)
    found = total_variation(image, exponent=exponent, variant=variant, wrap="both")
    # The border of all is one part of 300.
    assert float(found) == pytest.approx(float(many), rel=0.01)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_total_variation_of_a_shifted_image_is_the_same(variant, wrap):
    image, mask = noise(2, 3, 5, 7), noise(1, 1, 5, 7)
    shift, axes = [3] * len(AXES[wrap]), AXES[wrap]
    for given in (None, mask):
        moved = None if given is None else given.roll(shift, axes)
        first = total_variation(image, exponent=1.5, variant=variant, mask=given, wrap=wrap)
        second = total_variation(
            image.roll(shift, axes), exponent=1.5, variant=variant, mask=moved, wrap=wrap
        )
        torch.testing.assert_close(first, second)
    assert total_variation(image, variant=variant) != total_variation(
        image.roll(shift, axes), variant=variant
    )


def test_a_mask_of_ones_changes_nothing():
    image, ones = noise(1, 2, 4, 5), torch.ones(1, 1, 4, 5, dtype=torch.float64)
    for variant in VARIANTS:
        for wrap in AXES:
            without = total_variation(image, variant=variant, wrap=wrap)
            torch.testing.assert_close(total_variation(image, variant=variant, mask=ones, wrap=wrap), without)


def test_gradients_that_wrap_are_those_of_differences():
    image = noise(1, 1, 3, 4).requires_grad_()
    for variant in VARIANTS:
        assert torch.autograd.gradcheck(
            lambda x, v=variant: total_variation(x, variant=v, wrap="both"), (image,)
        )
    assert torch.autograd.gradcheck(
        lambda x: wavelet_norm(x, exponent=2.0, num_levels=2, wrap="both"), (image,)
    )
    assert torch.autograd.gradcheck(lambda x: patches(x, 3, wrap="both"), (image,))


def test_patches_lie_across_the_border():
    row = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    column = row.mT
    assert patches(torch.cat([row, row + 3], 2), 2, wrap="horizontal").mT.tolist() == [
        [[1, 2, 4, 5], [2, 3, 5, 6], [3, 1, 6, 4]]
    ]
    found = patches(torch.cat([column, column + 3], 3), 2, wrap="both")
    assert found.shape == (1, 4, 6)
    # The last one begins at the lower right corner and sees all four.
    assert found[0, :, -1].tolist() == [6, 3, 4, 1]


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("stride", [1, 2])
def test_patches_are_those_of_the_middle_of_many_images(wrap, stride):
    image = noise(1, 2, 4, 6)
    rows = 3 if wrap == "both" else 1
    many = image.repeat(1, 1, rows, 3)
    found = patches(image, 3, stride=stride, wrap=wrap)
    tops = range(4, 8, stride) if wrap == "both" else [*range(0, 2, stride)] + [1] * (stride == 2)
    expected = [many[0, :, top : top + 3, left : left + 3] for top in tops for left in range(6, 12, stride)]
    one, other = (sorted(patch.flatten().tolist() for patch in each) for each in (found[0].mT, expected))
    assert one == other


def test_patches_of_regions_do_not_wrap():
    with pytest.raises(ValueError, match="`wrap` and `mask` cannot be given together"):
        patches(noise(1, 1, 4, 4), 2, mask=torch.ones(1, 1, 4, 4), wrap="both")


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
@pytest.mark.parametrize("wrap", ["both", "horizontal"])
def test_wavelets_of_a_shifted_image_are_as_large(wavelet, wrap):
    image, axes = noise(1, 3, 8, 8), AXES[wrap]
    first = wavelet_norm(image, wavelet=wavelet, wrap=wrap)
    second = wavelet_norm(image.roll([3] * len(axes), axes), wavelet=wavelet, wrap=wrap)
    torch.testing.assert_close(first, second)


def test_wavelets_across_the_border_by_hand():
    # All 8 columns have a right neighbour that differs by 1, where it ended before.
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 1, 8, 8)
    assert float(wavelet_norm(stripes, num_levels=1, wrap="horizontal")) == 0.5


@pytest.mark.parametrize(
    "function", [total_variation, wavelet_norm, lambda x, wrap: patches(x, 2, wrap=wrap)]
)
def test_an_unknown_wrap_is_refused(function):
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        function(noise(1, 1, 4, 4), wrap="vertical")
