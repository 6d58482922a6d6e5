"""The time that passes while a source is painted."""

import time


class Clock:
    """The time of this machine. A subclass may tell another one: tests need not wait then.

    Example:
        >>> clock = Clock()
        >>> start = clock.now()
        >>> clock.wait_until(start + 0.01)
        >>> clock.now() >= start + 0.01
        True
    """

    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def wait_until(self, moment: float) -> None:
        """Wait until the clock tells this time, or not at all if it has passed."""
        while (left := moment - self.now()) > 0:
            time.sleep(left)
