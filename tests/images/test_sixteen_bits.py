"""Colours of 16 bits per channel are read with all of them."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch

from pystyle.images import ImageReadError, read_image, write_image

PIXELS = np.random.default_rng(0).integers(0, 65536, (11, 13, 4), dtype=np.uint16)
RGB, ALPHA = PIXELS[..., :3], PIXELS[..., 3:]
GREY = PIXELS[..., :1]

# Where the passes of an interlaced PNG begin, and how far their pixels lie apart: rows and columns.
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels: np.ndarray, *, interlaced: bool = False, transparent: bytes = b"") -> io.BytesIO:
    """A PNG written by hand, after the specification."""
    height, width, channels = pixels.shape
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b""
    for top, left, down, right in passes:
        part = pixels[top::down, left::right]
        rows += b"".join(b"\0" + row.astype(">u2").tobytes() for row in part if row.size)
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, interlaced)
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tRNS", transparent) if transparent else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff(
    pixels: np.ndarray,
    order: str,
    *,
    compressed: bool = False,
    planes: bool = False,
    extra: int | None = None,
) -> io.BytesIO:
    """A TIFF written by hand, after the specification; `extra` says what the last channel is."""
    height, width, channels = pixels.shape
    stored = pixels.transpose(2, 0, 1) if planes else pixels[None]
    parts = [part.astype(f"{order}u2").tobytes() for part in stored]
    parts = [zlib.compress(part) for part in parts] if compressed else parts
    mark = b"II*\0" if order == "<" else b"MM\0*"
    offsets = [8 + sum(map(len, parts[:index])) for index in range(len(parts))]
    after = 8 + sum(map(len, parts))
    lists = [[16] * channels, offsets, [len(part) for part in parts]]
    bits = struct.pack(f"{order}{channels}H", *lists[0])
    tables = [struct.pack(f"{order}{len(values)}I", *values) for values in lists[1:]]
    places = [after, after + len(bits), after + len(bits) + len(tables[0])]
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, places[0])]
    tags += [(259, 3, 1, 8 if compressed else 1), (262, 3, 1, 2)]
    tags += [(273, 4, len(parts), places[1] if planes else offsets[0]), (277, 3, 1, channels)]
    tags += [(278, 4, 1, height), (279, 4, len(parts), places[2] if planes else len(parts[0]))]
    tags += [(284, 3, 1, 2 if planes else 1)] + ([] if extra is None else [(338, 3, 1, extra)])
    directory = struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        short = kind == 3 and count == 1
        directory += struct.pack(f"{order}HHI", tag, kind, count)
        directory += struct.pack(f"{order}H", value) + b"\0\0" if short else struct.pack(f"{order}I", value)
    start = places[2] + len(tables[1])
    return io.BytesIO(
        mark
        + struct.pack(f"{order}I", start)
        + b"".join(parts)
        + bits
        + b"".join(tables)
        + directory
        + bytes(4)
    )


def read(file: io.BytesIO, background: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """The levels of 16 bits, (height, width, 3)."""
    return read_image(file, background=background)[0].permute(1, 2, 0).double().numpy() * 65535


def on_grey(colours: np.ndarray) -> np.ndarray:
    """The pixels on a background of a quarter, worked out in double precision."""
    opacity = ALPHA / 65535
    return colours * opacity + 65535 * 0.25 * (1 - opacity)


@pytest.mark.parametrize("size", [(20, 30), (8, 1), (1, 8), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_with_sixteen_bits_is_read_with_sixteen_bits(
    channels: int, size: tuple[int, int]
) -> None:
    image = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0))
    stream = io.BytesIO()
    write_image(image, stream, bits=16)
    stream.seek(0)
    # Half a level, and the rounding of float32.
    torch.testing.assert_close(read_image(stream), image.expand(1, 3, *size), rtol=0, atol=0.51 / 65535)


@pytest.mark.parametrize("interlaced", [False, True])
def test_png_keeps_both_bytes(interlaced: bool) -> None:
    def file(pixels: np.ndarray) -> io.BytesIO:
        return png(pixels, interlaced=interlaced)

    grey = (0.25, 0.25, 0.25)
    np.testing.assert_allclose(read(file(RGB)), RGB, atol=0.01)
    np.testing.assert_allclose(read(file(GREY)), GREY.repeat(3, 2), atol=0.01)
    np.testing.assert_allclose(read(file(PIXELS), grey), on_grey(RGB), atol=0.02)
    both = np.concatenate((GREY, ALPHA), 2)
    np.testing.assert_allclose(read(file(both), grey), on_grey(GREY.repeat(3, 2)), atol=0.02)


def test_only_the_very_colour_of_a_png_is_transparent() -> None:
    pixels = np.array([[[1, 2, 3], [1, 2, 4], [257, 2, 3]]], dtype=np.uint16)
    values = read(png(pixels, transparent=struct.pack(">3H", 1, 2, 3)), (0, 1, 0))
    np.testing.assert_allclose(values, [[[0, 65535, 0], [1, 2, 4], [257, 2, 3]]], atol=0.01)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
def test_tiff_keeps_both_bytes(order: str, compressed: bool) -> None:
    np.testing.assert_allclose(read(tiff(RGB, order, compressed=compressed)), RGB, atol=0.01)
    straight = tiff(PIXELS, order, compressed=compressed, extra=2)
    np.testing.assert_allclose(read(straight, (0.25, 0.25, 0.25)), on_grey(RGB), atol=0.02)
    unspecified = tiff(PIXELS, order, compressed=compressed, extra=0)
    np.testing.assert_allclose(read(unspecified), RGB, atol=0.01)
    premultiplied = np.concatenate((np.round(RGB * (ALPHA / 65535)).astype(np.uint16), ALPHA), 2)
    multiplied = tiff(premultiplied, order, compressed=compressed, extra=1)
    # Their product with the opacity was rounded.
    np.testing.assert_allclose(read(multiplied, (0.25, 0.25, 0.25)), on_grey(RGB), atol=0.52)


@pytest.mark.parametrize("order", ["<", ">"])
def test_planes_of_a_tiff_are_put_together(order: str) -> None:
    np.testing.assert_allclose(read(tiff(RGB, order, planes=True)), RGB, atol=0.01)
    # Compressed, the upper 8 bits count.
    upper = read(tiff(RGB, order, planes=True, compressed=True))
    np.testing.assert_allclose(upper, (RGB >> 8) * 257.0, atol=0.01)
    with pytest.raises(ImageReadError, match=r"lie in planes\. Save it with interleaved channels\."):
        read(tiff(PIXELS, order, planes=True, extra=2))


@pytest.mark.parametrize("most", [65535, 1023])
def test_ppm_keeps_both_bytes(most: int) -> None:
    pixels = RGB // (65536 // (most + 1))
    file = io.BytesIO(b"P6\n# a comment\n13 11\n%d\n" % most + pixels.astype(">u2").tobytes())
    np.testing.assert_allclose(read(file), pixels * (65535 / most), atol=0.01)


@pytest.mark.parametrize("file", [png(RGB), tiff(RGB, "<", compressed=True)], ids=["png", "tiff"])
def test_files_of_sixteen_bits_that_are_cut_off_are_refused(file: io.BytesIO) -> None:
    data = file.getvalue()
    with pytest.raises(ImageReadError, match="Cannot read the stream"):
        read_image(io.BytesIO(data[: len(data) // 2]))


def test_sixteen_bits_are_kept_when_the_image_is_made_smaller() -> None:
    flat = np.full((8, 8, 3), 12_345, dtype=np.uint16)
    image = read_image(png(flat), edge_size=3)
    assert image.shape == (1, 3, 3, 3)
    torch.testing.assert_close(image, torch.full_like(image, 12_345 / 65535), rtol=0, atol=1e-6)
