"""Regions, swapped patches and textures take contents of any size and type, as a painter does."""

import pytest
import torch
from torch.nn.functional import pad

from pystyle import MaskedImage
from pystyle.papers import huang_2017, li_fang_2017, yoo_2019


def regions_of(image):
    left = torch.zeros(1, 1, *image.shape[2:])
    left[..., :20] = 1
    return MaskedImage(image, {"left": left, "right": 1 - left})


@pytest.fixture(scope="module", params=["huang_2017", "li_fang_2017", "yoo_2019", "swapped"])
def paint(request):
    """A function of a content and a style."""
    if request.param == "huang_2017":
        adain = huang_2017.network(layer="relu2_1", weights=None)
        return lambda content, style: huang_2017.regions(adain, regions_of(content), {"left": style})
    if request.param == "yoo_2019":
        wavelets = yoo_2019.network(option="sum", weights=None)
        return lambda content, style: yoo_2019.regions(wavelets, regions_of(content), regions_of(style))
    wct = li_fang_2017.network(levels=(2, 1), weights=None)
    if request.param == "li_fang_2017":
        return lambda content, style: li_fang_2017.regions(wct, regions_of(content), {"left": style})
    return lambda content, style: li_fang_2017.swapped(wct, content, style)


def test_a_content_of_another_size_is_padded_and_its_picture_cropped(paint, picture):
    content, style = picture(0, 48, 48, torch.float32)[..., :45, :41], picture(1, 32, 40, torch.float32)
    # To multiples of 16, which are multiples of 8 as well.
    whole = pad(content, (0, 7, 0, 3), mode="replicate")
    torch.testing.assert_close(paint(content, style), paint(whole, style)[..., :45, :41])


def test_a_picture_has_the_type_of_its_content(paint, picture):
    content, style = picture(0, 32, 48), picture(1, 32, 40)
    found = paint(content, style)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), paint(content.float(), style.float()))


def test_what_is_too_small_or_no_image_is_named(paint, picture):
    style = picture(1, 32, 40, torch.float32)
    with pytest.raises(ValueError, match=r"`content` must have sides of at least \d+ pixels"):
        paint(style[..., :8, :], style)
    with pytest.raises(ValueError, match=r"`styles?(\['left'\])?` must have sides of at least \d+ pixels"):
        paint(style, style[..., :8, :])


def test_a_texture_has_the_type_of_its_style(picture):
    network = li_fang_2017.network(levels=(1,), weights=None)
    style = picture(0, 32, 32)
    found = li_fang_2017.texture(network, style, size=(32, 32), num_passes=1)
    assert found.dtype == torch.float64
    assert torch.equal(
        found.float(), li_fang_2017.texture(network, style.float(), size=(32, 32), num_passes=1)
    )


def test_images_of_another_type_give_the_same_least_squares(picture):
    part = li_fang_2017.Reconstruction(level=1, weights=None)
    image = picture(0, 32, 32)[0]
    found, expected = (li_fang_2017.least_squares(part, [each]) for each in (image, image.float()))
    for one, other in zip(found.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)
