import io
import os
import sys
from collections.abc import Iterable
from typing import IO

from pystyle._arguments import path_of, whole_number
from pystyle.images import ImageReadError
from pystyle.images._read import DEFAULT_MAX_PIXELS
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
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Clip:
    """Returns a clip, whose frames are read when they are asked for.

    - Videos in any format that FFmpeg reads. The rotation that the file asks for is applied; YUV becomes RGB
      by the matrix and the range that the file names (without a name BT.709 for high definition, else
      BT.601, in limited range). Time stamps are exact fractions, so that a variable rate stays as it is.
    - GIF, APNG and animated WebP, with their durations and repetitions. Where they are transparent, they are
      white.
    - A folder of images, in the order of their names, where ``frame-2`` comes before ``frame-10``, at a given
      rate.
    - ``"-"``, the standard input, or a file object, which may be a pipe: it is read once, as it comes. An
      MP4 must be fragmented or have its index at the beginning (``-movflags +faststart`` of FFmpeg);
      Matroska, MPEG-TS and NUT need nothing. An animation is read as a whole first.

    Args:
        source: Path of a file or a folder, "-", or a file object.
        rate: Frames in a second of a folder of images; 25 if not given.
        edge_size: Length in pixels that one edge of each frame gets, the other keeping the aspect ratio; None
            keeps the size.
        edge: Which edge has that length: "short", "long", "height" or "width".
        max_pixels: Largest accepted product of width and height, compared with the header before anything is
            decoded, as in :func:`~pystyle.images.read_image`.

    Returns:
        The clip. It has its size and its rate; its frames come by iterating over it.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: There is no such file, it is no video, too large, or damaged.
        TypeError: `source` is none of these.
        ValueError: `rate` is not positive, or given for what is no folder, or `edge_size` or `max_pixels` is
            not positive.

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
    _check_source(source, "`source` must be")
    clip = _opened(source, rate, whole_number(max_pixels, "`max_pixels`", least=1))
    return clip if edge_size is None else ResizedClip(clip, edge_size, edge)


def as_clip(clip: Clip | str | os.PathLike[str] | IO[bytes]) -> Clip:
    """A clip as it is, or the one of what :func:`read_clip` takes, as the argument `clip`.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(clip, Clip):
        return clip
    _check_source(clip, "`clip` must be a Clip,")
    return read_clip(clip)


def _check_source(source: object, rule: str) -> None:
    is_file = hasattr(source, "read") and not isinstance(source, io.TextIOBase)
    if is_file or (isinstance(source, str | os.PathLike) and isinstance(os.fspath(source), str)):
        return
    hint = ""
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | io.TextIOBase):
        hint = (
            " Frames in memory are painted one by one: `write_clip(path, (frame._replace("
            "image=paint(frame.image)) for frame in frames))`, or `(paint(image) for image in images)`."
        )
    raise TypeError(f"{rule} a path or a binary file object, got {type(source).__name__}.{hint}")


def _opened(source: str | os.PathLike[str] | IO[bytes], rate: float | None, max_pixels: int) -> Clip:
    path, name = None, "the pipe"
    if isinstance(source, str | os.PathLike) and os.fspath(source) != "-":
        # Frames are read later, when the program may be in another folder.
        path, name = path_of(source).absolute(), str(path_of(source))
    if path is not None and path.is_dir():
        return FolderClip(path, name, exact_rate(_USUAL_RATE if rate is None else rate), max_pixels)
    if rate is not None:
        raise ValueError("`rate` is for a folder of images; other clips have times of their own.")
    if path is None:
        file = sys.stdin.buffer if isinstance(source, str | os.PathLike) else source
        return _from_pipe(Pipe(file), name, max_pixels)
    if path.exists() and not path.is_file():
        # A named pipe, or a device.
        return _from_pipe(Pipe(path.open("rb", buffering=0), closes=True), name, max_pixels)
    if not path.is_file():
        raise ImageReadError(f"Cannot read the clip '{name}': there is no such file. Check the path.")
    with path.open("rb") as file:
        start = file.read(_LONGEST_SIGNATURE)
    if not start:
        raise ImageReadError(f"Cannot read the clip '{name}': the file is empty.")
    if start.startswith(SIGNATURES) and not start.endswith(b"AVI "):
        return AnimatedClip(path, name, max_pixels)
    return DecodedClip(path, name, max_pixels)


def _from_pipe(pipe: Pipe, name: str, max_pixels: int) -> Clip:
    if not brings_animation(pipe):
        return DecodedClip(pipe, name, max_pixels)
    data = pipe.rest()
    pipe.close()
    return AnimatedClip(data, name, max_pixels)
