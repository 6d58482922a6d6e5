"""Colours of 16 bits per channel, of which Pillow keeps the upper 8.

Its decoders are told in which order the two bytes of a sample lie. So a second pass that is told the opposite
keeps the lower 8.
"""

import io
import sys

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile, PpmImagePlugin, TiffImagePlugin

from pystyle.images._color import profile_of, without_profile
from pystyle.images._errors import PixelRangeError
from pystyle.images._matrix_profile import matrix_space
from pystyle.images._spaces import FloatArray, to_srgb

_BITS_PER_SAMPLE = 258  # a tag of TIFF
_NATIVE = "L" if sys.byteorder == "little" else "B"
_OPPOSITE = {"L": "B", "B": "L", "N": "B" if _NATIVE == "L" else "L"}
_INTERLEAVED = ("RGB;16", "RGBA;16", "RGBX;16", "RGBa;16")


def deep_rgb_and_alpha(
    picture: ImageFile.ImageFile, file: io.BytesIO
) -> tuple[FloatArray, FloatArray | None] | None:
    """Returns RGB and the opacity in [0, 1] of a picture whose colours have 16 bits per channel.

    Args:
        picture: A picture that is not decoded yet; it is afterwards, if it has such colours.
        file: Its file.

    Returns:
        None if it has others, or Pillow cannot be asked for the lower bits (CMYK, compressed planes), or
        there is a profile that is more than curves and a matrix, which is applied to 8 bits.

    Shape:
        Output: ``(height, width, 3)`` and ``(height, width, 1)``.
    """
    profile = profile_of(picture)
    space = None if profile is None else matrix_space(profile)
    # WebP and HEIF have no tiles, and decode to 8 bits. Profiles of other kinds are applied to 8 bits.
    if not picture.tile or (profile is not None and space is None):
        return None
    _, _, offset, arguments = picture.tile[0]
    rawmode = _rawmode(arguments)
    if isinstance(picture, PpmImagePlugin.PpmImageFile):
        return _ppm(picture, file, offset, arguments)
    if rawmode == "LA;16B":
        # Four bytes, of which Pillow makes four channels as well.
        picture.tile = [tile._replace(args="RGBA") for tile in picture.tile]
        samples = np.ascontiguousarray(_loaded(picture)).view(">u2")[..., [0, 0, 0, 1]]
    elif rawmode[:-1] in _INTERLEAVED:
        samples = _in_two_passes(picture, file, order=rawmode[-1])
    elif isinstance(picture, TiffImagePlugin.TiffImageFile) and _has_planes(picture, rawmode):
        samples = _in_two_passes(picture, file, order="L" if picture.tag_v2.prefix == b"II" else "B")
    else:
        return None
    values = samples.astype(np.float32) / np.float32(65535)
    colors, alpha = values[..., :3], values[..., 3:]
    if rawmode.startswith("RGBa"):
        colors = np.minimum(colors / np.where(alpha > 0, alpha, 1), 1)
    colors = without_profile(colors, picture) if space is None else to_srgb(colors, space)
    return colors, alpha if samples.shape[2] == 4 else None


def _in_two_passes(picture: ImageFile.ImageFile, file: io.BytesIO, *, order: str) -> NDArray[np.uint16]:
    again = type(picture)(io.BytesIO(file.getvalue()))
    _unpack(picture, order)
    _unpack(again, _OPPOSITE[order])
    samples = _loaded(picture).astype(np.uint16) << np.uint16(8) | _loaded(again)
    transparent = again.info.get("transparency")
    if isinstance(transparent, tuple):  # A colour, as it is in the file.
        opaque = (samples != np.array(transparent, dtype=np.uint16)).any(2, keepdims=True)
        samples = np.concatenate((samples, opaque * np.uint16(65535)), 2)
    return samples


def _unpack(picture: ImageFile.ImageFile, order: str) -> None:
    """Have the first byte in this order of each sample unpacked, and opacity as it is in the file."""

    tiles = []
    for tile in picture.tile:
        rawmode = f"{_rawmode(tile.args).partition(';')[0].replace('a', 'A')};16{order}"
        others = tile.args[1:] if isinstance(tile.args, tuple) else ()
        tiles.append(tile._replace(args=(rawmode, *others) if others else rawmode))
    picture.tile = tiles


def _has_planes(picture: TiffImagePlugin.TiffImageFile, rawmode: str) -> bool:
    """Whether it has 16 bits, is not compressed, and has a plane for each channel.

    Raises:
        PixelRangeError: If one of them is opacity.
    """
    if rawmode != "R" or picture.tag_v2[_BITS_PER_SAMPLE][0] != 16:
        return False
    # Pillow would take each byte for a sample.
    if not all(_rawmode(tile.args) in ("R", "G", "B") for tile in picture.tile):
        raise PixelRangeError(
            "Its channels of 16 bits, among them opacity, lie in planes. Save it with interleaved channels."
        )
    return True


def _ppm(
    picture: ImageFile.ImageFile, file: io.BytesIO, offset: int, arguments: object
) -> tuple[FloatArray, None] | None:
    if picture.mode != "RGB" or not isinstance(arguments, tuple) or picture.tile[0].codec_name != "ppm":
        return None
    if arguments[1] < 256:
        return None
    width, height = picture.size
    samples = np.frombuffer(file.getvalue(), ">u2", 3 * width * height, offset).reshape(height, width, 3)
    return np.minimum(samples.astype(np.float32) / np.float32(arguments[1]), 1), None


def _loaded(picture: ImageFile.ImageFile) -> NDArray[np.uint8]:
    picture.load()
    return np.asarray(picture)


def _rawmode(arguments: object) -> str:
    """How a decoder unpacks samples, the first of its arguments."""
    return str(arguments[0]) if isinstance(arguments, tuple) and arguments else str(arguments)
