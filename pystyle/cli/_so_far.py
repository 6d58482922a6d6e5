"""Runs that give what they have so far, whatever ends them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from torch import Tensor

from pystyle.cli._errors import CommandError, UsageError
from pystyle.criterion import Terms
from pystyle.runner import Step

_T = TypeVar("_T")

_NO_TERMS = ("step", "seconds", "total", "edge_size")
"""Columns of a history that hold no term."""


class Latest:
    """Keeps the latest step. Errors and Ctrl-C leave no result but this."""

    def __init__(self) -> None:
        self.step: Step | None = None

    def __call__(self, step: Step) -> None:
        """Keep it."""
        self.step = step


def whatever_ends_it(
    run: Callable[[], _T], latest: Latest, so_far: Callable[[Step, str, Exception | None], _T]
) -> _T:
    """What a run comes to, or what there is so far if it does not come to its end.

    Args:
        run: The run.
        latest: One of its callbacks.
        so_far: Makes what there is after a step, with the reason and the error.

    Raises:
        UsageError: If an argument is impossible, such as a size that is too small for the encoder.
        KeyboardInterrupt: If there was one before the first step.
        Exception: Whatever went wrong before the first step.
    """
    try:
        return run()
    except KeyboardInterrupt:
        if latest.step is None:
            raise
        return so_far(latest.step, "interrupted", None)
    except Exception as error:
        if latest.step is not None:
            return so_far(latest.step, "failed", error)
        if isinstance(error, ValueError):
            raise UsageError(str(error)) from error
        raise


def check_begun(stop_reason: str, latest: Latest, *, run: str = "run", kind: str) -> None:
    """Check that there is something to save: without a step there is what the run began with.

    Raises:
        KeyboardInterrupt: If the run was interrupted before its first step.
        CommandError: If it ended otherwise before it, with the reason.
    """
    if latest.step is not None or stop_reason == "finished":
        return
    if stop_reason == "interrupted":
        raise KeyboardInterrupt
    raise CommandError(f"The {run} ended early: {stop_reason} No {kind} was written.")


def last_terms(history: Mapping[str, Sequence[float]]) -> tuple[float | None, dict[str, float | None]]:
    """The last total of a history, None if it is unknown, and the parts of it by name."""
    last = {name: column[-1] for name, column in history.items() if column}
    return last.get("total"), {name: value for name, value in last.items() if name not in _NO_TERMS}


def terms_of(terms: Terms) -> tuple[float | None, dict[str, float | None]]:
    """The total of a step and the parts of it by name; None for what is not finite."""
    return _finite(terms.total), {name: _finite(term) for name, term in terms.items()}


def _finite(value: Tensor) -> float | None:
    return float(value) if bool(value.isfinite()) else None
