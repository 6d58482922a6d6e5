"""Two threads beside that of the caller: one that reads ahead, and one that writes behind."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 0.1
"""Seconds after which one who waits looks whether the other has ended."""

_LONGEST_FAREWELL = 2.0
"""Seconds that the end waits for a source that gives nothing."""


class ReadAhead(Generic[T]):
    """An iterator that runs in a thread, a few items ahead. A context: at its end the thread has ended.

    One that waits for a source that gives nothing, such as a silent pipe, is left after a while. It ends
    when something comes.

    Args:
        items: What is iterated over in the thread, and closed there.
        size: How many items may wait.
    """

    def __init__(self, items: Iterator[T], *, size: int) -> None:
        self._items, self._stopped = items, threading.Event()
        self._queue: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(size)
        self._thread = threading.Thread(target=self._run, name="pystyle reads a clip", daemon=True)

    def __enter__(self) -> Iterator[T]:
        self._thread.start()
        return self._taken()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(_LONGEST_FAREWELL)

    def _taken(self) -> Iterator[T]:
        while True:
            is_item, value = self._queue.get()
            if is_item:
                yield value  # type: ignore[misc]
            elif value is None:
                return
            else:
                raise value  # type: ignore[misc]

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put((True, item)):
                    break
                del item
        except BaseException as raised:
            error = raised
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
        self._put((False, error))

    def _put(self, entry: tuple[bool, T | BaseException | None]) -> bool:
        """Whether it was put, and the caller has not left."""
        while not self._stopped.is_set():
            try:
                self._queue.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False


class WriteBehind(Generic[T]):
    """A function that is called in a thread, for a few items that wait. A context.

    At its end all have been written. An error of the function is raised by the next :meth:`put`, or at the
    end.

    Args:
        function: What is called with each.
        size: How many items may wait.
    """

    def __init__(self, function: Callable[[T], None], *, size: int) -> None:
        self._function, self._stopped = function, threading.Event()
        self._queue: queue.Queue[tuple[T] | None] = queue.Queue(size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pystyle writes a clip", daemon=True)

    def __enter__(self) -> "WriteBehind[T]":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self._put(None)
            self._thread.join()
        finally:
            # Of a second Ctrl-C.
            self._stopped.set()
            self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, item: T) -> None:
        """Have an item written, as soon as there is room."""
        self._put((item,))
        if self._error is not None:
            raise self._error

    def _put(self, entry: tuple[T] | None) -> None:
        while self._error is None:
            try:
                self._queue.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                try:
                    entry = self._queue.get(timeout=_PATIENCE)
                except queue.Empty:
                    continue
                if entry is None:
                    return
                self._function(entry[0])
                del entry
        except BaseException as raised:
            self._error = raised
