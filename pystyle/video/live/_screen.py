"""The screen, by FFmpeg."""

import os
import sys
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.images import ImageReadError
from pystyle.video._av import av_module, reading
from pystyle.video._clip import Clip
from pystyle.video._pixels import tensor_of
from pystyle.video.live._clock import Clock
from pystyle.video.live._live_clip import LiveClip, likely_rate


def read_screen(*, rate: int = 30, clock: Clock | None = None) -> Clip:
    """Returns the screen as a clip, which has no end. It is for :func:`paint_live`.

    It is grabbed by FFmpeg: from X11 on Linux, by GDI on Windows, by AVFoundation on macOS, if PyAV was built
    with that. Wayland shows its screen to no program that does not ask; there is nothing to grab then.

    Args:
        rate: Frames in a second.
        clock: What tells the time; that of this machine if not given.

    Returns:
        The whole screen; of several, what the system calls the first.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: There is no screen, or it may not be grabbed.
        ValueError: `rate` is not positive.

    Example:
        >>> read_screen(rate=10)                                                  # doctest: +SKIP
        <clip 'the screen': 1920 x 1080, 10 a second>
    """
    return ScreenClip(device_of_screen(whole_number(rate, "`rate`", least=1)), clock)


class Device(NamedTuple):
    """What FFmpeg opens.

    Attributes:
        file: The name of the device.
        format: The input format.
        options: Of the input format.
    """

    file: str
    format: str
    options: dict[str, str]


def device_of_screen(rate: int) -> Device:
    """The screen as a device of FFmpeg.

    Raises:
        ImageReadError: If there is none.
    """
    options = {"framerate": str(rate)}
    if sys.platform == "win32":
        device = Device("desktop", "gdigrab", options)
    elif sys.platform == "darwin":
        device = Device("Capture screen 0", "avfoundation", options)
    else:
        device = Device(os.environ.get("DISPLAY", ""), "x11grab", options)
    if not device.file:
        raise ImageReadError(
            "Cannot read the screen: there is none. It is that of X11, which the variable DISPLAY of the "
            "environment names."
        )
    if device.format not in av_module().formats_available:
        raise ImageReadError(
            f"Cannot read the screen: this PyAV was built without the device {device.format!r} of FFmpeg."
        )
    return device


class ScreenClip(LiveClip):
    """A device that FFmpeg grabs.

    Args:
        device: What FFmpeg opens.
        clock: What tells the time.
    """

    def __init__(self, device: Device, clock: Clock | None) -> None:
        super().__init__("the screen", clock)
        self._device = device
        with reading(self.name), self._opened() as container:
            stream = container.streams.video[0]
            self.height, self.width = stream.height, stream.width
            self.rate = likely_rate(float(stream.average_rate or stream.guessed_rate or 0))

    def _pictures(self) -> Generator[Callable[[], Tensor], None, None]:
        with reading(self.name), self._opened() as container:
            for frame in container.decode(video=0):
                yield partial(tensor_of, frame)

    def _opened(self) -> Any:
        file, format, options = self._device
        return av_module().open(file, format=format, options=dict(options))
