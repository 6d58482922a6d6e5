import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import from_pil, quantise, resize, to_pil

# Colours as each mode stores them, and what they look like on white.
COLOURS = [
    ("RGB", (255, 51, 0), (1, 0.2, 0)),
    ("RGBX", (255, 51, 0, 7), (1, 0.2, 0)),
    ("RGBA", (255, 51, 0, 255), (1, 0.2, 0)),
    ("RGBA", (0, 0, 0, 51), (0.8, 0.8, 0.8)),
    ("RGBa", (51, 0, 0, 51), (1, 0.8, 0.8)),
    ("L", 51, (0.2, 0.2, 0.2)),
    ("LA", (0, 51), (0.8, 0.8, 0.8)),
    ("La", (51, 51), (1, 1, 1)),
    ("La", (0, 51), (0.8, 0.8, 0.8)),
    ("PA", (0, 0), (1, 1, 1)),
    ("1", 1, (1, 1, 1)),
    ("CMYK", (0, 255, 255, 0), (1, 0, 0)),
    ("YCbCr", (255, 128, 128), (1, 1, 1)),
    ("HSV", (0, 255, 255), (1, 0, 0)),
    ("LAB", (255, 128, 128), (1, 1, 1)),
    ("I", 13107, (0.2, 0.2, 0.2)),
    ("I;16", 13107, (0.2, 0.2, 0.2)),
    ("I;16L", 13107, (0.2, 0.2, 0.2)),
    ("I;16B", 13107, (0.2, 0.2, 0.2)),
    ("F", 0.2, (0.2, 0.2, 0.2)),
]


@pytest.mark.parametrize(("mode", "stored", "expected"), COLOURS)
def test_from_pil_knows_every_mode(
    mode: str, stored: float | tuple[int, ...], expected: tuple[float, ...]
) -> None:
    image = from_pil(Image.new(mode, (3, 2), stored))
    assert image.shape == (1, 3, 2, 3)
    assert image.dtype == torch.float32
    np.testing.assert_allclose(image[0, :, 1, 2], expected, atol=1 / 255)


def test_from_pil_leaves_the_picture_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGBA", (4, 2), (1, 2, 3, 4))
    picture.info["exif"] = exif.tobytes()
    assert from_pil(picture).shape == (1, 3, 4, 2)
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGBA", (4, 2), (1, 2, 3, 4))


def test_from_pil_shares_no_memory_with_the_picture() -> None:
    picture = Image.fromarray(np.full((2, 2), 0.5, dtype=np.float32))
    from_pil(picture).zero_()
    assert picture.getpixel((0, 0)) == 0.5


def test_from_pil_gives_the_asked_edge_as_read_image_does() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    assert torch.equal(from_pil(picture, edge_size=10), resize(from_pil(picture), 10))
    assert from_pil(picture, edge_size=10, edge="long").shape == (1, 3, 7, 10)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
def test_from_pil_refuses_images_without_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="`image` must have pixels"):
        from_pil(Image.new("RGB", size))


def test_from_pil_refuses_what_is_no_picture() -> None:
    with pytest.raises(TypeError, match=r"`image` must be a PIL\.Image\.Image, got ndarray"):
        from_pil(np.zeros((2, 2)))  # type: ignore[arg-type]


def test_from_pil_refuses_values_of_an_unknown_range() -> None:
    with pytest.raises(ValueError, match=r"Pixels of mode F must lie between 0 and 1, got 7\.0 to 7\.0"):
        from_pil(Image.new("F", (2, 2), 7))


def test_to_pil_and_from_pil_give_the_quantised_image() -> None:
    image = torch.rand(1, 3, 5, 7) * 1.4 - 0.2
    picture = to_pil(image)
    assert (picture.mode, picture.size) == ("RGB", (7, 5))
    assert torch.equal(from_pil(picture), quantise(image))


def test_to_pil_gives_grey_for_one_channel() -> None:
    picture = to_pil(torch.full((1, 2, 3), 0.2))
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("L", (3, 2), 51)


def test_to_pil_refuses_a_batch() -> None:
    with pytest.raises(ValueError, match="must be one image"):
        to_pil(torch.zeros(2, 3, 4, 4))
