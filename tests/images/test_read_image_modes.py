"""Every pixel format becomes RGB in [0, 1]."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from pystyle.images import ImageReadError, read_image


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, depth: int, colour_type: int, row: bytes, transparent: bytes | None = None) -> io.BytesIO:
    """A PNG of one row, written by hand."""
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, colour_type, 0, 0, 0))
        + (b"" if transparent is None else chunk(b"tRNS", transparent))
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


def tiff(width: int, depth: int, photometric: int, row: bytes) -> io.BytesIO:
    """A grey TIFF of one row, written by hand."""
    tags = [(256, width), (257, 1), (258, depth), (259, 1), (262, photometric), (273, 122)]
    tags += [(277, 1), (278, 1), (279, len(row))]
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in tags
    )
    return io.BytesIO(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + row)


def row_of(image: torch.Tensor) -> np.ndarray:
    """The first row, (width, 3)."""
    return image[0, :, 0].T.numpy()


# Grey of more than 8 bits


def test_read_image_scales_sixteen_bit_grey_by_65535(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None]
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    image = read_image(tmp_path / "ramp.png")
    np.testing.assert_allclose(row_of(image), np.repeat(ramp.T / 65535, 3, axis=1), rtol=1e-6)
    assert image.mean().item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_read_image_reads_sixteen_bit_tiff_of_both_byte_orders(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0, 258, 65535]], dtype=dtype)
    picture = Image.frombytes("I;16" if dtype == "<u2" else "I;16B", (3, 1), values.tobytes())
    picture.save(tmp_path / "a.tif")
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.tif"))[:, 0], [0, 258 / 65535, 1], rtol=1e-6)


def test_read_image_inverts_sixteen_bit_tiff_in_which_zero_is_white() -> None:
    stream = tiff(3, 16, 0, struct.pack("<3H", 0, 13107, 65535))
    np.testing.assert_allclose(row_of(read_image(stream))[:, 1], [1, 0.8, 0], atol=1e-6)


def test_read_image_scales_twelve_bit_tiff_by_4095() -> None:
    stream = tiff(2, 12, 1, b"\xff\xf8\x00")  # 4095 and 2048
    np.testing.assert_allclose(row_of(read_image(stream))[:, 1], [1, 2048 / 4095], rtol=1e-6)


def test_read_image_takes_integers_for_sixteen_bit_grey(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 65535\n" + struct.pack(">3H", 0, 13107, 65535))
    with Image.open(tmp_path / "a.pgm") as picture:
        assert picture.mode == "I"
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.pgm"))[:, 2], [0, 0.2, 1], rtol=1e-6)


@pytest.mark.parametrize("value", [70000, -1])
def test_read_image_refuses_integers_beyond_sixteen_bits(tmp_path: Path, value: int) -> None:
    Image.fromarray(np.array([[0, value]], dtype=np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(
        ImageReadError, match=rf"a\.tif': Pixels of mode I must lie between 0 and 65535, got .*{value}"
    ):
        read_image(tmp_path / "a.tif")


def test_read_image_reads_floats_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 0.25, 1]], dtype=np.float32)).save(tmp_path / "a.tif")
    assert row_of(read_image(tmp_path / "a.tif")).tolist() == [[0] * 3, [0.25] * 3, [1] * 3]


@pytest.mark.parametrize("value", [1.001, -0.5, float("nan"), float("inf")])
def test_read_image_refuses_floats_outside_zero_to_one(tmp_path: Path, value: float) -> None:
    Image.fromarray(np.array([[0.5, value]], dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageReadError, match=r"Pixels of mode F must lie between 0 and 1, got .* Scale them"):
        read_image(tmp_path / "a.tif")


# Grey, palettes, bits


def test_read_image_repeats_grey_over_the_channels(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 51, 255]], dtype=np.uint8)).save(tmp_path / "a.png")
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png")), [[0] * 3, [0.2] * 3, [1] * 3])


def test_read_image_reads_one_bit_as_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[False, True, True]])).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "1"
    assert row_of(read_image(tmp_path / "a.png")).tolist() == [[0] * 3, [1] * 3, [1] * 3]


def test_read_image_looks_colours_up_in_the_palette(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 51, 255])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png")
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png")), [[1, 0, 0], [0, 0.2, 1]])


# Transparency. The background is (0, 1, 0.2).

BACKGROUND = (0.0, 1.0, 0.2)


def test_read_image_hides_the_colour_under_transparent_pixels(tmp_path: Path) -> None:
    Image.new("RGBA", (1, 1), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert row_of(read_image(tmp_path / "a.png")).tolist() == [[1, 1, 1]]
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png", background=BACKGROUND)), [BACKGROUND])


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_read_image_blends_by_the_opacity(tmp_path: Path, name: str) -> None:
    Image.new("RGBA", (1, 1), (255, 0, 102, 51)).save(tmp_path / name, lossless=True)
    # 0.2 * (1, 0, 0.4) + 0.8 * (0, 1, 0.2)
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / name, background=BACKGROUND)), [[0.2, 0.8, 0.24]], atol=1e-6
    )


def test_read_image_blends_grey_with_opacity(tmp_path: Path) -> None:
    Image.new("LA", (1, 1), (255, 51)).save(tmp_path / "a.png")
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / "a.png", background=BACKGROUND)), [[0.2, 1.0, 0.36]], atol=1e-6
    )


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_read_image_blends_transparent_palette_entries(tmp_path: Path, transparency: int | bytes) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png", transparency=transparency)
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / "a.png", background=BACKGROUND)), [[1, 0, 0], BACKGROUND]
    )


def test_read_image_blends_partly_transparent_palette_entries(tmp_path: Path) -> None:
    picture = Image.new("P", (1, 1))
    picture.putpalette([255, 0, 102])
    picture.save(tmp_path / "a.png", transparency=bytes([51]))
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / "a.png", background=BACKGROUND)), [[0.2, 0.8, 0.24]], atol=1e-6
    )


def test_read_image_blends_the_transparent_colour_of_a_gif(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.gif", transparency=1)
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / "a.gif", background=BACKGROUND)), [[1, 0, 0], BACKGROUND]
    )


# Depth, colour type, a row of two pixels, and the tRNS chunk that makes the second one transparent.
@pytest.mark.parametrize(
    ("depth", "colour_type", "row", "transparent"),
    [
        (1, 0, b"\x80", struct.pack(">H", 0)),
        (2, 0, b"\xd0", struct.pack(">H", 1)),
        (4, 0, b"\xf7", struct.pack(">H", 7)),
        (8, 0, b"\xff\x10", struct.pack(">H", 0x10)),
        (16, 0, b"\xff\xff\x12\x34", struct.pack(">H", 0x1234)),
        (8, 2, b"\xff\xff\xff\x01\x02\x03", struct.pack(">3H", 1, 2, 3)),
        (16, 2, b"\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04\x05\x06", b"\x01\x02\x03\x04\x05\x06"),
    ],
)
def test_read_image_blends_the_transparent_colour_of_a_png(
    depth: int, colour_type: int, row: bytes, transparent: bytes
) -> None:
    image = read_image(png(2, depth, colour_type, row, transparent), background=BACKGROUND)
    np.testing.assert_allclose(row_of(image), [[1, 1, 1], BACKGROUND])


# Colour spaces


def profile(header_space: bytes, kind: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2, written by hand."""
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    white = b"XYZ " + bytes(4) + illuminant
    table, data = b"", b""
    for name, value in {b"wtpt": white, **tags}.items():
        offset = 128 + 4 + 12 * (len(tags) + 1) + len(data)
        table += name + struct.pack(">II", offset, len(value))
        data += value + bytes(-len(value) % 4)
    size = 132 + len(table) + len(data)
    header = struct.pack(">I", size) + bytes(4) + b"\x02\x40\0\0" + kind + header_space + connection
    header += bytes(12) + b"acsp" + bytes(28) + illuminant + bytes(48)
    return header + struct.pack(">I", len(tags) + 1) + table + data


def linear_grey_profile() -> bytes:
    return profile(b"GRAY", b"mntr", b"XYZ ", {b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0)})


def cmyk_profile() -> bytes:
    """White without ink, L* = 50 where there is cyan, black where there is any other ink."""
    ramp = bytes(range(256))
    colours = bytearray(b"\x00\x80\x80" * 16)
    colours[0:3], colours[24:27] = b"\xff\x80\x80", b"\x80\x80\x80"
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + bytes(colours) + ramp * 3
    return profile(b"CMYK", b"prtr", b"Lab ", {b"A2B0": table})


def exchanged_profile() -> bytes:
    """sRGB with red and green exchanged."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_read_image_converts_an_rgb_profile_to_srgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (1, 1), (255, 0, 0)).convert(mode).save(
        tmp_path / "a.png", icc_profile=exchanged_profile()
    )
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png")), [[0, 1, 0]], atol=1 / 255)


def test_read_image_converts_the_colour_before_it_blends(tmp_path: Path) -> None:
    Image.new("RGBA", (1, 1), (255, 0, 0, 51)).save(tmp_path / "a.png", icc_profile=exchanged_profile())
    image = read_image(tmp_path / "a.png", background=(1, 0, 0))
    np.testing.assert_allclose(row_of(image), [[0.8, 0.2, 0]], atol=1 / 255)


def test_read_image_leaves_the_pixels_of_an_srgb_profile_as_they_are(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=srgb)
    read = read_image(tmp_path / "a.png")[0].permute(1, 2, 0).mul(255).round().numpy()
    np.testing.assert_allclose(read, pixels, atol=1)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_read_image_converts_a_grey_profile_to_srgb(tmp_path: Path, mode: str) -> None:
    colour = 128 if mode == "L" else (128, 255)
    Image.new(mode, (1, 1), colour).save(tmp_path / "a.png", icc_profile=linear_grey_profile())
    # 1.055 * (128 / 255) ** (1 / 2.4) - 0.055
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png")), [[0.7366] * 3], atol=1 / 255)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_read_image_converts_a_cmyk_profile_to_srgb(tmp_path: Path, name: str) -> None:
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / name, icc_profile=cmyk_profile())
    # L* = 50 is grey 119 of sRGB; without the profile this is cyan.
    np.testing.assert_allclose(row_of(read_image(tmp_path / name))[0] * 255, [119] * 3, atol=3)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_read_image_converts_cmyk_without_a_profile(tmp_path: Path, name: str) -> None:
    Image.new("CMYK", (8, 8), (255, 0, 0, 51)).save(tmp_path / name, quality=100)
    np.testing.assert_allclose(row_of(read_image(tmp_path / name))[0], [0, 0.8, 0.8], atol=2 / 255)


def test_read_image_converts_lab(tmp_path: Path) -> None:
    picture = Image.new("LAB", (3, 1))
    # White, black, and the red of sRGB: L* 54.3, a* 80.8, b* 69.9 under D50. One step of
    # the 8-bit L*, a* and b* moves a channel by about 3 levels.
    for column, colour in enumerate([(255, 128, 128), (0, 128, 128), (138, 209, 198)]):
        picture.putpixel((column, 0), colour)
    picture.save(tmp_path / "a.tif")
    np.testing.assert_allclose(
        row_of(read_image(tmp_path / "a.tif")), [[1, 1, 1], [0, 0, 0], [1, 0, 0]], atol=8 / 255
    )


@pytest.mark.parametrize(
    "icc_profile", [b"junk", exchanged_profile()[:200], linear_grey_profile(), cmyk_profile()]
)
def test_read_image_ignores_a_profile_that_is_damaged_or_for_other_channels(
    tmp_path: Path, icc_profile: bytes
) -> None:
    Image.new("RGB", (1, 1), (255, 51, 0)).save(tmp_path / "a.png", icc_profile=icc_profile)
    np.testing.assert_allclose(row_of(read_image(tmp_path / "a.png")), [[1, 0.2, 0]], rtol=1e-6)


def test_transparency_that_a_file_tells_after_its_pixels_counts(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    image.save(tmp_path / "usual.png", transparency=b"\0\xff")
    data, start, chunks = (tmp_path / "usual.png").read_bytes(), 8, []
    while start < len(data):
        length = 12 + int.from_bytes(data[start : start + 4], "big")
        chunks.append(data[start : start + length])
        start += length
    late = sorted(chunks[:-1], key=lambda chunk: chunk[4:8] == b"tRNS")
    (tmp_path / "late.png").write_bytes(data[:8] + b"".join([*late, chunks[-1]]))
    expected = read_image(tmp_path / "usual.png")
    assert expected.flatten().tolist() == [1, 0, 1, 0, 1, 1]
    assert torch.equal(read_image(tmp_path / "late.png"), expected)
