"""The most memory that something takes at a time."""

import ctypes
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

_STATM = Path("/proc/self/statm")
_INTERVAL = 0.003
"""Seconds between two looks at the resident memory."""


class PeakMemory:
    """Within this context, the most memory that was taken.

    On an accelerator it is what the allocator of torch has given out, on Linux the resident memory of the
    whole process, and on other systems with a CPU alone the most that the process has ever had.

    Args:
        device: Where it is computed.

    Attributes:
        bytes: The most at any time; None if this system does not tell.
    """

    def __init__(self, device: torch.device) -> None:
        self.bytes: int | None = None
        self._device = device
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._device.type != "cpu":
            with suppress(RuntimeError):
                torch.accelerator.reset_peak_memory_stats(self._device)
        elif _STATM.exists():
            _give_back_free_memory()
            self.bytes = _resident()
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type != "cpu":
            # Not every accelerator counts.
            with suppress(RuntimeError):
                torch.accelerator.synchronize(self._device)
                self.bytes = torch.accelerator.max_memory_allocated(self._device) or None
        elif self._watcher.ident is not None:
            self._done.set()
            self._watcher.join()
        else:
            self.bytes = _ever_resident()

    def _watch(self) -> None:
        while not self._done.wait(_INTERVAL):
            self.bytes = max(self.bytes or 0, _resident())


def _resident() -> int:
    import resource

    return int(_STATM.read_text().split()[1]) * resource.getpagesize()


def _ever_resident() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    # In bytes on macOS, in kibibytes elsewhere.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _give_back_free_memory() -> None:
    """What the allocator keeps of the measurement before would count for this one."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
