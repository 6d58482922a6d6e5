"""From a run to an exit code: the picture is written whatever ended the run, and then it is said why."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pystyle.cli._announce import say
from pystyle.cli._errors import EXIT_INTERRUPTED, CommandError
from pystyle.cli._painting import Painting
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
def finish(painting: Painting, write: Callable[[], None], place: str, *, announce: bool) -> int:
    """Write the picture and say what happened.

    Args:
        painting: The run.
        write: Writes the picture.
        place: Where, for messages.
        announce: Whether to speak of success as well.

    Returns:
        The exit code.

    Raises:
        CommandError: If the run diverged.
        Exception: What ended the run, with a note that tells where the picture so far is.
    """
    if painting.error is not None:
        painting.error.add_note(_saved_anyhow(painting, write, place))
        raise painting.error
    write()
    if painting.stop_reason == "finished":
        if announce:
            say(f"The picture is in {place}: {painting}.")
        return 0
    if painting.stop_reason == "interrupted":
        say(f"Interrupted. The picture so far is in {place}: {painting}.")
        return EXIT_INTERRUPTED
    raise CommandError(
        f"The run ended early: {painting.stop_reason} The picture so far is in {place}: {painting}."
    )


def _saved_anyhow(painting: Painting, write: Callable[[], None], place: str) -> str:
    try:
        write()
    except Exception as error:
        return f"The picture so far could not be written either: {error}"
    return f"The picture so far is in {place}: {painting}."
