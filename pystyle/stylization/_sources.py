"""What `stylize` is given, as references."""

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_image, check_range
from pystyle.criterion._blend import image_of
from pystyle.criterion._checks import check_values
from pystyle.images import read_image
from pystyle.typing import MaskedImage, Reference, References

ImageSource: TypeAlias = Tensor | MaskedImage | str | os.PathLike[str]
"""An image, with masks or without, or the path of one."""


def references_of(
    content: ImageSource,
    style: ImageSource | Sequence[ImageSource] | Mapping[str, ImageSource],
    style_weights: Sequence[float] | None,
    device: torch.device,
) -> References:
    """The content, and the styles: blended as ``style``, or by the names of their regions.

    Raises:
        ImageReadError: If a file cannot be read.
        ValueError: If the weights do not fit the styles, styles of regions have no regions, or an image has
            another shape or range or is on the device ``meta``.
    """
    photograph = _image(content, device, "`content`")
    if isinstance(style, Mapping):
        if not isinstance(photograph, MaskedImage):
            raise ValueError(
                "`content` must be a MaskedImage if `style` has an image for each region, got one without "
                "masks."
            )
        if style_weights is not None:
            raise ValueError("`style_weights` must be left out if `style` has an image for each region.")
        if "content" in style or "style" in style:
            raise ValueError("Regions with styles of their own must not be named 'content' or 'style'.")
        return {"content": photograph} | {
            name: _image(source, device, f"`style[{name!r}]`") for name, source in style.items()
        }
    styles = [style] if isinstance(style, Tensor | MaskedImage | str | os.PathLike) else list(style)
    weights = [1.0] * len(styles) if style_weights is None else list(style_weights)
    if not styles or len(weights) != len(styles):
        raise ValueError(
            f"`style_weights` must have one weight for each of at least one style, got {len(weights)} "
            f"for {len(styles)}."
        )
    blend: Reference = [
        (_image(source, device, "`style`"), weight) for source, weight in zip(styles, weights, strict=True)
    ]
    return {"content": photograph, "style": blend}


def _image(source: ImageSource, device: torch.device, name: str) -> Tensor | MaskedImage:
    image = source if isinstance(source, Tensor | MaskedImage) else read_image(source)
    pixels = image_of(image)
    check_values(pixels, name)
    check_image(pixels, name)
    check_range(pixels, name)
    return MaskedImage(pixels.to(device), image.masks) if isinstance(image, MaskedImage) else image.to(device)
