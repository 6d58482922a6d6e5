"""Opacity is written with the colours."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle.images import split_alpha, write_image

GENERATOR = torch.Generator().manual_seed(0)
IMAGE = torch.rand(1, 3, 12, 17, generator=GENERATOR)
# Nowhere transparent enough to be filled from around.
ALPHA = 0.2 + 0.8 * torch.rand(1, 1, 12, 17, generator=GENERATOR)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jp2"])
@pytest.mark.parametrize("channels", [1, 3])
def test_opacity_comes_back(tmp_path: Path, name: str, channels: int) -> None:
    write_image(IMAGE[:, :channels], tmp_path / name, alpha=ALPHA)
    with Image.open(tmp_path / name) as picture:
        assert picture.mode == {1: "LA", 3: "RGBA"}[channels]
    image, alpha = split_alpha(tmp_path / name)
    torch.testing.assert_close(image, IMAGE[:, :channels].expand(1, 3, 12, 17), rtol=0, atol=0.51 / 255)
    torch.testing.assert_close(alpha, ALPHA, rtol=0, atol=0.51 / 255)


@pytest.mark.parametrize("name", ["a.webp", "a.avif"])
def test_formats_that_lose_something_have_opacity_too(tmp_path: Path, name: str) -> None:
    ramp = torch.linspace(0.2, 1, 64).expand(1, 1, 64, 64)
    write_image(torch.full((1, 3, 64, 64), 0.5), tmp_path / name, alpha=ramp)
    image, alpha = split_alpha(tmp_path / name)
    assert (alpha - ramp).abs().mean() < 0.01
    assert (image - 0.5).abs().mean() < 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_opacity_has_sixteen_bits_if_the_colours_have(channels: int) -> None:
    stream = io.BytesIO()
    write_image(IMAGE[:, :channels], stream, bits=16, alpha=ALPHA[0])
    stream.seek(0)
    image, alpha = split_alpha(stream)
    torch.testing.assert_close(image, IMAGE[:, :channels].expand(1, 3, 12, 17), rtol=0, atol=0.51 / 65535)
    torch.testing.assert_close(alpha, ALPHA, rtol=0, atol=0.51 / 65535)
    assert np.asarray(Image.open(stream)).shape == (12, 17, 4)


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp", "a.ppm"])
def test_formats_without_opacity_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        ValueError, match=r"`alpha` needs a format that has opacity, such as PNG, got .*'\.png'"
    ):
        write_image(IMAGE, tmp_path / name, alpha=ALPHA)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("alpha", "kind", "message"),
    [
        (
            ALPHA[..., 1:],
            ValueError,
            r"shape \(1, 1, 12, 17\) of the image, got \(1, 1, 12, 16\)",
        ),
        (IMAGE, ValueError, "must have the shape"),
        (255 * ALPHA, ValueError, "divide them by 255"),
        (ALPHA.byte(), TypeError, "`alpha` must be a floating tensor"),
        (0.5, TypeError, "`alpha` must be a tensor"),
    ],
)
def test_what_is_no_opacity_is_refused(alpha: object, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        write_image(IMAGE, io.BytesIO(), alpha=alpha)
