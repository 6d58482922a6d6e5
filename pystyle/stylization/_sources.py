"""What `stylize` is given, as references."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_floating, check_image, check_range, numbers
from pystyle.criterion._blend import image_of, masks_of
from pystyle.criterion._checks import check_values
from pystyle.images import as_image, split_alpha
from pystyle.images._alpha import filled
from pystyle.images._sources import Picture, is_picture
from pystyle.typing import MaskedImage, Reference, References

ImageSource: TypeAlias = MaskedImage | Picture
"""An image, with masks or without: a tensor, a Pillow image, a numpy array, a path or a binary file."""

OPAQUE = "opaque"
"""The region of a content that is transparent elsewhere."""


def opaque_content(
    content: ImageSource, alpha: Tensor | Literal["content"] | None
) -> tuple[Tensor | MaskedImage, Tensor | None]:
    """The content, and how opaque it is; None if it is opaque everywhere.

    With transparency its masks end where it does. If it had none, it gets one.

    Raises:
        ImageReadError: If a file cannot be read.
        TypeError: If it is no image, or `alpha` no mask.
        ValueError: If `alpha` has another size or range, or is another text.
    """
    if alpha is not None and not isinstance(alpha, Tensor | str):
        raise TypeError(f"`alpha` must be a mask, 'content' or None, got a {type(alpha).__name__}.")
    if isinstance(alpha, str) and alpha != "content":
        raise ValueError(
            f"`alpha` must be a mask, 'content' or None, got {alpha!r}. If that is a file, read the "
            "mask in it with `read_mask`."
        )
    own = None
    if isinstance(content, MaskedImage | Tensor):
        image = content
    elif isinstance(alpha, str):
        image, own = split_alpha(content)
    else:
        image = as_image(content)
    if isinstance(alpha, Tensor):
        own = _checked_alpha(alpha, image_of(image))
        colors = filled(image_of(image), own)
        image = replace(image, image=colors) if isinstance(image, MaskedImage) else colors
    if own is None or bool((own == 1).all()):
        return image, None
    masks = masks_of(image) or {OPAQUE: torch.ones_like(own)}
    return MaskedImage(image_of(image), {name: mask * own for name, mask in masks.items()}), own


def _checked_alpha(alpha: Tensor, image: Tensor) -> Tensor:
    check_image(image, "`content`")
    check_floating(alpha, "`alpha`")
    if tuple(alpha.shape) != (1, 1, *image.shape[2:]):
        raise ValueError(
            f"`alpha` must have the shape (1, 1, {image.shape[2]}, {image.shape[3]}) of the content, got "
            f"{tuple(alpha.shape)}."
        )
    low, high = (float(extreme) for extreme in alpha.detach().aminmax())
    if not 0 <= low <= high <= 1:
        raise ValueError(f"`alpha` must be in [0, 1], got values from {low:.4g} to {high:.4g}.")
    return alpha.detach().to(image)


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
    several: Any = style
    if isinstance(style, MaskedImage) or is_picture(style) or not isinstance(style, Iterable):
        several = [style]
    styles = list(several)
    if isinstance(photograph, MaskedImage) and OPAQUE in photograph.masks:
        # No region of a painting is meant by what is opaque of the photograph.
        styles = [image_of(one) if isinstance(one, MaskedImage) else one for one in styles]
    weights = (
        (1.0,) * len(styles) if style_weights is None else numbers(style_weights, "`style_weights`", least=0)
    )
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
    image = source if isinstance(source, Tensor | MaskedImage) else as_image(source)
    pixels = image_of(image)
    check_values(pixels, name)
    check_image(pixels, name)
    check_range(pixels, name)
    return MaskedImage(pixels.to(device), image.masks) if isinstance(image, MaskedImage) else image.to(device)
