import torch
from torch import Tensor


def wrap_pad(image: Tensor, axis: int, before: int, after: int) -> Tensor:
    """The image continued along an axis by its other side; negative numbers take lines away.

    Args:
        image: Any tensor.
        axis: The axis.
        before: How many lines there are to be before the first.
        after: How many behind the last.

    Example:
        >>> import torch
        >>> wrap_pad(torch.tensor([1, 2, 3]), 0, 1, 2)
        tensor([3, 1, 2, 3, 1, 2])
    """
    length = image.shape[axis]
    if not before and not after:
        return image
    if max(before, after) > length:
        index = torch.arange(-before, length + after, device=image.device) % length
        return image.index_select(axis, index)
    # A concatenation keeps the order of the axes in memory, which a circular pad of torch does not.
    first, last = max(-before, 0), length - max(-after, 0)
    parts = [
        image.narrow(axis, length - max(before, 0), max(before, 0)),
        image.narrow(axis, first, max(last - first, 0)),
        image.narrow(axis, 0, max(after, 0)),
    ]
    return torch.cat([part for part in parts if part.shape[axis]], axis)
