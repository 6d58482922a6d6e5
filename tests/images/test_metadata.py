"""What files say beside their pixels, read and written with Pillow alone."""

import io

import pytest
import torch
from PIL import ExifTags, Image, PngImagePlugin

from pystyle.images import ImageReadError, Metadata, read_metadata, write_image

FORMATS = ("png", "jpg", "webp", "avif", "tif")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" exif:PixelXDimension="40">'
    b"<exif:PixelYDimension>20</exif:PixelYDimension><dc:creator>Me</dc:creator></rdf:Description></x:xmpmeta>"
)
ORIENTATION, MAKE, COPYRIGHT = 0x0112, 271, 33432


def exif() -> Image.Exif:
    found = Image.Exif()
    found[ORIENTATION], found[MAKE], found[COPYRIGHT] = 6, "Maker", "Me"
    # The date, an exposure of 1/125 s, another colour space than sRGB, and the size.
    found[ExifTags.IFD.Exif] = {
        0x9003: "2020:01:02 03:04:05", 0x829A: 0.008, 0xA001: 65535, 0xA002: 40, 0xA003: 20
    }  # fmt: skip
    found[ExifTags.IFD.GPSInfo] = {1: "N", 2: (52.0, 30.0, 0.0)}
    return found


def photograph(format: str) -> io.BytesIO:
    options: dict[str, object] = {"exif": exif().tobytes(), "dpi": (300, 240)}
    if format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    elif format == "TIFF":
        tags = Image.Exif()
        tags.load(exif().tobytes())
        tags[700] = XMP
        options["exif"] = tags
    else:
        options["xmp"] = XMP
    stream = io.BytesIO()
    Image.new("RGB", (40, 20)).save(stream, format, **options)
    stream.seek(0)
    return stream


def written(metadata: Metadata, format: str, **options: object) -> Image.Image:
    stream = io.BytesIO()
    write_image(torch.rand(1, 3, 50, 30), stream, format=format, metadata=metadata, **options)
    stream.seek(0)
    return Image.open(stream)


@pytest.mark.parametrize("source", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize(("format", "bits"), [*((format, 8) for format in FORMATS), ("png", 16)])
def test_a_picture_has_the_metadata_of_its_photograph(source: str, format: str, bits: int) -> None:
    metadata = read_metadata(photograph(source))
    assert metadata.dpi == pytest.approx((300, 240), rel=1e-4)
    picture = written(metadata, format, bits=bits)
    found = picture.getexif()
    assert (found[MAKE], found[COPYRIGHT]) == ("Maker", "Me")
    # The picture is upright, in sRGB, and has another size.
    assert found.get(ORIENTATION, 1) == 1
    details = found.get_ifd(ExifTags.IFD.Exif)
    assert (details[0x9003], float(details[0x829A])) == ("2020:01:02 03:04:05", pytest.approx(0.008))
    assert (details[0xA001], details[0xA002], details[0xA003]) == (1, 30, 50)
    assert found.get_ifd(ExifTags.IFD.GPSInfo)[2] == (52.0, 30.0, 0.0)
    xmp = picture.info["xmp"]
    assert b"<dc:creator>Me</dc:creator>" in xmp
    assert b'tiff:Orientation="1"' in xmp
    assert b'exif:PixelXDimension="30"' in xmp
    assert b"<exif:PixelYDimension>50</exif:PixelYDimension>" in xmp
    dpi = picture.info.get("dpi") or (found[282], found[283])
    assert tuple(map(float, dpi)) == pytest.approx((300, 240), rel=1e-4)
    assert picture.size == (30, 50)


@pytest.mark.parametrize("format", FORMATS)
def test_without_metadata_nothing_is_written_as_before(format: str) -> None:
    for metadata in (None, Metadata()):
        picture = written(metadata, format)
        assert not picture.info.get("exif")
        assert "xmp" not in picture.info


@pytest.mark.parametrize("format", ["bmp", "ppm", "jp2"])
def test_formats_without_a_place_for_metadata_are_refused(format: str) -> None:
    with pytest.raises(ValueError, match="`metadata` can be held by PNG, JPEG, WEBP, AVIF, TIFF files, got"):
        written(Metadata(), format)


def test_metadata_that_are_too_long_for_jpeg_are_refused() -> None:
    metadata = Metadata(xmp=b"x" * 70_000)
    with pytest.raises(ValueError, match="must have at most 65000 bytes of EXIF and of XMP, got 70000"):
        written(metadata, "jpg")
    assert written(metadata, "png").info["xmp"] == b"x" * 70_000


def test_a_thumbnail_of_the_photograph_is_left_out() -> None:
    xmp = b"<a><xmp:Thumbnails>\nbytes</xmp:Thumbnails></a>"
    assert written(Metadata(xmp=xmp), "png").info["xmp"] == b"<a></a>"


def test_damaged_metadata_are_left_out() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4, 2)).save(stream, "PNG", exif=b"Exif\0\0damaged", dpi=(300, 300))
    stream.seek(0)
    assert read_metadata(stream).exif is None


def test_what_is_no_image_has_no_metadata(tmp_path) -> None:
    with pytest.raises(ImageReadError, match="there is no such file"):
        read_metadata(tmp_path / "missing.jpg")
    with pytest.raises(ImageReadError, match="first bytes"):
        read_metadata(io.BytesIO(b"no picture"))
