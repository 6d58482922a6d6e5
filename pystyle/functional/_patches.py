from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import unfold

from pystyle._arguments import whole_number
from pystyle._wrapping import axes_of, checked_wrap, wrap_pad
from pystyle.functional._precision import at_least_float32
from pystyle.typing import Wrap


def patches(
    features: Tensor, size: int, *, stride: int = 1, mask: Tensor | None = None, wrap: Wrap | None = None
) -> Tensor:
    """The square patches of a feature map, each as a vector.

    The last rows and columns are always covered: where steps of `stride` do not end there, one more
    patch does.

    Args:
        features: One feature map per image.
        size: The side of a patch.
        stride: The distance between patches.
        mask: Take the patches that lie wholly inside. The grid of the patches begins at the first row and
            column of the region, as that of a crop does. One mask for all images of the batch, because all
            must have the same number of patches.
        wrap: The sides beyond which the features go on with their other side: ``"both"``, ``"horizontal"``
            or None. Patches lie across that border then; there are as many as positions if `stride` is 1.

    Returns:
        The values of all channels, in float32 at least. The order of the patches is the same for all
        images of this size.

    Raises:
        ValueError: If `size` or `stride` is not positive, the features are smaller than a patch, `mask` does
            not fit them, or both `mask` and `wrap` are given.

    Shape:
        - features: (batch, channels, height, width)
        - mask: (1, 1, height, width), inside where it is above 1/2
        - output: (batch, channels * size * size, patches)

    Example:
        >>> import torch
        >>> features = torch.arange(6.0).reshape(1, 1, 2, 3)
        >>> patches(features, 2)
        tensor([[[0., 1.],
                 [1., 2.],
                 [3., 4.],
                 [4., 5.]]])
        >>> mask = torch.tensor([[[[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]])
        >>> patches(features, 2, mask=mask).shape
        torch.Size([1, 4, 1])
    """
    size, stride = whole_number(size, "`size`", least=1), whole_number(stride, "`stride`", least=1)
    if features.ndim != 4 or min(features.shape[2:]) < size:
        raise ValueError(
            f"`features` must have the axes (batch, channels, height, width) and at least {size} x {size} "
            f"positions for patches of that size, got the shape {tuple(features.shape)}. Take a larger "
            "image, an earlier layer or smaller patches."
        )
    if checked_wrap(wrap) is not None:
        if mask is not None:
            raise ValueError("`wrap` and `mask` cannot be given together: a region has no other side.")
        for axis in axes_of(wrap):
            length = features.shape[axis]
            # The last patch begins where the last step ends, and reaches across the border.
            last = (length - 1) // stride * stride
            features = wrap_pad(features, axis, 0, last + size - length)
    if mask is None:
        return _unfolded(at_least_float32(features), size, stride)
    if mask.shape != (1, 1, *features.shape[2:]):
        raise ValueError(
            "`mask` must have the shape (1, 1, height, width) of the features, "
            f"got {tuple(mask.shape)} for features of shape {tuple(features.shape)}."
        )
    inside = mask[0, 0] > 0.5
    rows, columns = _extent(inside.any(1)), _extent(inside.any(0))
    part = at_least_float32(features)[:, :, rows, columns]
    if min(part.shape[2:]) < size:
        return part.new_empty(part.shape[0], part.shape[1] * size * size, 0)
    inner = inside[rows, columns].to(part.dtype)[None, None]
    return _unfolded(part, size, stride)[:, :, _unfolded(inner, size, stride).amin((0, 1)) > 0]


def _extent(inside: Tensor) -> slice:
    found = torch.nonzero(inside).flatten().tolist()
    return slice(found[0], found[-1] + 1) if found else slice(0, 0)


def _unfolded(features: Tensor, size: int, stride: int) -> Tensor:
    rows, columns = (_parts(length, size, stride) for length in features.shape[2:])
    parts = [
        unfold(features[:, :, row, column], size, stride=stride) for row, column in product(rows, columns)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _parts(length: int, size: int, stride: int) -> list[slice]:
    everything = slice(None)
    return [everything] if (length - size) % stride == 0 else [everything, slice(-size, None)]
