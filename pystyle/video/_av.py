"""PyAV, which is imported when a clip is opened, and its errors as sentences."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from types import ModuleType
from typing import IO, Any

from pystyle.images import ImageReadError


def av_module() -> ModuleType:
    """The package `av`.

    Raises:
        ImportError: If it is missing; the message names the extra.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            'Reading and writing clips needs PyAV. Install it with `pip install "pystyle-nst[video]"`.'
        ) from error
    module: ModuleType = av
    return module


@contextmanager
def reading(name: str) -> Iterator[None]:
    """A context whose errors of FFmpeg name the clip."""
    av = av_module()
    try:
        yield
    except av.error.FFmpegError as error:
        raise ImageReadError(
            f"Cannot read the clip '{name}': {error.strerror or error}. Is it a video, and complete?"
        ) from error


@contextmanager
def writing(name: str) -> Iterator[None]:
    """A context whose errors of FFmpeg name the file."""
    av = av_module()
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise OSError(error.errno, f"Cannot write the clip '{name}': {error.strerror or error}") from error


class OneWay:
    """A file object that is written from its beginning to its end, as a pipe is.

    Args:
        file: What has `write`.
    """

    def __init__(self, file: IO[bytes]) -> None:
        # Nothing else can be called: FFmpeg asks whether it can seek by looking for the method.
        self.write = file.write


def open_container(source: Any) -> Any:
    """A container of PyAV that is read, whose metadata may be in any encoding."""
    return av_module().open(source, metadata_errors="replace")


def new_container(target: Any, format: str, options: Mapping[str, str] = {}) -> Any:
    """A container of PyAV that is written."""
    return av_module().open(target, "w", format=format, options=dict(options))


def beginning(tracks: Iterable[Any], times: Iterable[Fraction] = ()) -> Fraction:
    """When the first of some tracks begins, or what is shown at some times: one shift for all, so that they
    stay together."""
    starts = [track.start_time * track.time_base for track in tracks if track.start_time is not None]
    return min(map(Fraction, [*starts, *times]), default=Fraction(0))
