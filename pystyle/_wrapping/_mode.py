"""The mode in which what looks at neighbours sees an image that wraps.

As `torch.autocast` changes the types in which functions compute, and no network knows of it, so this changes
what convolutions, poolings, borders and interpolations find beyond the border.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from pystyle._wrapping._rules import RULES
from pystyle._wrapping._windows import Padded
from pystyle.typing import Wrap

_ACTIVE: ContextVar[Wrap | None] = ContextVar("_ACTIVE", default=None)


def active_wrap() -> Wrap | None:
    """The wrap of the innermost block of :func:`wrapping`, None outside of any."""
    return _ACTIVE.get()


@contextmanager
def wrapping(wrap: Wrap | None) -> Iterator[None]:
    """Within the block convolutions, poolings, borders and interpolations wrap; with None all is as it was.

    What keeps the size of an image, or divides it, finds its other side beyond the border, in place of zeros,
    mirrors or the last pixels. What takes pixels from the border by itself, by slices, is not seen.

    Example:
        >>> import torch
        >>> image = torch.tensor([[[[1.0, 0.0, 0.0, 5.0]]]])
        >>> with wrapping("horizontal"):
        ...     torch.nn.functional.max_pool2d(image, (1, 3), 1, (0, 1))
        tensor([[[[5., 1., 5., 5.]]]])
    """
    if wrap is None:
        yield
        return
    token = _ACTIVE.set(wrap)
    try:
        with _Wrapping(wrap):
            yield
    finally:
        _ACTIVE.reset(token)


class _Wrapping(TorchFunctionMode):
    """Hands each function that looks at neighbours an image that goes on beyond its border."""

    def __init__(self, wrap: Wrap) -> None:
        super().__init__()
        self.wrap = wrap
        self.padded = Padded()

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, or what stands for it."""
        del types
        rule = RULES.get(func)
        kwargs = kwargs or {}
        image = args[0] if args else kwargs.get("input")
        if rule is None or not isinstance(image, Tensor) or image.ndim != 4:
            return func(*args, **kwargs)
        return rule(func, self.wrap, self.padded, *args, **kwargs)
