"""The loop that paints a clip: a thread reads ahead, the caller paints, and a thread writes behind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from torch import Tensor

from pystyle.checkpoints import encode
from pystyle.video._frame import Frame
from pystyle.video._frame_painter import FramePainter
from pystyle.video._progress import Clock, Progress
from pystyle.video._segment_writing import SegmentWriter
from pystyle.video._segments import Cut
from pystyle.video._threads import ReadAhead, WriteBehind
from pystyle.video._writing import Writer

_WAITING = 2
"""Batches that wait between two threads."""


class Batch(NamedTuple):
    """Frames that are painted together.

    Attributes:
        frames: The frames.
        ends_segment: Whether the next frame begins another segment, or there is none.
        ends_clip: Whether there is no next frame.
    """

    frames: list[Frame]
    ends_segment: bool
    ends_clip: bool


def batches_of(frames: Iterator[Frame], size: int, seconds: Fraction | None = None) -> Iterator[Batch]:
    """The frames in groups of this size; the last of the clip, and of each segment, may be smaller.

    Args:
        frames: The frames.
        size: How many are painted together.
        seconds: How long segments are; None without any.
    """
    batch: list[Frame] = []
    cut = Cut(seconds) if seconds is not None else None
    for frame in frames:
        begins = cut is not None and cut.before(frame.time)
        if batch and (begins or len(batch) == size):
            yield Batch(batch, ends_segment=begins, ends_clip=False)
            batch = []
        batch.append(frame)
    if batch:
        yield Batch(batch, ends_segment=True, ends_clip=True)


def paint_batches(
    batches: Iterator[Batch],
    painter: FramePainter,
    writer: Writer | SegmentWriter,
    clock: Clock,
    progress: Callable[[Progress], None] | None,
    batch_size: int,
) -> Progress:
    """Paint and write all batches, and return how far that has come."""
    count, frame = 0, None
    with ExitStack() as stack:
        behind = stack.enter_context(WriteBehind(_call, size=_WAITING * batch_size))
        for batch in stack.enter_context(ReadAhead(batches, size=_WAITING)):
            for frame in painted(painter, batch.frames):
                behind.put(partial(writer.write, frame))
            if batch.ends_segment and isinstance(writer, SegmentWriter):
                # As bytes, for the painter goes on while they are written.
                remembered = painter.state_dict()
                state = b"".join(encode(remembered)) if remembered else b""
                behind.put(partial(writer.finish, state, last=batch.ends_clip))
            count += len(batch.frames)
            if progress is not None:
                progress(clock.after(count, frame))
    return clock.after(count, frame)


def _call(function: Callable[[], None]) -> None:
    function()


def painted(painter: FramePainter, frames: list[Frame]) -> Iterator[Frame]:
    """The frames with their pictures, which are painted together."""
    pictures = painter.paint(frames)
    shape = (len(frames), *frames[0].image.shape[1:])
    if not isinstance(pictures, Tensor) or pictures.shape != shape:
        found = tuple(pictures.shape) if isinstance(pictures, Tensor) else type(pictures).__name__
        raise ValueError(f"`painter` must give pictures of the shape of the frames, {shape}, got {found}.")
    # They are written, or shown, while the painter goes on, and it may use its memory again.
    pictures = pictures.detach().clone()
    for index, frame in enumerate(frames):
        yield frame._replace(image=pictures[index : index + 1])
