import os
import sys
from pathlib import Path
from typing import IO

from pystyle.images import ImageReadError
from pystyle.images._resize import Edge
from pystyle.video._animation import SIGNATURES, AnimatedClip, brings_animation
from pystyle.video._clip import Clip
from pystyle.video._decoding import DecodedClip
from pystyle.video._folder import FolderClip
from pystyle.video._pipe import Pipe
from pystyle.video._rate import exact_rate
from pystyle.video._resized import ResizedClip

_USUAL_RATE = 25
_LONGEST_SIGNATURE = 12


def read_clip(
    source: str | os.PathLike[str] | IO[bytes],
    *,
    rate: float | None = None,
    edge_size: int | None = None,
    edge: Edge = "short",
) -> Clip:
    """Returns a clip, whose frames are read when they are asked for.

    - Videos in any format that FFmpeg reads. The rotation that the file asks for is applied; YUV becomes RGB
      by the matrix and the range that the file names (without a name BT.709 for high definition, else
      BT.601, in limited range). Time stamps are exact fractions, so that a variable rate stays as it is.
    - GIF, APNG and animated WebP, with their durations and repetitions. Where they are transparent, they are
      white.
    - A folder of images, in the order of their names, at a given rate.
    - ``"-"``, the standard input, or a file object, which may be a pipe: it is read once, as it comes. An
      MP4 must be fragmented or have its index at the beginning (``-movflags +faststart`` of FFmpeg);
      Matroska, MPEG-TS and NUT need nothing. An animation is read as a whole first.

    Args:
        source: Path of a file or a folder, "-", or a file object.
        rate: Frames in a second of a folder of images; 25 if not given.
        edge_size: Length in pixels that one edge of each frame gets, the other keeping the aspect ratio; None
            keeps the size.
        edge: Which edge has that length: "short", "long", "height" or "width".

    Returns:
        The clip. It has its size and its rate; its frames come by iterating over it.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: There is no such file, it is no video, or it is damaged.
        ValueError: `rate` is not positive, or given for what is no folder, or `edge_size` is not positive.

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import write_clip
        >>> path = tempfile.mkdtemp() + "/clip.mp4"
        >>> write_clip(path, [torch.zeros(1, 3, 16, 32)] * 3, rate=10)
        >>> clip = read_clip(path)
        >>> [(tuple(frame.image.shape), str(frame.time)) for frame in clip]
        [((1, 3, 16, 32), '0'), ((1, 3, 16, 32), '1/10'), ((1, 3, 16, 32), '1/5')]

    Note:
        Time begins with the first picture or sound of the file. High dynamic range is read as it is, without
        mapping of tones, and 8 bits of each colour are kept. Subtitles and chapters are left out.
    """
    clip = _opened(source, rate)
    return clip if edge_size is None else ResizedClip(clip, edge_size, edge)


def _opened(source: str | os.PathLike[str] | IO[bytes], rate: float | None) -> Clip:
    path = None if not isinstance(source, str | os.PathLike) or os.fspath(source) == "-" else Path(source)
    if path is not None and path.expanduser().is_dir():
        return FolderClip(path.expanduser(), exact_rate(_USUAL_RATE if rate is None else rate))
    if rate is not None:
        raise ValueError("`rate` is for a folder of images; other clips have times of their own.")
    if path is None:
        file = sys.stdin.buffer if isinstance(source, str | os.PathLike) else source
        return _from_pipe(Pipe(file), "the pipe")
    path = path.expanduser()
    if path.exists() and not path.is_file():
        # A named pipe, or a device.
        return _from_pipe(Pipe(path.open("rb", buffering=0), closes=True), str(path))
    if not path.is_file():
        raise ImageReadError(f"Cannot read the clip '{path}': there is no such file. Check the path.")
    with path.open("rb") as file:
        start = file.read(_LONGEST_SIGNATURE)
    if not start:
        raise ImageReadError(f"Cannot read the clip '{path}': the file is empty.")
    if start.startswith(SIGNATURES) and not start.endswith(b"AVI "):
        return AnimatedClip(path, str(path))
    return DecodedClip(path, str(path))


def _from_pipe(pipe: Pipe, name: str) -> Clip:
    if not brings_animation(pipe):
        return DecodedClip(pipe, name)
    data = pipe.rest()
    pipe.close()
    return AnimatedClip(data, name)
