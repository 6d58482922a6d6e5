import logging
import threading
import time
from collections import deque
from typing import Protocol

from pystyle.serving._limits import Limits
from pystyle.serving._painting import Painting, PaintTask
from pystyle.serving._problem import ProblemError

_LOG = logging.getLogger("pystyle")
_LOOK = 0.2
"""Seconds after which a thread that sleeps looks for what no one could wake it for: a signal."""


class LongWork(Protocol):
    """What the thread does while no picture is asked for."""

    def run_one(self, worker: "Worker") -> bool:
        """Do the next piece, and call `worker.paint_waiting()` in between; whether there was one."""


class Worker:
    """The one thread that computes.

    Requests for pictures come first: also in between the steps of an optimisation, so that they wait for one
    step at most. Two threads that compute would only slow each other down.

    Args:
        painting: The networks.
        limits: Of the service.
        long_work: What is done in between.
    """

    def __init__(self, painting: Painting, *, limits: Limits, long_work: LongWork | None = None) -> None:
        self._painting, self._limits, self._long_work = painting, limits, long_work
        self._tasks: deque[PaintTask] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="pystyle-serving", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, task: PaintTask) -> None:
        """Ask for a picture."""
        with self._changed:
            self._tasks.append(task)
            self._changed.notify()

    def paint_waiting(self) -> None:
        """Paint all pictures that are asked for."""
        while tasks := self._batch():
            try:
                self._painting.paint(tasks)
            except Exception as error:  # Nothing may end the thread, or leave somebody without an answer.
                _LOG.exception("A batch of pictures failed.")
                for task in tasks:
                    if not task.answer.done():
                        task.answer.set_exception(error)

    def _run(self) -> None:
        while True:
            self.paint_waiting()
            if self._stopping:
                return
            if self._long_work is not None and self._long_work.run_one(self):
                continue
            with self._changed:
                if not self._tasks and not self._stopping:
                    self._changed.wait(_LOOK)

    def _batch(self) -> list[PaintTask]:
        """The task that waits for the longest time, and others that can be painted with it."""
        with self._changed:
            found: list[PaintTask] = []
            rest: deque[PaintTask] = deque()
            for task in self._tasks:
                if found and not (self._has_room(found) and task.fits(found[0])):
                    rest.append(task)
                elif self._begins(task):
                    found.append(task)
            self._tasks = rest
            return found

    def _has_room(self, found: list[PaintTask]) -> bool:
        height, width = found[0].content.shape[2:]
        count = len(found) + 1
        return count <= self._limits.batch_size and count * height * width <= self._limits.batch_pixels

    def _begins(self, task: PaintTask) -> bool:
        """Whether somebody still waits for it."""
        if not task.answer.set_running_or_notify_cancel():
            return False
        if time.monotonic() > task.deadline:
            task.answer.set_exception(
                ProblemError(
                    503,
                    f"The picture was not begun within {self._limits.seconds:g} s. Try again later.",
                    {"Retry-After": "10"},
                )
            )
            return False
        return True
