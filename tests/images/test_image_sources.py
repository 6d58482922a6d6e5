"""An image may come as a tensor, a Pillow image, a numpy array, a path or a binary file."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle import MaskedImage
from pystyle.images import (
    ImageReadError,
    as_image,
    contact_sheet,
    read_image,
    read_mask,
    show_image,
    split_alpha,
    write_image,
    write_masks,
)

LEVELS = torch.zeros(1, 3, 6, 8, dtype=torch.uint8)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
EXPECTED = torch.from_numpy((PIXELS / np.float32(255)).transpose(2, 0, 1)[None].copy())
CLEAR = np.concatenate((PIXELS, np.full((6, 8, 1), 51, dtype=np.uint8)), 2)


def png(pixels: np.ndarray = PIXELS) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def sources(folder: Path) -> dict[str, object]:
    (folder / "a.png").write_bytes(png())
    return {
        "tensor": EXPECTED,
        "Pillow": Image.fromarray(PIXELS),
        "bytes in an array": PIXELS,
        "levels of 16 bits": PIXELS.astype(np.uint16) * 257,
        "levels of the other byte order": (PIXELS.astype(np.uint16) * 257).astype(">u2"),
        "floats": PIXELS / 255,
        "half precision": (PIXELS / 255).astype(np.float32),
        "a view": np.flip(np.flip(PIXELS, 0).copy(), 0),
        "text": str(folder / "a.png"),
        "path": folder / "a.png",
        "stream": io.BytesIO(png()),
        "file": (folder / "a.png").open("rb"),
    }


def test_an_image_is_the_same_whatever_it_comes_in(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        image = as_image(source)
        assert image.dtype == torch.float32, name
        torch.testing.assert_close(image, EXPECTED, rtol=0, atol=1e-7, msg=name)
        if hasattr(source, "close"):
            source.close()


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_image(EXPECTED, "~/a.png")
    write_masks({"sky": torch.ones(1, 1, 2, 2)}, "~/masks")
    assert torch.equal(read_image("~/a.png"), read_image(tmp_path / "a.png"))
    assert torch.equal(as_image(Path("~/a.png")), read_image(tmp_path / "a.png"))
    assert torch.equal(read_mask("~/masks/sky.png"), torch.ones(1, 1, 2, 2))


def test_grey_arrays_are_grey_images() -> None:
    for grey in (PIXELS[..., 0], PIXELS[..., :1], PIXELS[..., 0] > 127):
        levels = grey.reshape(6, 8) / (1 if grey.dtype == bool else 255)
        expected = torch.from_numpy(levels).float().expand(1, 3, 6, 8)
        torch.testing.assert_close(as_image(grey), expected, rtol=0, atol=1e-7)


def test_opacity_is_composited_on_the_background() -> None:
    wanted = 0.2 * EXPECTED + 0.8 * torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    for source in (CLEAR, Image.fromarray(CLEAR), io.BytesIO(png(CLEAR)), CLEAR / 255):
        image = as_image(source, background=(0.0, 0.5, 1.0))
        torch.testing.assert_close(image, wanted, rtol=0, atol=1e-6)


def test_all_sources_get_the_asked_edge() -> None:
    for source in (EXPECTED, PIXELS, Image.fromarray(PIXELS), io.BytesIO(png())):
        assert as_image(source, edge_size=3).shape == (1, 3, 3, 4)


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (PIXELS.astype(np.int64), TypeError, r"uint8, uint16, bool or floats in \[0, 1\], got int64"),
        (PIXELS.astype(np.float32), ValueError, "look like levels of 0 ... 255: divide them by 255"),
        (PIXELS.transpose(2, 0, 1), ValueError, r"Channels come last: `array\.transpose\(1, 2, 0\)`"),
        (PIXELS[None], ValueError, r"Take the image out of the batch: `array\[0\]`"),
        (PIXELS[:0], ValueError, r"got \(0, 8, 3\)"),
        (
            torch.from_numpy(PIXELS.transpose(2, 0, 1)[None].copy()),
            TypeError,
            r"got torch\.uint8\. Divide it",
        ),
        (EXPECTED * 255, ValueError, "divide them by 255"),
        (png(), TypeError, r"Wrap bytes in io\.BytesIO"),
        (None, TypeError, r"must be an image \(a tensor, a Pillow image, .*got a NoneType"),
        ([[0.5]], TypeError, "got a list"),
        ("nowhere.png", ImageReadError, "no such file"),
    ],
)
def test_what_is_no_image_is_refused(source: object, kind: type[Exception], message: str) -> None:
    for function in (as_image, split_alpha):
        with pytest.raises(kind, match=message):
            function(source)


def test_a_large_file_is_refused_with_what_every_caller_can_do() -> None:
    for function in (as_image, split_alpha):
        with pytest.raises(ImageReadError, match=r"pass `max_pixels=48`\."):
            function(io.BytesIO(png()), max_pixels=47)
        function(io.BytesIO(png()), max_pixels=48)


def test_sheets_and_windows_take_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = contact_sheet([EXPECTED, EXPECTED], height=6, gap=0)
    (tmp_path / "a.png").write_bytes(png())
    for pair in ([PIXELS, Image.fromarray(PIXELS)], [tmp_path / "a.png", str(tmp_path / "a.png")]):
        torch.testing.assert_close(contact_sheet(pair, height=6, gap=0), expected)
        torch.testing.assert_close(contact_sheet([pair], height=6, gap=0), expected)
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    monkeypatch.setattr(pyplot, "show", lambda: None)
    show_image(PIXELS)
    assert (pyplot.gcf().axes[0].images[0].get_array() == PIXELS).all()
    pyplot.close("all")


def test_opaque_images_have_no_alpha() -> None:
    opaque = np.concatenate((PIXELS, np.full((6, 8, 1), 255, dtype=np.uint8)), 2)
    for source in (PIXELS, opaque, EXPECTED, Image.fromarray(PIXELS)):
        image, alpha = split_alpha(source)
        assert alpha is None
        torch.testing.assert_close(image, EXPECTED, rtol=0, atol=1e-7)


def test_alpha_is_upright_and_of_sixteen_bits() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(np.array([[[9, 9, 9, 0], [9, 9, 9, 255]]], dtype=np.uint8)).save(stream, "PNG", exif=exif)
    stream.seek(0)
    assert split_alpha(stream)[1].tolist() == [[[[0.0], [1.0]]]]
    levels = np.array([[[1, 2, 3, 12_345]]], dtype=np.uint16)
    assert split_alpha(levels)[1].item() == pytest.approx(12_345 / 65535, abs=1e-7)


def test_what_is_transparent_gets_the_colours_around_it() -> None:
    pixels = np.zeros((16, 16, 4), dtype=np.uint8)
    pixels[:, :8] = (200, 100, 50, 255)
    image, alpha = split_alpha(pixels)
    colour = torch.tensor([200.0, 100.0, 50.0]).reshape(1, 3, 1, 1) / 255
    torch.testing.assert_close(image, colour.expand_as(image), rtol=0, atol=1e-5)
    assert float(alpha.mean()) == 0.5
    # Whatever colours the file has there.
    pixels[:, 8:, :3] = np.random.default_rng(0).integers(0, 256, (16, 8, 3))
    torch.testing.assert_close(split_alpha(pixels)[0], image)


def test_what_is_half_transparent_keeps_its_colours() -> None:
    half = np.concatenate((PIXELS, np.full((6, 8, 1), 128, dtype=np.uint8)), 2)
    torch.testing.assert_close(split_alpha(half)[0], EXPECTED, rtol=0, atol=1e-7)


def test_what_takes_tensors_only_says_how_to_make_one() -> None:
    for function in (lambda image: write_image(image, io.BytesIO()), lambda image: MaskedImage(image, {})):
        with pytest.raises(TypeError, match=r"got a ndarray\..*`as_image`"):
            function(PIXELS)
