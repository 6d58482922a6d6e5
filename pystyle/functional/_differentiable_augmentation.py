from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import check_floating

Augmentation: TypeAlias = Literal["color", "translation", "cutout"]

# What is outside of an image: the 0 of the authors, whose images are in [-1, 1].
GREY = 0.5


def differentiable_augmentation(
    images: Tensor,
    policy: Sequence[Augmentation] = ("color", "translation", "cutout"),
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The images with other colours, moved, and with a part cut out, by chance and differentiably.

    A discriminator that sees real and painted images only so can be trained on few of them, and what is
    done to them is not learnt by who paints, because it is done to both. Each image has draws of its own.

    ``"color"``
        adds a number in [-1/4, 1/4] to all values; then scales the distance of each pixel's channels from
        their mean by a factor in [0, 2]; then that of all values from the image's mean by one in [1/2, 3/2].
    ``"translation"``
        moves by up to 1/8 of the height and of the width, in whole pixels. What comes in is grey.
    ``"cutout"``
        makes a rectangle grey, of half the height and width. It can be partly outside.

    Args:
        images: The images.
        policy: What is done, in this order; () for nothing.
        generator: A generator of the CPU; the global one if not given. Drawn on the CPU, the numbers are the
            same for every device.

    Returns:
        Images of the same shape. They can leave [0, 1], and are not clamped, which would take gradients
        away.

    Raises:
        ValueError: If `images` has another number of axes, or something in `policy` is unknown.
        TypeError: If the images are not floating-point, or `policy` is a text.

    Shape:
        - images, output: (batch, channels, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> images = torch.rand(2, 3, 16, 16, requires_grad=True)
        >>> moved = differentiable_augmentation(images, ["translation"])
        >>> moved.shape, moved.requires_grad
        (torch.Size([2, 3, 16, 16]), True)

    Note:
        The ranges are those of the authors' code, converted: their images are in [-1, 1], so that what
        they add is halved, and their black-and-white middle 0 is a grey of 1/2.

    References:
        Zhao, Liu, Lin, Zhu, Han. *Differentiable augmentation for data-efficient GAN training*.
        NeurIPS 2020.
    """
    check_floating(images, "`images`")
    if images.ndim != 4:
        raise ValueError(
            f"`images` must have the shape (batch, channels, height, width), got {tuple(images.shape)}."
        )
    if isinstance(policy, str):
        raise TypeError(f"`policy` must be a sequence of names, got the text {policy!r}. Use [{policy!r}].")
    parts = {"color": _recoloured, "translation": _moved, "cutout": _cut_out}
    for name in policy:
        if name not in parts:
            raise ValueError(f"`policy` must be some of {get_args(Augmentation)}, got {name!r}.")
    for name in policy:
        images = parts[name](images, generator)
    return images


def _recoloured(images: Tensor, generator: torch.Generator | None) -> Tensor:
    shape = (3, len(images), 1, 1, 1)
    drawn = torch.rand(shape, generator=generator, dtype=torch.float32, device="cpu").to(images)
    images = images + (drawn[0] - 0.5) / 2
    mean = images.mean(1, keepdim=True)
    images = mean + (images - mean) * (2 * drawn[1])
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (drawn[2] + 0.5)


def _moved(images: Tensor, generator: torch.Generator | None) -> Tensor:
    height, width = images.shape[2:]
    down, right = _rounded(height / 8), _rounded(width / 8)
    padded = pad(images, (right, right, down, down), value=GREY)
    tops = _integers(2 * down + 1, len(images), generator).tolist()
    lefts = _integers(2 * right + 1, len(images), generator).tolist()
    # Slices have a gradient that adds nothing up in a random order, unlike indices on a GPU.
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, top, left in zip(padded, tops, lefts, strict=True)
        ]
    )


def _cut_out(images: Tensor, generator: torch.Generator | None) -> Tensor:
    rows, columns = (_cut_range(size, len(images), generator).to(images.device) for size in images.shape[2:])
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], GREY)


def _cut_range(size: int, count: int, generator: torch.Generator | None) -> Tensor:
    """Which positions of an axis are cut out for each image: (count, size)."""
    length = _rounded(size / 2)
    # From the first position in the middle of what is cut out to the last, or next to it for even lengths.
    first = _integers(size + 1 - length % 2, count, generator)[:, None] - length // 2
    positions = torch.arange(size, device="cpu")
    return (first <= positions) & (positions < first + length)


def _integers(end: int, count: int, generator: torch.Generator | None) -> Tensor:
    return torch.randint(end, (count,), generator=generator, device="cpu")


def _rounded(value: float) -> int:
    """The nearest whole number, and the larger one of two."""
    return int(value + 0.5)
