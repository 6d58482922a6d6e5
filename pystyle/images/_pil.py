"""Pillow images as tensors, and tensors as Pillow images."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pystyle._arguments import float_type
from pystyle.images._color import rgb_and_alpha
from pystyle.images._levels import check_single_image, levels
from pystyle.images._resize import Edge, resize
from pystyle.images._spaces import FloatArray

_ORIENTATION_TAG = 0x0112

# What the EXIF value asks for, on an array (height, width, channels).
_UPRIGHT: dict[int, Callable[[FloatArray], FloatArray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}


class Pixels(NamedTuple):
    """Decoded pixels, not upright yet.

    Attributes:
        colors: RGB in [0, 1], (height, width, 3).
        alpha: The opacity in [0, 1], (height, width, 1); None if nothing can be transparent.
        orientation: That of EXIF.
    """

    colors: FloatArray
    alpha: FloatArray | None
    orientation: int

    def on(self, background: Sequence[float]) -> Tensor:
        """The image on a ground, (1, 3, height, width)."""
        if self.alpha is None:
            return self._upright(self.colors)
        ground = np.asarray(background, dtype=np.float32) * (1 - self.alpha)
        return self._upright(self.colors * self.alpha + ground)

    def apart(self) -> tuple[Tensor, Tensor | None]:
        """The colours, (1, 3, height, width), and the opacity, (1, 1, height, width)."""
        return self._upright(self.colors), None if self.alpha is None else self._upright(self.alpha)

    def _upright(self, pixels: FloatArray) -> Tensor:
        if self.orientation in _UPRIGHT:
            pixels = _UPRIGHT[self.orientation](pixels)
        # A copy in any case: of a single column numpy takes negative strides for contiguous, torch does not.
        made = torch.from_numpy(np.array(pixels.transpose(2, 0, 1), dtype=np.float32, order="C"))[None]
        return made.to(torch.get_default_device(), float_type())


def from_pil(
    image: Image.Image,
    *,
    edge_size: int | None = None,
    edge: Edge = "short",
    background: Sequence[float] = (1.0, 1.0, 1.0),
) -> Tensor:
    """Returns a Pillow image of any mode as RGB in [0, 1].

    - The EXIF orientation is applied.
    - Transparency (RGBA, LA, premultiplied alpha, palettes and single colours marked as transparent) is
      composited on `background`.
    - A colour profile is converted to sRGB, relative colorimetric with black point compensation. A profile
      that is damaged or made for other channels than the image has is ignored, as is one on grey of more
      than 8 bits. Without one the gamma and the primaries of a PNG count (``gAMA``, ``cHRM``, unless it says
      ``sRGB``; a gamma within 5 % of 1/2.2 stands for sRGB). From files `read_image` also knows the codes of
      H.273 (``cICP``, which count for more than a profile, and ``nclx`` of AVIF and HEIF, which count for
      less): primaries, powers and linear light; those of television are taken for sRGB, of PQ, HLG and
      others it warns. CMYK without a profile is converted by Pillow's simple formula.
    - 16-bit grey (``I;16``) is divided by 65535. Mode ``I`` holds 32-bit integers and is taken for 16-bit
      grey as well, which is what 16-bit PGM files give; values outside 0 ... 65535 are refused, because
      nothing says what they mean. Mode ``F`` must lie in [0, 1].
    - Colour, or grey with opacity, of 16 bits per channel does not reach this function: Pillow keeps the
      upper 8 bits when it reads a file. `read_image` has all of them.

    Args:
        image: Image; it is decoded if it was not yet, and left unchanged.
        edge_size: Length in pixels that one edge gets, the other keeping the aspect ratio; None keeps the
            size.
        edge: Which edge has that length: "short", "long", "height" or "width". See `resize`.
        background: Colour, RGB in [0, 1], that shows where the image is transparent.

    Returns:
        A new float32 tensor.

    Raises:
        TypeError: `image` is not a Pillow image.
        ValueError: The image has no pixels, or values of an unknown range, or an argument is out of its
            range.
        OSError: The image comes from a file that is cut off or damaged.

    Shape:
        Output: ``(1, 3, height, width)``, RGB in [0, 1].

    Example:
        >>> from PIL import Image
        >>> from_pil(Image.new("RGBA", (1, 1), (255, 0, 0, 0)), background=(0.0, 0.5, 1.0)).flatten()
        tensor([0.0000, 0.5000, 1.0000])
    """
    if not isinstance(image, Image.Image):
        raise TypeError(f"`image` must be a PIL.Image.Image, got {type(image).__name__}.")
    check_background(background)
    if 0 in image.size:
        raise ValueError(f"`image` must have pixels, got width and height {image.size}.")
    picture = pil_pixels(image).on(background)
    return picture if edge_size is None else resize(picture, edge_size, edge=edge)


def pil_pixels(image: Image.Image) -> Pixels:
    """Returns the pixels of a Pillow image, which is decoded if it was not yet.

    Raises:
        ValueError: The image has values of an unknown range.
    """
    image.load()
    return Pixels(*rgb_and_alpha(image), orientation_of(image))


def to_pil(image: Tensor) -> Image.Image:
    """Returns the 8-bit Pillow image of a tensor, clamped to [0, 1] and rounded.

    Args:
        image: One image, RGB or grey, of any floating dtype, on any device.

    Returns:
        An image of mode ``RGB``, or ``L`` for one channel.

    Raises:
        TypeError: `image` is not a floating tensor.
        ValueError: `image` is a batch, has other than 1 or 3 channels, has no pixels, or contains NaN or
            infinity.

    Shape:
        Input: ``(channels, height, width)`` or ``(1, channels, height, width)`` with 1 or 3 channels, in
            [0, 1].

    Example:
        >>> import torch
        >>> picture = to_pil(torch.tensor([-0.2, 0.5, 1.3]).reshape(3, 1, 1))
        >>> picture.mode, picture.getpixel((0, 0))
        ('RGB', (0, 128, 255))
    """
    return pil_image(check_single_image(image))


def pil_image(image: Tensor) -> Image.Image:
    """Returns the 8-bit image of 1 channel (``L``), 2 (``LA``), 3 (``RGB``) or 4 (``RGBA``)."""
    pixels = levels(image, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def check_background(background: Sequence[float]) -> None:
    """Raises a ValueError unless the argument is a colour."""
    if len(background) != 3 or not all(0 <= value <= 1 for value in background):
        raise ValueError(
            f"`background` must be three numbers in [0, 1] (red, green, blue), got {background!r}."
        )


def orientation_of(image: Image.Image) -> int:
    """Returns the EXIF orientation, 1 if there is none."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    # Damaged metadata raises errors of many kinds and does not make the pixels wrong.
    except Exception:
        return 1
