import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from typing import IO

import torch
from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.checkpoints import describe
from pystyle.video._clip import Clip
from pystyle.video._encoding import Settings
from pystyle.video._formats import FormatName
from pystyle.video._frame import Frame
from pystyle.video._progress import Clock, Progress
from pystyle.video._read import read_clip
from pystyle.video._segment_writing import SegmentWriter, join
from pystyle.video._segments import Cut, SegmentFolder
from pystyle.video._threads import ReadAhead, WriteBehind
from pystyle.video._write import check_output, clip_writer, settings_for
from pystyle.video._writing import Writer

_WAITING = 2
"""Batches that wait between two threads."""


def paint_clip(
    clip: Clip | str | os.PathLike[str] | IO[bytes],
    painter: Callable[[Tensor], Tensor],
    output: str | os.PathLike[str] | IO[bytes],
    *,
    batch_size: int = 1,
    quality: int | None = None,
    format: FormatName | None = None,
    sound: bool = True,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    segment_seconds: float = 4.0,
) -> Progress:
    """Paints each frame of a clip, and writes a clip with the same times and the same sound.

    One thread reads ahead, this one paints, and one writes behind. The memory that it takes is that of a few
    batches, however long the clip is. An error, or Ctrl-C, ends all three, and leaves the output as it was
    before.

    With a `checkpoint`, what is painted is written to segments in that folder, each complete or absent. A
    run that was killed goes on after the last one with `resume=True`, and gives the same bytes as one that
    was not. In the end the segments are joined without being encoded again, and the sound is added. They stay
    in the folder, which may be removed then.

    Args:
        clip: A clip, or what :func:`read_clip` takes.
        painter: Gives pictures for images (batch, 3, height, width), such as a
            :class:`~pystyle.networks.Painter`. With a `checkpoint` each picture must depend on its batch
            alone.
        output: Where the clip is written, as in :func:`write_clip`.
        batch_size: How many frames are painted at a time.
        quality: The constant rate factor, as in :func:`write_clip`.
        format: The format, whatever the name of the output.
        sound: Whether the sound is copied.
        progress: Called after each batch.
        checkpoint: A folder of the run's own; it is made if there is none.
        resume: Go on from the segments in that folder, if there are any.
        segment_seconds: How long a segment is. Each begins with a key frame, and no batch goes over its end.

    Returns:
        How many frames were painted, and how fast.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: The clip cannot be read.
        ValueError: The painter gives pictures of another shape, the output cannot hold the sound, there
            are segments and `resume` is false, or an argument is out of its range.
        CheckpointError: The segments are of another clip, painter or setting, or another run has the folder.
        OSError: The output or a segment cannot be written.

    Shape:
        - images, pictures of `painter`: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import paint_clip, read_clip, write_clip
        >>> folder = tempfile.mkdtemp()
        >>> write_clip(f"{folder}/clip.mp4", [torch.zeros(1, 3, 16, 32)] * 5, rate=25)
        >>> paint_clip(f"{folder}/clip.mp4", lambda images: 1 - images, f"{folder}/white.mp4").frames
        5
        >>> next(iter(read_clip(f"{folder}/white.mp4"))).image.mean()
        tensor(1.)
    """
    batch_size = whole_number(batch_size, "`batch_size`", least=1)
    seconds = Fraction(number(segment_seconds, "`segment_seconds`", above=0)).limit_denominator(1000)
    if resume and checkpoint is None:
        raise ValueError("`resume` needs a folder with segments. Give `checkpoint` as well.")
    clip = clip if isinstance(clip, Clip) else read_clip(clip)
    settings = settings_for(output, like=clip, rate=None, quality=quality, format=format)
    like = clip if sound else None
    if checkpoint is None:
        with clip_writer(output, settings, like) as writer:
            return _paint(clip, painter, writer, Clock(clip), batch_size, progress)
    asked = {"clip": clip.digest(), "painter": painter, "batch_size": batch_size, "segment_seconds": seconds}
    folder = SegmentFolder(checkpoint)
    with folder.taken(_description(asked, settings), resume=resume):
        check_output(output, settings, like)
        done = [(int(state["count"]), bool(state["last"])) for state in folder.read()]
        first = sum(count for count, _ in done)
        clock = Clock(clip, first)
        result = clock.after(0, None)
        if not (done and done[-1][1]):
            segments = SegmentWriter(folder, settings, seconds, len(done))
            result = _paint(clip, painter, segments, clock, batch_size, progress, first, seconds)
            segments.finish()
        with clip_writer(output, settings, like) as writer:
            join(folder.read(), writer)
        return result


def _paint(
    clip: Clip,
    painter: Callable[[Tensor], Tensor],
    writer: Writer,
    clock: Clock,
    batch_size: int,
    progress: Callable[[Progress], None] | None,
    first: int = 0,
    seconds: Fraction | None = None,
) -> Progress:
    painted, frame = 0, None
    with ExitStack() as stack:
        behind = stack.enter_context(WriteBehind(writer.write, size=_WAITING * batch_size))
        batches = _batches(clip.frames(first), batch_size, seconds)
        for batch in stack.enter_context(ReadAhead(batches, size=_WAITING)):
            for frame in _painted(painter, batch):
                behind.put(frame)
            painted += len(batch)
            if progress is not None:
                progress(clock.after(painted, frame))
    return clock.after(painted, frame)


def _batches(frames: Iterator[Frame], size: int, seconds: Fraction | None) -> Iterator[list[Frame]]:
    """The frames in groups of this size; the last of the clip, and of each segment, may be smaller."""
    batch: list[Frame] = []
    cut = Cut(seconds) if seconds is not None else None
    for frame in frames:
        begins = cut is not None and cut.before(frame.time)
        if batch and (begins or len(batch) == size):
            yield batch
            batch = []
        batch.append(frame)
    if batch:
        yield batch


def _painted(painter: Callable[[Tensor], Tensor], batch: list[Frame]) -> Iterator[Frame]:
    """The frames with their pictures painted together."""
    images = torch.cat([frame.image for frame in batch])
    pictures = painter(images)
    if not isinstance(pictures, Tensor) or pictures.shape != images.shape:
        found = tuple(pictures.shape) if isinstance(pictures, Tensor) else type(pictures).__name__
        raise ValueError(
            f"`painter` must give pictures of the shape of the frames, {tuple(images.shape)}, got {found}."
        )
    for index, frame in enumerate(batch):
        yield frame._replace(image=pictures[index : index + 1].detach())


def _description(asked: dict[str, object], settings: Settings) -> dict[str, str]:
    plain = {key: str(value) if isinstance(value, Fraction) else value for key, value in asked.items()}
    encoded = {key: str(value) for key, value in vars(settings).items()}
    return describe({**plain, **encoded})
