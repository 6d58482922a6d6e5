"""From a run to an exit code: what it made is written whatever ended it, and then it is said why."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from pystyle.cli._announce import say
from pystyle.cli._errors import EXIT_INTERRUPTED, CommandError
from pystyle.cli._picture import Saved
from pystyle.runner._signals import ENDING, handled


class Outcome(Protocol):
    """What a run came to; as a text it is the facts for a sentence."""

    @property
    def stop_reason(self) -> str:
        """``"finished"``, ``"interrupted"``, or a sentence about what went wrong."""

    @property
    def error(self) -> Exception | None:
        """What ended the run if not the run itself."""


@contextmanager
def _held_back() -> Iterator[None]:
    """A context in which signals wait, for the program ends after it; a second Ctrl-C leaves at once."""
    waiting = list[int]()

    def wait(number: int, frame: FrameType | None) -> None:
        del frame
        if waiting and number == signal.SIGINT:
            raise KeyboardInterrupt
        waiting.append(number)

    with handled((signal.SIGINT, *ENDING), wait):
        yield


@_held_back()
def finish(
    outcome: Outcome,
    save: Callable[[], Saved],
    report: Callable[[Saved], None],
    *,
    problems: Sequence[str] = (),
    announce: bool,
    kind: str = "picture",
) -> int:
    """Write what a run made and say what happened.

    Args:
        outcome: The run.
        save: Writes the picture, or the network.
        report: Writes what belongs to it.
        problems: What went wrong beside, in sentences.
        announce: Whether to speak of success as well.
        kind: What it is that the run made.

    Returns:
        The exit code.

    Raises:
        CommandError: If the run diverged, or something could not be written where it should be.
        Exception: What ended the run, with a note that tells where the picture so far is.
    """
    try:
        saved = save()
    except Exception as error:
        if outcome.error is None:
            raise
        outcome.error.add_note(f"The {kind} so far could not be written either: {error}")
        raise outcome.error from None
    told = [*problems, saved.problem, _reported(report, saved)]
    problems = [problem for problem in told if problem]
    whole = outcome.error is None and outcome.stop_reason == "finished"
    place = f"The {kind}{'' if whole else ' so far'} is in {saved.place}: {outcome}."
    if outcome.error is not None:
        outcome.error.add_note(" ".join([*problems, place]))
        raise outcome.error
    if outcome.stop_reason == "interrupted":
        say(" ".join(["Interrupted.", *problems, place]))
        return EXIT_INTERRUPTED
    if not whole:
        problems = [f"The run ended early: {outcome.stop_reason}", *problems]
    if problems:
        raise CommandError(" ".join([*problems, place]))
    if announce:
        say(place)
    return 0


def _reported(report: Callable[[Saved], None], saved: Saved) -> str | None:
    """What went wrong with the report, in a sentence."""
    try:
        report(saved)
    except Exception as error:
        return f"{str(error).rstrip('.')}."
    return None
