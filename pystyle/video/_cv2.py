"""OpenCV, which is imported when it is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def cv2_module(purpose: str, extra: str = "camera") -> ModuleType:
    """The package `cv2`.

    Args:
        purpose: What it is for, the beginning of a sentence.
        extra: The extra that brings it.

    Raises:
        ImportError: If it is missing; the message names the extra.
    """
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            f'{purpose} needs OpenCV. Install it with `pip install "pystyle-nst[{extra}]"`.'
        ) from error
    module: ModuleType = cv2
    return module


@contextmanager
def silent(cv2: ModuleType) -> Iterator[None]:
    """A context in which OpenCV writes no warnings to stderr: what is wrong is said by an error."""
    logging = cv2.utils.logging
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)
