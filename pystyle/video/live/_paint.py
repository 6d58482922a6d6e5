import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.images import resize, scaled_size
from pystyle.images._resize import Edge
from pystyle.video._clip import Clip
from pystyle.video._formats import FormatName
from pystyle.video._frame import Frame
from pystyle.video._frame_painter import FramePainter, as_frame_painter
from pystyle.video._painting import painted
from pystyle.video._write import settings_for
from pystyle.video.live._clock import Clock
from pystyle.video.live._live_clip import grabs_of
from pystyle.video.live._loop import Loop
from pystyle.video.live._newest import Newest
from pystyle.video.live._progress import LiveProgress
from pystyle.video.live._recording import Recording


def paint_live(
    clip: Clip,
    painter: FramePainter | Callable[[Tensor], Tensor],
    *,
    show: Callable[[Frame], object] | None = None,
    stop: Callable[[], bool] | None = None,
    seconds: float | None = None,
    edge_size: int | None = None,
    edge: Edge = "short",
    output: str | os.PathLike[str] | IO[bytes] | None = None,
    quality: int | None = None,
    format: FormatName | None = None,
    progress: Callable[[LiveProgress], None] | None = None,
    clock: Clock | None = None,
) -> LiveProgress:
    """Paints what a camera sees, as fast as that goes: always the newest frame, and never those before it.

    A thread reads the source and keeps its newest frame only, so that a picture is late by what it takes to
    be painted, and by no more, however slow the painter. A clip that is no device is read as fast as it
    can be: :func:`play_clip` makes a device of it.

    It ends with the source, when `stop` says so, after `seconds`, or with Ctrl-C. Whatever ends it, also an
    error, the recording up to there is complete; a kill leaves none.

    Args:
        clip: A camera, a screen, or a clip that plays as one.
        painter: A function that gives pictures for images (1, 3, height, width), such as a
            :class:`~pystyle.networks.Painter`; or a :class:`~pystyle.video.FramePainter`.
        show: Called with each picture, such as that of a :class:`PreviewWindow`.
        stop: Asked after each picture, and twenty times a second while none comes, whether to end.
        seconds: After how many seconds to end.
        edge_size: Length in pixels that one edge of each frame gets; None keeps the size.
        edge: Which edge has that length: "short", "long", "height" or "width".
        output: Where the pictures are recorded, as in :func:`~pystyle.video.write_clip`, with the times of
            their frames. The first has the time 0. There is no sound.
        quality: The constant rate factor of the recording, as in :func:`~pystyle.video.write_clip`.
        format: The format of the recording, whatever its name.
        progress: Called after each picture.
        clock: What tells the time; that of this machine if not given.

    Returns:
        How many frames were painted and dropped, how fast, and how late pictures were.

    Raises:
        ImportError: PyAV is missing for the recording, the extra ``video``.
        ImageReadError: The source cannot be read any more.
        TypeError: `clip` is no clip, or `painter` is neither.
        ValueError: The painter gives pictures of another shape, or an argument is out of its range.
        OSError: The recording cannot be written.

    Shape:
        - images, pictures of `painter`: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import write_clip
        >>> from pystyle.video.live import paint_live, play_clip
        >>> path = tempfile.mkdtemp() + "/clip.png"
        >>> write_clip(path, [torch.zeros(1, 3, 8, 12)] * 3, rate=50)
        >>> shown = []
        >>> result = paint_live(play_clip(path), lambda images: 1 - images, show=shown.append)
        >>> result.stop_reason, result.painted + result.dropped, shown[0].image.mean()
        ('ended', 3, tensor(1.))
    """
    if not isinstance(clip, Clip):
        raise TypeError(
            f"`clip` must be a Clip, got a {type(clip).__name__}. `read_camera`, `read_screen` and "
            "`play_clip` give one."
        )
    if seconds is not None:
        seconds = number(seconds, "`seconds`", above=0)
    size = clip.height, clip.width
    if edge_size is not None:
        size = scaled_size(size, whole_number(edge_size, "`edge_size`", least=1), edge=edge)
    frame_painter, clock = as_frame_painter(painter), Clock() if clock is None else clock

    def picture_of(frame: Frame) -> Frame:
        if frame.image.shape[2:] != size:
            frame = frame._replace(image=resize(frame.image, size))
        return next(painted(frame_painter, [frame]))

    with ExitStack() as stack:
        put = None
        if output is not None:
            settings = settings_for(output, like=clip, rate=None, quality=quality, format=format)
            put = stack.enter_context(Recording(output, settings)).put
        frame_painter.begin()
        loop = Loop(picture_of, [take for take in (show, put) if take is not None], progress, clock)
        return loop.run(stack.enter_context(Newest(grabs_of(clip, clock))), stop, seconds)
