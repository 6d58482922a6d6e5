import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle._wrapping._axes import axes_of
from pystyle._wrapping._pad import wrap_pad
from pystyle.typing import Wrap

_REACH = {"bilinear": 1, "bicubic": 2}
"""How many pixels of an enlarged image a kernel reaches to each side of its centre."""


def interpolate_wrapped(
    image: Tensor, size: tuple[int, int], *, wrap: Wrap | None, mode: str, antialias: bool = False
) -> Tensor:
    """The image at another size; where it wraps, its kernels see the other side beyond the border.

    Args:
        image: Any maps.
        size: Height and width.
        wrap: The sides along which it wraps.
        mode: ``"bilinear"`` or ``"bicubic"``.
        antialias: Whether kernels grow where the image shrinks; for every type, layout and size.

    Shape:
        - image: (batch, channels, height, width)
        - output: (batch, channels, *size)
    """
    begin, wanted = [0, 0], [*size]
    for axis in axes_of(wrap):
        old, new = image.shape[axis], size[axis - 2]
        if old == new:
            continue
        # So much on each side that old and new positions meet again where what was added ends.
        step = old // math.gcd(old, new)
        reach = math.ceil(_REACH[mode] * (max(old / new, 1) if antialias else 1)) + 1
        more = -(-reach // step) * step
        image = wrap_pad(image, axis, more, more)
        begin[axis - 2] = more * new // old
        wanted[axis - 2] = new + 2 * begin[axis - 2]
    if antialias:
        found = _antialiased(image, (wanted[0], wanted[1]), mode)
    else:
        found = interpolate(image, (wanted[0], wanted[1]), mode=mode, align_corners=False)
    return found.narrow(2, begin[0], size[0]).narrow(3, begin[1], size[1])


def _antialiased(image: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    # On the CPU there are no such kernels for half precision, and torch 2.11 gives other numbers, far beyond
    # rounding, with channels last and for a width of one pixel.
    wide = image.float() if image.dtype in (torch.float16, torch.bfloat16) else image
    turned = size[1] == 1
    wide = (wide.mT if turned else wide).contiguous()
    found = interpolate(
        wide, size[::-1] if turned else size, mode=mode, align_corners=False, antialias=True
    ).to(image.dtype)
    return found.mT if turned else found
