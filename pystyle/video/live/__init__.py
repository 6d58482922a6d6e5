"""Cameras, screens and other sources that do not wait: the newest frame is painted, and those before it are
dropped."""

from pystyle.video.live._camera import read_camera
from pystyle.video.live._clock import Clock
from pystyle.video.live._paint import paint_live
from pystyle.video.live._played import play_clip
from pystyle.video.live._progress import LiveProgress
from pystyle.video.live._screen import read_screen
from pystyle.video.live._window import PreviewWindow

__all__ = [
    "Clock",
    "LiveProgress",
    "PreviewWindow",
    "paint_live",
    "play_clip",
    "read_camera",
    "read_screen",
]
