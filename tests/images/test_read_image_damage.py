"""Whatever cannot be read gives one kind of error, which says why."""

import contextlib
import io
import os
import pickle
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from pystyle.images import ImageReadError, read_image


def encoded(format: str, size: int = 64) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format)
    return stream.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(side: int) -> bytes:
    """A valid black PNG of one bit per pixel."""
    compressor = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(compressor.compress(row * 100) for _ in range(side // 100)) + compressor.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"])
@pytest.mark.parametrize("percent", [0, 10, 50, 98])
def test_read_image_refuses_a_file_that_is_cut_off(tmp_path: Path, format: str, percent: int) -> None:
    data = encoded(format)
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) * percent // 100])
    with pytest.raises(
        ImageReadError, match=r"Cannot read the image '.*cut': .*(copy|Copy) or download it again"
    ):
        read_image(path)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_read_image_reads_a_damaged_file_again_after_it_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG")[:-200])
    with pytest.raises(ImageReadError):
        read_image(path)
    path.write_bytes(encoded("PNG"))
    assert read_image(path).shape == (1, 3, 64, 64)


def test_read_image_notices_a_flipped_bit_in_a_png(tmp_path: Path) -> None:
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageReadError):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_read_image_gives_an_image_or_its_own_error_for_flipped_bits(tmp_path: Path, format: str) -> None:
    for place in range(30, 400, 10):
        data = bytearray(encoded(format, size=16))
        data[place % len(data)] ^= 16
        (tmp_path / "a").write_bytes(data)
        try:
            image = read_image(tmp_path / "a", max_pixels=10_000)
        except ImageReadError:
            continue
        assert image.ndim == 4
        assert image.min() >= 0
        assert image.max() <= 1


def test_read_image_takes_no_memory_for_what_a_damaged_file_only_claims_to_have(tmp_path: Path) -> None:
    data = encoded("PNG")
    place = data.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(data[:place] + b"\x7f\xff\xff\xff" + data[place + 4 :])
    tracemalloc.start()
    try:
        # All pixels are there, and only the length of their chunk is wrong.
        with contextlib.suppress(ImageReadError):
            read_image(tmp_path / "a.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50 * len(data)


@pytest.mark.parametrize("depths", [(16, 16), (3,)], ids=["grey and opacity of 16 bits", "3 bits"])
def test_read_image_says_of_a_sound_file_that_it_is_unsupported(depths: tuple[int, ...]) -> None:
    values = struct.pack("<2H", *depths, *(0,) * (2 - len(depths)))
    tags = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, len(depths), int.from_bytes(values, "little"))]
    tags += [(259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 134), (277, 3, 1, len(depths)), (279, 4, 1, 4)]
    tags += [(338, 3, 1, 2)] * (len(depths) - 1)
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    data = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    with pytest.raises(ImageReadError, match=r"does not know this kind of it \(unknown pixel mode\)\. Save"):
        read_image(io.BytesIO(data.ljust(134, b"\0") + bytes(4)))


def test_read_image_keeps_the_error_of_the_decoder_as_the_cause(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG")[:-1000])
    with pytest.raises(ImageReadError, match="truncated") as caught:
        read_image(tmp_path / "a.jpg")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
        ("a.png", b"this is a text\n"),
        ("a.jpg", os.urandom(1000).replace(b"\xff\xd8\xff", b"___")),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("a.pdf", b"%PDF-1.7\n"),
    ],
)
def test_read_image_refuses_files_that_are_no_raster_image(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(
        ImageReadError, match=rf"{name}': its first bytes are not .* Convert it to one of PNG, JPEG"
    ):
        read_image(tmp_path / name)


def test_read_image_refuses_a_missing_file() -> None:
    with pytest.raises(ImageReadError, match=r"'nowhere/a\.png': there is no such file\. Check the path"):
        read_image("nowhere/a.png")


def test_read_image_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="it is a folder"):
        read_image(tmp_path)


def test_read_image_refuses_a_name_that_no_file_can_have() -> None:
    with pytest.raises(ImageReadError, match="there is no such file"):
        read_image("a\0b.png")


def test_read_image_reports_a_file_that_must_not_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageReadError, match=r"a\.png': Permission denied\.$"):
        read_image(tmp_path / "a.png")


def test_read_image_refuses_an_empty_file_and_an_unwound_stream(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ImageReadError, match=r"it is empty\. Copy or download it again"):
        read_image(tmp_path / "a.png")
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "PNG")
    with pytest.raises(ImageReadError, match=r"the stream: it is empty. Call `seek\(0\)`"):
        read_image(stream)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0))
        + chunk(b"IEND", b""),
        b"P5 4 0 255\n",
        b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";",
    ],
)
def test_read_image_refuses_images_without_pixels(data: bytes) -> None:
    with pytest.raises(ImageReadError, match="Cannot read the stream"):
        read_image(io.BytesIO(data))


def test_read_image_refuses_a_tiff_that_pillow_does_not_know() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "TIFF")
    # Seven samples per pixel instead of three.
    entry, wrong = struct.pack("<HHIH", 277, 3, 1, 3), struct.pack("<HHIH", 277, 3, 1, 7)
    assert entry in stream.getvalue()
    with pytest.raises(ImageReadError, match="Cannot read the stream"):
        read_image(io.BytesIO(stream.getvalue().replace(entry, wrong)))


@pytest.mark.parametrize("side", [9_500, 13_500, 20_000])
def test_read_image_refuses_a_decompression_bomb_without_decoding_it(side: int) -> None:
    bomb = png_bomb(side)
    assert len(bomb) < 100_000
    with pytest.raises(
        ImageReadError, match=rf"{side} x {side} = {side**2} pixels, .*`max_pixels={side**2}`"
    ):
        read_image(io.BytesIO(bomb))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"])
def test_read_image_compares_the_header_with_max_pixels(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(format, size=20)
    assert read_image(io.BytesIO(data), max_pixels=400).shape == (1, 3, 20, 20)

    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    for base in (ImageFile.ImageFile, *ImageFile.ImageFile.__subclasses__()):
        monkeypatch.setattr(base, "load", decode)
    with pytest.raises(ImageReadError, match="20 x 20 = 400 pixels, more than 399"):
        read_image(io.BytesIO(data), max_pixels=399)


@pytest.mark.parametrize("limit", [300, 10, None])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "PPM", "TIFF"])
def test_read_image_neither_uses_nor_alters_the_limit_of_pillow(
    format: str, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pillow warns of 400 pixels for a limit of 300, refuses them for 10, and allows everything for None.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    data = encoded(format, size=20)
    assert read_image(io.BytesIO(data)).shape == (1, 3, 20, 20)
    with pytest.raises(ImageReadError):
        read_image(io.BytesIO(data), max_pixels=399)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_read_image_reports_the_bomb_error_of_a_decoder_as_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ImageReadError, match=r"a limit of Pillow for this format\. Save it as PNG") as caught:
        read_image(io.BytesIO(encoded("WEBP", size=20)))
    assert isinstance(caught.value.__cause__, Image.DecompressionBombError)


def test_read_image_refuses_a_gif_whose_first_frame_is_larger_than_its_screen() -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x44\x01\x00;"
    data = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + b"\xff\0\0" + b"\0\0\xff" + frame
    with pytest.raises(ImageReadError, match=r"3600000000 pixels.*a limit of Pillow"):
        read_image(io.BytesIO(data))


def test_read_image_lets_memory_errors_and_interrupts_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(kind: type[BaseException]) -> Callable[..., None]:
        def load(*_: object) -> None:
            raise kind

        return load

    data = encoded("BMP")
    for kind in (MemoryError, KeyboardInterrupt):
        monkeypatch.setattr(ImageFile.ImageFile, "load", failing(kind))
        with pytest.raises(kind):
            read_image(io.BytesIO(data))


def test_image_read_error_is_an_os_error_that_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ImageReadError("Cannot read it.")))
    assert isinstance(error, OSError)
    assert str(error) == "Cannot read it."


def test_read_image_reads_a_bomb_that_the_caller_trusts() -> None:
    image = read_image(io.BytesIO(png_bomb(200)), max_pixels=40_000)
    assert torch.equal(image, torch.zeros(1, 3, 200, 200))
