"""Colours that a file names without a profile become sRGB."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from pystyle.images import ImageReadError, from_pil, read_image

LINEAR = struct.pack(">I", 100_000)
SRGB_GAMMA = struct.pack(">I", 45_455)
SRGB_PRIMARIES = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
P3_PRIMARIES = struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)
P3, LINEAR_LIGHT, SRGB_CURVE, PQ, HLG = 12, 8, 13, 16, 18


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(colours: list[tuple[int, ...]], chunks: dict[bytes, bytes], depth: int = 8) -> io.BytesIO:
    """A PNG of one row with these chunks, written by hand."""
    pixels = np.array(colours, dtype=f">u{depth // 8}")
    colour_type = {1: 0, 3: 2, 4: 6}[pixels.shape[1]]
    header = struct.pack(">IIBBBBB", len(colours), 1, depth, colour_type, 0, 0, 0)
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunk(name, data) for name, data in chunks.items())
        + chunk(b"IDAT", zlib.compress(b"\0" + pixels.tobytes()))
        + chunk(b"IEND", b"")
    )


def levels(file: io.BytesIO) -> np.ndarray:
    """The row in 8 bits, (width, 3)."""
    return read_image(file)[0, :, 0].T.double().numpy() * 255


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> dict[bytes, bytes]:
    return {b"cICP": bytes([primaries, transfer, matrix, full])}


GREY = [(128, 128, 128)]


@pytest.mark.parametrize("chunks", [{b"gAMA": LINEAR}, cicp(1, LINEAR_LIGHT)], ids=["gAMA", "cICP"])
@pytest.mark.parametrize("colours", [GREY, [(128,)], [(128, 128, 128, 255)]], ids=["RGB", "grey", "RGBA"])
def test_linear_128_is_188(chunks: dict[bytes, bytes], colours: list[tuple[int, ...]]) -> None:
    np.testing.assert_allclose(levels(png(colours, chunks)), [[187.8] * 3], atol=0.1)


@pytest.mark.parametrize("colours", [[(128 * 257,) * 3], [(128 * 257,)]], ids=["RGB", "grey"])
def test_sixteen_bits_are_converted_too(colours: list[tuple[int, ...]]) -> None:
    np.testing.assert_allclose(levels(png(colours, {b"gAMA": LINEAR}, depth=16)), [[187.8] * 3], atol=0.1)


def test_palettes_and_pillow_images_are_converted_too() -> None:
    picture = Image.new("P", (1, 1))
    picture.putpalette([128, 128, 128])
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    data = stream.getvalue()
    data = data[:33] + chunk(b"gAMA", LINEAR) + data[33:]
    np.testing.assert_allclose(levels(io.BytesIO(data)), [[187.8] * 3], atol=0.1)
    with Image.open(io.BytesIO(data)) as opened:
        assert torch.equal(from_pil(opened), read_image(io.BytesIO(data)))


UNCHANGED = {
    "nothing": {},
    "the gamma of sRGB": {b"gAMA": SRGB_GAMMA},
    "gamma and primaries of sRGB": {b"gAMA": SRGB_GAMMA, b"cHRM": SRGB_PRIMARIES},
    "sRGB counts for more": {b"sRGB": b"\0", b"gAMA": LINEAR, b"cHRM": P3_PRIMARIES},
    "cICP of sRGB counts for more": {**cicp(1, SRGB_CURVE), b"gAMA": LINEAR},
    "television": cicp(1, 1),
    "unspecified": cicp(2, 2),
    "a gamma of 0": {b"gAMA": bytes(4)},
    "primaries that are none": {b"cHRM": bytes(32)},
    "cICP with a matrix is none": cicp(12, LINEAR_LIGHT, matrix=1),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_is_srgb_or_says_nothing_is_left_alone(name: str) -> None:
    colours = [(128, 64, 32), (255, 0, 7)]
    np.testing.assert_allclose(levels(png(colours, UNCHANGED[name])), colours, atol=1e-4)


def test_other_gammas_are_powers() -> None:
    # A file of an old Macintosh: light is the 1.8th power.
    light = (128 / 255) ** 1.8
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(
        levels(png(GREY, {b"gAMA": struct.pack(">I", 55_556)})), [[expected] * 3], atol=0.01
    )


@pytest.mark.parametrize(
    "chunks", [{b"cHRM": P3_PRIMARIES}, cicp(P3, SRGB_CURVE), {b"gAMA": SRGB_GAMMA, b"cHRM": P3_PRIMARIES}]
)
def test_primaries_are_converted(chunks: dict[bytes, bytes]) -> None:
    # Display P3 (0.5, 0.4, 0.3) in sRGB, worked out with the published matrices to and from XYZ.
    to_xyz = [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0, 0.0451134, 1.0439444]]
    from_xyz = [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560]]
    from_xyz.append([0.0556434, -0.2040259, 1.0572252])
    values = np.array([0.5, 0.4, 0.3])
    light = np.array(from_xyz) @ np.array(to_xyz) @ ((values + 0.055) / 1.055) ** 2.4
    expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    colour = tuple(int(value) for value in np.round(values * 65535))
    np.testing.assert_allclose(levels(png([colour], chunks, depth=16)), [expected], atol=0.05)
    white_and_grey = [(255, 255, 255), (51, 51, 51)]
    np.testing.assert_allclose(levels(png(white_and_grey, chunks)), white_and_grey, atol=0.1)
    # The red of P3 is more than sRGB can show.
    np.testing.assert_allclose(levels(png([(255, 0, 0)], chunks)), [[255, 0, 0]], atol=0.1)


def test_opacity_is_no_colour() -> None:
    image = read_image(png([(255, 255, 255, 128)], {b"gAMA": LINEAR}), background=(0, 0, 0))
    np.testing.assert_allclose(image.flatten() * 255, [128] * 3, atol=0.01)


def test_the_narrow_range_is_widened() -> None:
    values = levels(png([(16, 126, 235)], cicp(1, SRGB_CURVE, full=0)))
    np.testing.assert_allclose(values, [[0, 255 * 110 / 219, 255]], atol=0.01)


def test_a_profile_counts_for_more_than_gamma_and_cicp_for_more_than_a_profile() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = {b"iCCP": b"sRGB\0\0" + zlib.compress(srgb)}
    np.testing.assert_allclose(levels(png(GREY, {**profile, b"gAMA": LINEAR})), GREY, atol=1)
    np.testing.assert_allclose(
        levels(png(GREY, {**profile, **cicp(1, LINEAR_LIGHT)})), [[187.8] * 3], atol=0.1
    )
    # Of 16 bits, too.
    deep = [(128 * 257,) * 3]
    np.testing.assert_allclose(levels(png(deep, {**profile, b"gAMA": LINEAR}, depth=16)), GREY, atol=1)
    damaged = {b"iCCP": b"sRGB\0\0" + zlib.compress(b"junk"), b"gAMA": LINEAR}
    np.testing.assert_allclose(levels(png(GREY, damaged)), [[187.8] * 3], atol=0.1)


@pytest.mark.parametrize(("transfer", "name"), [(PQ, "PQ"), (HLG, "HLG"), (9, "number 9 of H.273")])
def test_other_transfer_functions_are_warned_of(transfer: int, name: str) -> None:
    with pytest.warns(UserWarning, match=f"transfer function {name}, which is not known here: it is read as"):
        np.testing.assert_allclose(levels(png(GREY, cicp(1, transfer))), GREY, atol=1e-4)


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_names_the_file() -> None:
    with pytest.raises(ImageReadError, match="Cannot read the stream: An image has the transfer function PQ"):
        read_image(png(GREY, cicp(9, PQ)))


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    place = data.index(b"colrnclx") + 8
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def test_nclx_of_avif_and_heif_is_known() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    grey, files = Image.new("RGB", (32, 32), (128, 128, 128)), []
    for save in (lambda stream: grey.save(stream, "AVIF"), pillow_heif.from_pillow(grey).save):
        stream = io.BytesIO()
        save(stream)
        files.append(stream.getvalue())
    for data in files:
        plain = read_image(io.BytesIO(data)).mean() * 255
        assert float(plain) == pytest.approx(128, abs=1.5)
        linear = read_image(io.BytesIO(with_nclx(data, 1, LINEAR_LIGHT))).mean() * 255
        assert float(linear) == pytest.approx(188, abs=1.5)
        with pytest.warns(UserWarning, match="transfer function PQ"):
            read_image(io.BytesIO(with_nclx(data, 9, PQ)))


def display_p3(curve: bytes) -> bytes:
    """A profile of curves and the matrix of Display P3 (adapted to D50), written by hand."""
    columns = {
        b"rXYZ": (0.515102, 0.241182, -0.001049),
        b"gXYZ": (0.291965, 0.692236, 0.041882),
        b"bXYZ": (0.157153, 0.066582, 0.784378),
        b"wtpt": (0.964203, 1.0, 0.824905),
    }
    tags = {
        name: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in values))
        for name, values in columns.items()
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data = b"", b""
    for name, value in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    white = struct.pack(">3i", 63190, 65536, 54061)
    header = struct.pack(">I", 132 + len(table) + len(data)) + bytes(4) + b"\x02\x40\0\0mntrRGB XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + white + bytes(48)
    return header + struct.pack(">I", len(tags)) + table + data


# IEC 61966-2-1 as a parametric curve of the fourth kind, a power, and a table of squares.
NUMBERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES = {
    "parametric": b"para"
    + bytes(4)
    + struct.pack(">HH5i", 3, 0, *(round(65536 * number) for number in NUMBERS)),
    "a power": b"curv" + bytes(4) + struct.pack(">IH", 1, 563) + bytes(2),
    "a parametric power": b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(65536 * 1.8)),
    "a table": b"curv"
    + bytes(4)
    + struct.pack(">I", 256)
    + struct.pack(">256H", *(round(65535 * (index / 255) ** 2) for index in range(256))),
    "linear": b"curv" + bytes(4) + struct.pack(">I", 0),
}


@pytest.mark.parametrize("name", CURVES)
def test_profiles_of_sixteen_bits_agree_with_little_cms_and_keep_the_lower_bits(name: str) -> None:
    chunks = {b"iCCP": b"P3\0\0" + zlib.compress(display_p3(CURVES[name]))}
    colours = np.random.default_rng(0).integers(70, 190, (200, 3))
    eight = levels(png([tuple(colour) for colour in colours.tolist()], chunks))
    sixteen = levels(png([tuple(colour) for colour in (257 * colours).tolist()], chunks, depth=16))
    # That is Little CMS, to whole levels.
    np.testing.assert_allclose(sixteen, eight, atol=1.01)
    near = levels(png([(30_000, 30_000, 30_000), (30_010, 30_010, 30_010)], chunks, depth=16))
    assert (near[1] > near[0]).all()
    assert (near[1] - near[0] < 0.2).all()


def test_an_srgb_profile_leaves_sixteen_bits_as_they_are() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours = [(12_345, 40_000, 65_535), (1, 257, 30_000)]
    values = levels(png(colours, {b"iCCP": b"sRGB\0\0" + zlib.compress(srgb)}, depth=16))
    np.testing.assert_allclose(values * 257, colours, atol=12)
