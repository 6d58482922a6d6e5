"""Pictures as pixels without torch: the same as those that are read with it."""

import numpy as np
import pytest
from PIL import Image

from pystyle.images import from_pil, read_image
from pystyle.onnx import as_array

GREYS = np.linspace(0, 65535, 12).reshape(3, 4)


@pytest.mark.parametrize("type_", ["<u2", ">u2", "i4"])
def test_grey_of_16_bits_keeps_its_levels(type_, tmp_path):
    Image.fromarray(GREYS.astype(type_)).save(tmp_path / "grey.tif")
    found = as_array(tmp_path / "grey.tif")
    np.testing.assert_allclose(found[0], np.stack([np.trunc(GREYS) / 65535] * 3), atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, read_image(tmp_path / "grey.tif").numpy())


def test_a_level_of_16_bits_may_be_transparent(tmp_path):
    values = np.array([[0, 300], [65535, 300]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "grey.png", transparency=300)
    assert as_array(tmp_path / "grey.png")[0, 0].tolist() == [[0, 1], [1, 1]]
    np.testing.assert_array_equal(as_array(tmp_path / "grey.png"), read_image(tmp_path / "grey.png").numpy())


def test_fractions_are_taken_as_they_are():
    picture = Image.fromarray(np.array([[0.0, 0.25, 1.0]], dtype=np.float32))
    assert as_array(picture)[0, :, 0].tolist() == [[0, 0.25, 1]] * 3


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV"]
)
def test_pictures_of_8_bits_are_those_that_are_read_with_torch(mode):
    generator = np.random.default_rng(0)
    colors = Image.fromarray(generator.integers(0, 256, (4, 5, 4), np.uint8), "RGBA")
    picture = colors.convert("LA").convert(mode) if mode in ("La", "PA") else colors.convert(mode)
    np.testing.assert_allclose(as_array(picture), from_pil(picture).numpy(), atol=1.01 / 255)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0, 70000]], dtype=np.int32), "mode I must have values from 0 to 65535, got 0 to 70000"),
        (np.array([[-1, 5]], dtype=np.int32), "got -1 to 5"),
        (np.array([[0, 255]], dtype=np.float32), "mode F must have values from 0 to 1, got 0.0 to 255.0"),
        (np.array([[0, np.nan]], dtype=np.float32), "Scale them first"),
    ],
)
def test_grey_of_an_unknown_range_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        as_array(Image.fromarray(values))
