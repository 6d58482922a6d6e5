"""A window that shows what is painted."""

import os
import sys
from types import ModuleType

import numpy as np

from pystyle.video._cv2 import cv2_module
from pystyle.video._frame import Frame
from pystyle.video._pixels import pixels_of

_ESCAPE = 27
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


class PreviewWindow:
    """A window of OpenCV. A context: it opens at the beginning, and closes at the end.

    The keys q and Esc end it, and so does closing it.

    Args:
        title: What stands above it.

    Raises:
        ImportError: OpenCV is missing, or has no windows, as that of ``opencv-python-headless``.
        OSError: There is no screen.

    Example:
        >>> from pystyle.video.live import paint_live, read_camera
        >>> with PreviewWindow("painted") as window:                              # doctest: +SKIP
        ...     paint_live(read_camera(), paint, show=window.show, stop=window.closed)
    """

    def __init__(self, title: str = "pystyle") -> None:
        self.title = title
        self._cv2: ModuleType | None = None
        self._shown = False

    def __enter__(self) -> "PreviewWindow":
        cv2 = cv2_module("A window")
        if sys.platform.startswith("linux") and not any(map(os.environ.get, _DISPLAYS)):
            # Qt would end the program.
            raise OSError("There is no screen for a window: neither DISPLAY nor WAYLAND_DISPLAY is set.")
        try:
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise ImportError(
                "This OpenCV has no windows, as that of `opencv-python-headless`. Remove it, and install one "
                'that has with `pip install "pystyle-nst[camera]"`.'
            ) from error
        self._cv2, self._shown = cv2, False
        return self

    def __exit__(self, *_: object) -> None:
        cv2, self._cv2 = self._cv2, None
        if cv2 is not None and cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1:
            cv2.destroyWindow(self.title)

    def show(self, frame: Frame) -> None:
        """Show a picture."""
        if self._cv2 is None:
            raise ValueError("The window is not open. Use it in a `with` statement.")
        pixels = np.ascontiguousarray(pixels_of(frame.image)[:, :, ::-1])
        if not self._shown:
            self._cv2.resizeWindow(self.title, pixels.shape[1], pixels.shape[0])
        self._cv2.imshow(self.title, pixels)
        self._shown = True

    def closed(self) -> bool:
        """Whether q or Esc was pressed, or the window was closed. It also draws what is to be shown."""
        if self._cv2 is None:
            return True
        key = self._cv2.waitKey(1) & 0xFF
        visible = self._cv2.getWindowProperty(self.title, self._cv2.WND_PROP_VISIBLE)
        return key in (ord("q"), ord("Q"), _ESCAPE) or (self._shown and visible < 1)
