"""The loop around the steps of a run. It does not know what a step moves."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from pystyle.criterion import Terms
from pystyle.runner._step import Callback, Step


class Loop:
    """Counts the steps, shows them to callbacks, and ends when there are enough or a callback says so.

    Args:
        poll_interval: Steps between two looks at whether all was finite; a look may make the host wait.
        view: Makes what callbacks see of a step.

    Attributes:
        done: Steps so far.
        stop_reason: Why a callback ended the run; empty if none did.
        stops_all_levels: Whether that ends the levels of a pyramid that come after, too.
    """

    def __init__(self, *, poll_interval: int, view: Callable[..., Step] = Step) -> None:
        self.poll_interval = poll_interval
        self._view = view
        self.done = 0
        self.stop_reason = ""
        self.stops_all_levels = False
        self._seconds = self._start = 0.0

    def start(self) -> None:
        """Let the clock go on from where it stood after the last step."""
        self._start = time.perf_counter() - self._seconds

    def seconds(self) -> float:
        """The time of all steps until now."""
        return time.perf_counter() - self._start

    def take(
        self,
        num_steps: int,
        step: Callable[[int], Terms],
        *,
        is_finite: Callable[[], bool],
        picture: Callable[[], Tensor],
        callbacks: Sequence[Callback],
        accepted: Callable[[], None],
    ) -> bool:
        """Take the rest of the steps.

        Args:
            num_steps: How many there are, with those before.
            step: Takes a step, of which the number is given, and gives the terms that it starts from.
            is_finite: Whether all was finite so far.
            picture: Makes the picture so far.
            callbacks: Called after each step.
            accepted: Called when all callbacks have seen a step.

        Returns:
            Whether all was finite when it was last looked at.
        """
        while self.done < num_steps and not self.stop_reason:
            index = self.done + 1
            terms = step(index)
            if (index % self.poll_interval == 0 or index == num_steps) and not is_finite():
                return False
            seen = self._view(index, num_steps, terms, self.seconds(), picture)
            for callback in callbacks:
                callback(seen)
            self.done, self._seconds = index, seen.seconds
            self.stop_reason, self.stops_all_levels = seen.stop_reason or "", seen.stops_all_levels
            accepted()
        return True

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from."""
        return {
            "step": self.done,
            "stop_reason": self.stop_reason,
            "stops_all_levels": self.stops_all_levels,
            "seconds": self._seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the steps of another loop."""
        self.done, self._seconds = state["step"], state["seconds"]
        self.stop_reason, self.stops_all_levels = state["stop_reason"], state["stops_all_levels"]
