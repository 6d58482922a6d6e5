"""Representations, which are tensors or (named) tuples of them, taken apart and put together."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from pystyle.typing import Representation


def combine(representations: Sequence[Any], function: Callable[[Sequence[Tensor]], Tensor]) -> Any:
    """The function applied to corresponding tensors of representations, which may be (named) tuples."""
    first = representations[0]
    if isinstance(first, Tensor):
        return function(representations)
    items = [function(tensors) for tensors in zip(*representations, strict=True)]
    return type(first)(*items) if hasattr(first, "_fields") else tuple(items)


def changed(representation: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The representation with all of its tensors changed."""
    return combine([representation], lambda tensors: change(tensors[0]))


def tensors_of(representation: Representation) -> tuple[Tensor, ...]:
    """The tensors of a representation."""
    return (representation,) if isinstance(representation, Tensor) else tuple(representation)


def batch_size(representation: Representation) -> int:
    """How many images it is of."""
    return max(tensor.shape[0] for tensor in tensors_of(representation))


def image_of_batch(representation: Any, index: int) -> Any:
    """The representation of one image of a batch; what a single one has is that of all."""

    def one(tensor: Tensor) -> Tensor:
        return tensor if tensor.shape[0] == 1 else tensor[index : index + 1]

    return changed(representation, one)
