"""How GPUs multiply in float32."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident

import torch

from pystyle.typing import Precision


class _Products:
    """How GPUs multiply in float32, which is a setting of the whole program and not of a thread.

    Threads that want the same share it: the first saves what was there, and the last brings it back.
    """

    def __init__(self) -> None:
        self._free = Condition()
        self._users: dict[object, int] = {}
        self._wanted = ""
        self._before = ("", "")

    def enter(self, user: object, wanted: str) -> None:
        """Wait until nobody wants it otherwise, and set it."""
        with self._free:
            if get_ident() in self._users.values() and wanted != self._wanted:
                raise RuntimeError(
                    "`precision` must be 'tf32' both around and within a computation, or neither. Give both "
                    "the same."
                )
            self._free.wait_for(lambda: not self._users or wanted == self._wanted)
            if not self._users:
                self._before, self._wanted = _settings(), wanted
            self._users[user] = get_ident()
            _set((wanted, wanted))

    def leave(self, user: object) -> None:
        """Bring back what was there, if this was the last; one that was interrupted may not have entered."""
        with self._free:
            if self._users.pop(user, None) is not None and not self._users:
                _set(self._before)
                self._free.notify_all()


_PRODUCTS = _Products()


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Let GPUs round the factors of float32 products to TF32 only if that is what is asked for.

    Another thread that asks for the other waits until the block is over.

    Raises:
        RuntimeError: If the block is within one of the same thread that asks for the other.
    """
    user = object()
    try:
        _PRODUCTS.enter(user, "tf32" if precision == "tf32" else "ieee")
        yield
    finally:
        _PRODUCTS.leave(user)


def _settings() -> tuple[str, str]:
    """How GPUs compute matrix products and convolutions."""
    return (
        torch.backends.cuda.matmul.fp32_precision,
        torch.backends.cudnn.conv.fp32_precision,  # type: ignore[attr-defined]
    )


def _set(settings: tuple[str, str]) -> None:
    torch.backends.cuda.matmul.fp32_precision = settings[0]
    torch.backends.cudnn.conv.fp32_precision = settings[1]  # type: ignore[attr-defined]
