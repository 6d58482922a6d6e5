"""HEIF, the format of many phones, is read through the extra `heif`."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import ImageReadError, read_image

pillow_heif = pytest.importorskip("pillow_heif")

WIDE = Image.fromarray(np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (40, 1, 3)))


def heif(picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=95, **options)
    return stream.getvalue()


def test_heif_is_known_by_its_first_bytes(tmp_path) -> None:
    (tmp_path / "IMG_0001").write_bytes(heif(WIDE))
    image = read_image(tmp_path / "IMG_0001")
    assert image.shape == (1, 3, 40, 64)
    assert (image - torch.linspace(0, 1, 64)).abs().max() < 0.03
    assert read_image(tmp_path / "IMG_0001", edge_size=20).shape == (1, 3, 20, 32)


def test_the_general_brand_is_told_apart_by_the_brands_after_it() -> None:
    for picture, brand in ((heif(WIDE), b"heic"), (_avif(WIDE), b"avif")):
        length = int.from_bytes(picture[:4], "big")
        assert brand in picture[8:length]
        general = picture[:8] + b"mif1" + picture[12:]
        assert brand in general[16:length]
        assert read_image(io.BytesIO(general)).shape == (1, 3, 40, 64)


def _avif(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "AVIF")
    return stream.getvalue()


def test_heif_is_turned_and_its_transparency_composited() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(io.BytesIO(heif(WIDE, exif=exif.tobytes()))).shape == (1, 3, 64, 40)
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    green = read_image(io.BytesIO(heif(clear)), background=(0.0, 1.0, 0.0))
    assert (green.mean((0, 2, 3)) - torch.tensor([0.0, 1.0, 0.0])).abs().max() < 0.02


def test_heif_has_the_limits_of_all_formats() -> None:
    data = heif(WIDE)
    with pytest.raises(ImageReadError, match=r"64 x 40 = 2560 pixels, more than 2559.*`max_pixels=2560`"):
        read_image(io.BytesIO(data), max_pixels=2_559)
    with pytest.raises(ImageReadError, match="Cannot read the stream"):
        read_image(io.BytesIO(data[: len(data) // 2]))
