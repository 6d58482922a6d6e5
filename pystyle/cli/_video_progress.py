"""The progress of a clip on stderr."""

import sys
from contextlib import suppress
from typing import Any

from pystyle.video import Progress


class ClipBar:
    """A bar with the speed and the time left: that of tqdm where it is installed, else plain lines."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._printed = 0.0

    def __call__(self, progress: Progress) -> None:
        """Show it; a standard error that nobody reads ends no run."""
        with suppress(OSError, ValueError):
            self._show(progress)

    def close(self) -> None:
        """Finish the bar."""
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.close()

    def _show(self, progress: Progress) -> None:
        if sys.stderr is None:
            return
        try:
            from tqdm import tqdm
        except ImportError:
            self._print(progress)
            return
        if self._bar is None:
            bar = "{percentage:3.0f}%|{bar}| " if progress.total else ""
            count = "{n_fmt}/{total_fmt}" if progress.total else "{n_fmt}"
            form = f"{bar}{count} frames [{{elapsed}}{{postfix}}]"
            self._bar = tqdm(total=progress.total, bar_format=form, file=sys.stderr)
        left = progress.seconds_left
        time = "" if left is None else f"{tqdm.format_interval(left)} left, "
        self._bar.set_postfix_str(f"{time}{progress.frames_per_second:.1f} a second", refresh=False)
        self._bar.update(progress.frames - self._bar.n)

    def _print(self, progress: Progress) -> None:
        if progress.seconds_left != 0 and progress.seconds - self._printed < 2:
            return
        self._printed = progress.seconds
        total = f"/{progress.total}" if progress.total else ""
        left = "" if progress.seconds_left is None else f"{progress.seconds_left:.0f} s left, "
        text = f"frame {progress.frames}{total}, {left}{progress.frames_per_second:.1f} a second"
        print(text, file=sys.stderr, flush=True)
