import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import IO

from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.checkpoints import describe
from pystyle.video._clip import Clip
from pystyle.video._encoding import Settings
from pystyle.video._formats import FormatName
from pystyle.video._frame_painter import FramePainter, as_frame_painter
from pystyle.video._painting import batches_of, paint_batches
from pystyle.video._progress import Clock, Progress
from pystyle.video._read import as_clip
from pystyle.video._segment_writing import SegmentWriter, join
from pystyle.video._segments import SegmentFolder
from pystyle.video._write import check_output, clip_writer, settings_for, settled, sound_source


def paint_clip(
    clip: Clip | str | os.PathLike[str] | IO[bytes],
    painter: FramePainter | Callable[[Tensor], Tensor],
    output: str | os.PathLike[str] | IO[bytes],
    *,
    batch_size: int = 1,
    quality: int | None = None,
    format: FormatName | None = None,
    sound: bool | str | os.PathLike[str] | IO[bytes] = True,
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

    A :class:`FramePainter` begins anew. What it remembers after a segment is kept with it, of the last two.

    Args:
        clip: A clip, or what :func:`read_clip` takes.
        painter: A function that gives pictures for images (batch, 3, height, width), such as a
            :class:`~pystyle.networks.Painter`, whose pictures depend on their batch alone; or a
            :class:`FramePainter`, which sees times and may remember earlier frames.
        output: Where the clip is written, as in :func:`write_clip`.
        batch_size: How many frames are painted at a time.
        quality: The constant rate factor, as in :func:`write_clip`.
        format: The format, whatever the name of the output.
        sound: Whether the sound is copied, or another file with sound, as in :func:`write_clip`.
        progress: Called after each batch.
        checkpoint: A folder of the run's own; it is made if there is none.
        resume: Go on from the segments in that folder, if there are any.
        segment_seconds: How long a segment is. Each begins with a key frame, and no batch goes over its end.
            0 keeps each frame by itself, as a picture that is encoded in the end: for painters that take
            longer for a frame than one wants to lose.

    Returns:
        How many frames were painted, and how fast.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: The clip cannot be read.
        SoundReadError: The file `sound` cannot be read.
        ValueError: The painter gives pictures of another shape, the output cannot hold the sound, there
            are segments and `resume` is false, or an argument is out of its range.
        TypeError: `clip` or `painter` is none of these, or a painter remembers what a checkpoint cannot hold.
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
    seconds = Fraction(number(segment_seconds, "`segment_seconds`", least=0)).limit_denominator(1000)
    if resume and checkpoint is None:
        raise ValueError("`resume` needs a folder with segments. Give `checkpoint` as well.")
    frame_painter = as_frame_painter(painter)
    clip = as_clip(clip)
    settings = settings_for(output, like=clip, rate=None, quality=quality, format=format)
    source, output = sound_source(sound, clip, settings), settled(output)
    folder = None if checkpoint is None else SegmentFolder(checkpoint)
    frame_painter.begin()
    if folder is None:
        with clip_writer(output, settings, source) as writer:
            batches = batches_of(clip.frames(), batch_size)
            return paint_batches(batches, frame_painter, writer, Clock(clip), progress, batch_size)
    asked = {"clip": clip.digest(), "painter": painter, "batch_size": batch_size, "segment_seconds": seconds}
    with folder.taken(_description(asked, settings), resume=resume):
        check_output(output, settings, source)
        done = folder.done()
        if done.state is not None:
            frame_painter.load_state_dict(done.state)
        clock = Clock(clip, done.frames)
        result = clock.after(0, None)
        if not done.is_whole:
            segments = SegmentWriter(folder, settings, done.segments, as_pictures=not seconds)
            batches = batches_of(clip.frames(done.frames), batch_size, seconds)
            result = paint_batches(batches, frame_painter, segments, clock, progress, batch_size)
        with clip_writer(output, settings, source) as writer:
            join(folder.read(), writer)
        return result


def _description(asked: Mapping[str, object], settings: Settings) -> dict[str, str]:
    plain = {key: str(value) if isinstance(value, Fraction) else value for key, value in asked.items()}
    encoded = {key: str(value) for key, value in vars(settings).items()}
    return describe({**plain, **encoded})
