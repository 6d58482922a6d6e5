"""Clips as streams of frames: read, painted and written a few at a time, with their times and their sound."""

from pystyle.video._clip import Clip
from pystyle.video._flow import DISFlow, FlowBetween
from pystyle.video._frame import Frame
from pystyle.video._frame_painter import FramePainter
from pystyle.video._paint import paint_clip
from pystyle.video._progress import Progress
from pystyle.video._read import read_clip
from pystyle.video._steady import SteadyPainter
from pystyle.video._still import still_clip
from pystyle.video._write import write_clip

__all__ = [
    "Clip",
    "DISFlow",
    "FlowBetween",
    "Frame",
    "FramePainter",
    "Progress",
    "SteadyPainter",
    "paint_clip",
    "read_clip",
    "still_clip",
    "write_clip",
]
