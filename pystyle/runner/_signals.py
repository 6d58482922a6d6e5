"""The signals that end a program, so that what is to be done at an end is done.

A handler of the program is left alone, and so is a signal that it ignores, as under ``nohup``. Only the main
thread can handle signals.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = tuple(
    number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
"""What systems end programs with: batch queues, ``kill``, a terminal that is closed."""

_AGAIN = 1.0
"""Seconds in which another signal is the same: a shell sends its own SIGHUP beside that of the terminal."""

Handler = Callable[[int, FrameType | None], Any]


class Interruption:
    """What :func:`interrupt_on_signals` knows.

    Attributes:
        signal: The last signal that interrupted something; None if there was none.

    Example:
        >>> Interruption().exit_code(0)
        0
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._time = -_AGAIN

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt what is done, as Ctrl-C does."""
        del frame
        before, self._time = self._time, time.monotonic()
        if self._time - before < _AGAIN:
            return
        self.signal = signal.Signals(number)
        raise KeyboardInterrupt

    def exit_code(self, otherwise: int) -> int:
        """The exit code of a program that a signal has ended, as shells count it."""
        return otherwise if self.signal is None else 128 + self.signal


@contextmanager
def interrupt_on_signals() -> Iterator[Interruption]:
    """A context in which SIGTERM and SIGHUP interrupt a run as Ctrl-C does: the picture so far is not lost.

    It is for the main thread of a program; elsewhere it does nothing. Signals that the program handles or
    ignores itself are left alone. Put it around a whole loop, and have runs raise what interrupts them.

    Yields:
        Whether there was a signal, and which.

    Example:
        >>> with interrupt_on_signals() as interruption:  # stylize(..., on_interrupt="raise")
        ...     print(interruption.signal)
        None
    """
    interruption = Interruption()
    with handled(ENDING, interruption, instead_of=(signal.SIG_DFL,)):
        yield interruption


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """A context in which SIGTERM and SIGHUP raise ``SystemExit``, with 128 and their number."""
    with handled(ENDING, _exit, instead_of=(signal.SIG_DFL,)):
        yield


@contextmanager
def handled(
    numbers: Iterable[int], handler: Handler, *, instead_of: Iterable[Any] | None = None
) -> Iterator[None]:
    """A context with a handler of signals.

    Args:
        numbers: The signals.
        handler: Their handler.
        instead_of: The handlers that it may replace; all but ``SIG_IGN`` if not given.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in numbers}
    for number, other in list(before.items()):
        # None is a handler that Python cannot give back.
        if other in (None, signal.SIG_IGN) or (instead_of is not None and other not in instead_of):
            del before[number]
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, other in before.items():
            signal.signal(number, other)


def _exit(number: int, frame: FrameType | None) -> None:
    del frame
    # As shells count, and batch queues expect.
    raise SystemExit(128 + number)
