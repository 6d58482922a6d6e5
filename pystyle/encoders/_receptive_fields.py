"""Receptive fields, by following one image through a module.

While the module runs, it is known what each tensor sees of the image: along the rows and along the columns
its position `j` sees the pixels from `first + j * stride` to `last + j * stride`. `_views` says how functions
change these bounds. Whatever it does not know, such as attention or a mean over all positions, counts as a
look at the whole image.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pystyle.encoders._geometry import WHOLE_IMAGE
from pystyle.encoders._taps import PassCompleteError, tapped
from pystyle.encoders._views import View, view_after


def receptive_fields(module: nn.Module, paths: Iterable[str], image: Tensor) -> dict[str, int]:
    """The side of the square that one position of each submodule sees, or `WHOLE_IMAGE`."""
    fields = dict.fromkeys(paths, WHOLE_IMAGE)
    missing = set(fields)
    follower = _Follower(image, (*module.parameters(), *module.buffers()))

    def receive(path: str, output: Any) -> None:
        view = follower.view(output)
        if view is not None:
            fields[path] = max(line.last - line.first + 1 for line in (view.rows, view.columns))
        missing.discard(path)
        if not missing:
            raise PassCompleteError

    # What cannot be followed to its end keeps the cautious answer.
    stops = suppress(PassCompleteError, Exception)
    with stops, torch.no_grad(), tapped(module, fields, receive), follower:
        module(image)
    return fields


class _Follower(TorchFunctionMode):
    """Notes what tensors see while a module runs."""

    def __init__(self, image: Tensor, weights: Iterable[Tensor]) -> None:
        super().__init__()
        # The tensors are held: the identity of one that is freed may come back.
        self._views: dict[int, tuple[Tensor, View | None]] = {id(image): (image, View())}
        self._constants = {id(tensor): tensor for tensor in weights}

    def view(self, tensor: object) -> View | None:
        """What the tensor sees; None if that is all or unknown."""
        return self._views[id(tensor)][1] if id(tensor) in self._views else None

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function and note what its results see."""
        del types
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = func.__name__.strip("_")
        operands = _tensors((*args, *kwargs.values()))
        images = [tensor for tensor in operands if id(tensor) not in self._constants]
        # What is written into a tensor counts as its result.
        results = list(_tensors([args[0] if name == "setitem" else result]))
        if not images:
            self._constants.update({id(tensor): tensor for tensor in results})
            return result
        views = [self.view(tensor) for tensor in images]
        known = [view for view in views if view is not None]
        for tensor in results:
            view = None
            if len(known) == len(views):
                view = view_after(tensor, images, known, name, args, kwargs)
            self._constants.pop(id(tensor), None)
            self._views[id(tensor)] = (tensor, view)
        return result


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
