"""From a run to an exit code: the picture is written whatever ended the run, and then it is said why."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from pystyle.cli._announce import say
from pystyle.cli._errors import EXIT_INTERRUPTED, CommandError
from pystyle.cli._painting import Painting
from pystyle.cli._picture import Saved
from pystyle.runner._signals import ENDING, handled


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
    painting: Painting,
    save: Callable[[], Saved],
    report: Callable[[Saved], None],
    *,
    problems: Sequence[str] = (),
    announce: bool,
) -> int:
    """Write the picture and say what happened.

    Args:
        painting: The run.
        save: Writes the picture.
        report: Writes what belongs to it.
        problems: What went wrong beside the picture, in sentences.
        announce: Whether to speak of success as well.

    Returns:
        The exit code.

    Raises:
        CommandError: If the run diverged, or something could not be written where it should be.
        Exception: What ended the run, with a note that tells where the picture so far is.
    """
    try:
        saved = save()
    except Exception as error:
        if painting.error is None:
            raise
        painting.error.add_note(f"The picture so far could not be written either: {error}")
        raise painting.error from None
    told = [*problems, saved.problem, _reported(report, saved)]
    problems = [problem for problem in told if problem]
    whole = painting.error is None and painting.stop_reason == "finished"
    place = f"The picture{'' if whole else ' so far'} is in {saved.place}: {painting}."
    if painting.error is not None:
        painting.error.add_note(" ".join([*problems, place]))
        raise painting.error
    if painting.stop_reason == "interrupted":
        say(" ".join(["Interrupted.", *problems, place]))
        return EXIT_INTERRUPTED
    if not whole:
        problems = [f"The run ended early: {painting.stop_reason}", *problems]
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
