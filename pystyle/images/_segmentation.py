"""Segmentations: images that have a colour for each region."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import check_floating, check_mapping, check_range

_MOST_COLORS = 32

# Red, green, blue, yellow, magenta, cyan, orange, violet, grey, white, brown, dark green.
_PALETTE = (
    (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0),
    (1.0, 0.5, 0.0), (0.5, 0.0, 1.0), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (0.5, 0.25, 0.0), (0.0, 0.4, 0.0),
)  # fmt: skip

Color = Sequence[float]
"""RGB in [0, 1]."""


def masks_from_segmentation(image: Tensor, colors: Mapping[str, Color] | None = None) -> dict[str, Tensor]:
    """The masks of the regions that are painted in one colour each.

    Args:
        image: The segmentation.
        colors: The colour of each region by its name, RGB in [0, 1]; every pixel belongs to the nearest one,
            so that edges may be smooth. If not given, each colour of the image is a region, whose name is
            its hexadecimal code, such as ``"#ff0000"``.

    Returns:
        Hard masks, which cover every pixel once. A region without pixels is left out.

    Raises:
        TypeError: If `image` is not a floating tensor.
        ValueError: If `image` is not a single one, or has more than 32 colours and `colors` is not given; or
            a colour is none.

    Shape:
        - image: (1, 3, height, width), RGB in [0, 1]
        - output: (1, 1, height, width)

    Example:
        >>> import torch
        >>> image = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]).reshape(1, 3, 1, 2)
        >>> list(masks_from_segmentation(image))
        ['#0000ff', '#ff0000']
        >>> masks_from_segmentation(image, {"sky": (0, 0, 1), "roof": (1, 0, 0)})["roof"]
        tensor([[[[1., 0.]]]])
    """
    check_floating(image, "`image`")
    check_range(image, "`image`")
    if image.ndim != 4 or image.shape[:2] != (1, 3):
        raise ValueError(f"`image` must have the shape (1, 3, height, width), got {tuple(image.shape)}.")
    pixels = image[0].permute(1, 2, 0)
    if colors is None:
        colors = _colors_of(pixels)
    nearest = (pixels.unsqueeze(2) - _table(colors).to(image)).square().sum(3).argmin(2)
    masks = {name: (nearest == index)[None, None].to(image) for index, name in enumerate(colors)}
    return {name: mask for name, mask in masks.items() if bool(mask.any())}


def _colors_of(pixels: Tensor) -> dict[str, Color]:
    levels = np.unique((pixels.clamp(0, 1) * 255).round().cpu().numpy().reshape(-1, 3), axis=0).astype(int)
    if len(levels) > _MOST_COLORS:
        raise ValueError(
            f"`image` must have at most {_MOST_COLORS} colours if `colors` is not given, got {len(levels)}: "
            "smooth edges and JPEG files have many. Say which colours stand for regions."
        )
    names = (f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels.tolist())
    return {
        name: [value / 255 for value in level] for name, level in zip(names, levels.tolist(), strict=True)
    }


def segmentation_from_masks(masks: Mapping[str, Tensor], colors: Mapping[str, Color] | None = None) -> Tensor:
    """An image with a colour for each region.

    Args:
        masks: The masks by the names of their regions.
        colors: The colour of each region, RGB in [0, 1]; if not given, well distinguishable ones in the
            order of the masks. What is nowhere inside is black.

    Returns:
        The segmentation, float32; every pixel has the colour of the mask that is largest there, if that is
        more than what the masks leave of the pixel.

    Raises:
        ValueError: If there are no masks, their sizes differ, a region has no colour, a colour is none, or
            there are more than 12 regions and `colors` is not given.

    Shape:
        - masks: (1, 1, height, width)
        - output: (1, 3, height, width)

    Example:
        >>> import torch
        >>> left = torch.tensor([[[[1.0, 0.0]]]])
        >>> segmentation_from_masks({"left": left, "right": 1 - left})[0]
        tensor([[[1., 0.]],
        <BLANKLINE>
                [[0., 1.]],
        <BLANKLINE>
                [[0., 0.]]])
    """
    check_mapping(masks, "`masks`", '{"sky": mask}')
    if not masks or len({tuple(mask.shape) for mask in masks.values()}) > 1:
        sizes = ", ".join(str(tuple(mask.shape)) for mask in masks.values()) or "none"
        raise ValueError(f"`masks` must be masks of one size, got {sizes}.")
    if colors is None:
        if len(masks) > len(_PALETTE):
            raise ValueError(f"`colors` must be given for more than {len(_PALETTE)} regions, got none.")
        colors = dict(zip(masks, _PALETTE, strict=False))
    missing = [name for name in masks if name not in colors]
    if missing:
        raise ValueError(f"`colors` must have a colour for every region, got none for {', '.join(missing)}.")
    stack = torch.cat([mask.float() for mask in masks.values()], 1)
    values, index = stack.max(1)
    table = _table({name: colors[name] for name in masks}).to(index.device)
    return (table[index] * (values > 1 - stack.sum(1)).unsqueeze(3)).permute(0, 3, 1, 2).contiguous()


def _table(colors: Mapping[str, Color]) -> Tensor:
    """The colours as rows, whatever kind of numbers they are."""
    for name, color in colors.items():
        if len(color) != 3 or not all(0 <= value <= 1 for value in color):
            raise ValueError(
                f"The colour of {name!r} in `colors` must be three numbers in [0, 1] (red, green, blue), got "
                f"{color!r}. Divide those of 0 to 255 by 255."
            )
    return torch.tensor([[float(value) for value in color] for color in colors.values()], dtype=torch.float32)
