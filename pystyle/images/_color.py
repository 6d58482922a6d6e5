"""From the many pixel formats of files to sRGB and an opacity."""

import io

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

from pystyle.images._errors import PixelRangeError
from pystyle.images._spaces import CICP, FloatArray, space_of, to_srgb

_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # tags of TIFF

_SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N")

# The mode that pixels must have for a profile of this colour space, by mode of the image. Any other
# pairing, such as a CMYK profile on an RGB image, is a mistake of whoever wrote the file.
_PROFILE_MODES = {
    ("RGB", "RGB "): "RGB",
    ("L", "RGB "): "RGB",
    ("L", "GRAY"): "L",
    ("CMYK", "CMYK"): "CMYK",
    ("LAB", "Lab "): "LAB",
}


def rgb_and_alpha(image: Image.Image) -> tuple[FloatArray, FloatArray | None]:
    """Returns RGB in [0, 1], and the opacity in [0, 1] if anything can be transparent.

    Shape:
        Output: ``(height, width, 3)`` and ``(height, width, 1)``.
    """
    # What a file says after its pixels, such as which colour is transparent, is known once they are read.
    image.load()
    profile = profile_of(image)
    if image.mode in _SIXTEEN_BIT_MODES or image.mode in ("I", "F"):
        grey, alpha = _deep_grey(image)
        return (without_profile(grey, image) if profile is None else grey), alpha
    opaque, alpha = _without_alpha(image)
    converted = _by_profile(opaque, profile)
    pixels = np.asarray(converted or opaque.convert("RGB"), dtype=np.float32) / np.float32(255)
    return (without_profile(pixels, image) if converted is None else pixels), alpha


def profile_of(image: Image.Image) -> bytes | None:
    """The profile that counts: in PNG the numbers of `cICP` count for more."""
    profile = None if CICP in image.info else image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile else None


def without_profile(colors: FloatArray, image: Image.Image) -> FloatArray:
    """The colours as sRGB, by what else the file says of them."""
    space = space_of(image.info)
    return colors if space is None else to_srgb(colors, space)


def _deep_grey(image: Image.Image) -> tuple[FloatArray, FloatArray | None]:
    values = np.asarray(image)
    white, is_negative = (1, False) if image.mode == "F" else _sixteen_bit_scale(image)
    lowest, highest = values.min(), values.max()
    # Written so that NaN, which compares as false, is refused.
    if not (lowest >= 0 and highest <= white):
        raise PixelRangeError(
            f"Pixels of mode {image.mode} must lie between 0 and {white}, got {lowest} to {highest}. "
            "Scale them to that range first."
        )
    grey = (values.astype(np.float32) / np.float32(white))[..., None]
    if is_negative:
        grey = 1 - grey
    transparent = image.info.get("transparency")
    alpha = (values != transparent).astype(np.float32)[..., None] if isinstance(transparent, int) else None
    return np.repeat(grey, 3, axis=2), alpha


def _sixteen_bit_scale(image: Image.Image) -> tuple[int, bool]:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 65535, False
    # Pillow neither stretches 12 bits to 16 nor inverts 16-bit pictures in which zero is white.
    white = 4095 if image.tag_v2.get(_BITS_PER_SAMPLE) == (12,) else 65535
    return white, image.tag_v2.get(_PHOTOMETRIC) == 0


def _without_alpha(image: Image.Image) -> tuple[Image.Image, FloatArray | None]:
    mode = {"1": "L", "L": "L", "LA": "L", "La": "L", "CMYK": "CMYK", "LAB": "LAB"}.get(image.mode, "RGB")
    if not image.has_transparency_data:
        return image.convert(mode), None
    if image.mode == "La":  # Pillow takes the premultiplied modes to their straight counterpart only.
        image = image.convert("LA")
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"), dtype=np.float32)[..., None] / np.float32(255)
    return rgba.convert(mode), alpha


def _by_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """The image in sRGB; None without a profile that is for it."""
    if profile is None:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get((image.mode, source.profile.xcolor_space))
        return None if mode is None else _transformed(image.convert(mode), source)
    except (OSError, ImageCms.PyCMSError):
        return None  # A damaged profile: the colours are as good as those of an image without one.


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if converted is None:  # Only in place, by its type.
        raise OSError("the profile gave no image")
    return converted
