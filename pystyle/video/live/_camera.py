"""Cameras, by OpenCV."""

import os
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.images import ImageReadError
from pystyle.video._clip import Clip
from pystyle.video._cv2 import cv2_module, silent
from pystyle.video._pixels import Pixels, tensor_of_pixels
from pystyle.video.live._clock import Clock
from pystyle.video.live._live_clip import LiveClip, likely_rate


def read_camera(
    camera: int | str | os.PathLike[str] = 0,
    *,
    height: int | None = None,
    width: int | None = None,
    rate: int | None = None,
    clock: Clock | None = None,
) -> Clip:
    """Returns a camera as a clip, which has no end. It is for :func:`paint_live`.

    Frames have the times at which they came, in seconds from the first.

    Args:
        camera: Its number, the path of its device, or the address of a network camera, such as
            ``"rtsp://..."``.
        height: The height in pixels that the camera is asked for. It may have another one.
        width: The width in pixels that it is asked for.
        rate: Frames in a second that it is asked for.
        clock: What tells the time; that of this machine if not given.

    Returns:
        The camera, which is in use from now on until its frames have been iterated over.

    Raises:
        ImportError: OpenCV is missing, the extra ``camera``.
        ImageReadError: There is no such camera, or it gives no pictures.
        TypeError: An argument is no integer.
        ValueError: An argument is negative, or a size or rate 0.

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import write_clip
        >>> path = tempfile.mkdtemp() + "/clip.mp4"   # in place of a camera
        >>> write_clip(path, [torch.zeros(1, 3, 48, 64)] * 3, rate=10)
        >>> read_camera(path)
        <clip '...clip.mp4': 64 x 48, 10 a second>

    Note:
        The picture is as the camera sees it, not mirrored. There is no sound.
    """
    if isinstance(camera, int):
        camera = whole_number(camera, "`camera`", least=0)
    wanted = {"FRAME_HEIGHT": height, "FRAME_WIDTH": width, "FPS": rate}
    names = {"FRAME_HEIGHT": "`height`", "FRAME_WIDTH": "`width`", "FPS": "`rate`"}
    asked = {
        name: whole_number(value, names[name], least=1) for name, value in wanted.items() if value is not None
    }
    return CameraClip(camera if isinstance(camera, int) else os.fspath(camera), asked, clock)


class CameraClip(LiveClip):
    """A camera.

    Args:
        camera: Its number, path or address.
        asked: What it is asked for, by the name of the property without `CAP_PROP_`.
        clock: What tells the time.
    """

    def __init__(self, camera: int | str, asked: dict[str, int], clock: Clock | None) -> None:
        super().__init__(f"camera {camera}" if isinstance(camera, int) else camera, clock)
        self._camera, self._asked = camera, asked
        self._capture: Any = self._opened()
        pixels = _read(self._capture)
        if pixels is None:
            self._capture.release()
            raise ImageReadError(
                f"Cannot read the clip '{self.name}': it is there, and gives no pictures. Is another program "
                "using it?"
            )
        self.height, self.width = pixels.shape[:2]
        self.rate = likely_rate(self._capture.get(cv2_module("A camera").CAP_PROP_FPS))

    def _pictures(self) -> Generator[Callable[[], Tensor], None, None]:
        capture, self._capture = self._capture or self._opened(), None
        try:
            while (pixels := _read(capture)) is not None:
                yield partial(_converted, pixels)
        finally:
            capture.release()

    def _opened(self) -> Any:
        cv2 = cv2_module("A camera")
        with silent(cv2):
            capture = cv2.VideoCapture(self._camera)
        if not capture.isOpened():
            raise ImageReadError(
                f"Cannot read the clip '{self.name}': there is no such camera, or it may not be used. The "
                "first camera has the number 0."
            )
        for name, value in self._asked.items():
            capture.set(getattr(cv2, f"CAP_PROP_{name}"), value)
        # Of those systems that keep old pictures; where it is not known, they are passed over by reading on.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture


def _read(capture: Any) -> Pixels | None:
    """The next picture, with blue first; None if there is none any more."""
    pixels: Pixels
    there, pixels = capture.read()
    return pixels if there else None


def _converted(pixels: Pixels) -> Tensor:
    return tensor_of_pixels(pixels[:, :, ::-1])
