"""Clips from video files and to them. PyAV is imported when one is read or written."""

import io
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.images._atomic import check_writable, replace_file
from pystyle.images._errors import ImageReadError
from pystyle.images._levels import check_single_image, levels
from pystyle.images._resize import Edge, resize

_CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


class Clip(NamedTuple):
    """The frames of a video and how fast they follow each other.

    Attributes:
        frames: RGB in [0, 1], each (1, 3, height, width).
        frames_per_second: How many are shown in a second.

    Example:
        >>> clip = Clip([torch.zeros(1, 3, 4, 4)] * 50, 25.0)
        >>> len(clip.frames) / clip.frames_per_second
        2.0
    """

    frames: list[Tensor]
    frames_per_second: float


def read_video(
    source: str | os.PathLike[str],
    *,
    first_frame: int = 0,
    num_frames: int | None = None,
    edge_size: int | None = None,
    edge: Edge = "short",
) -> Clip:
    """Returns the frames of a video file.

    All of them are in memory: a second of 1280 x 720 pixels takes 280 MB. Sound is left out.

    Args:
        source: Path of the file, in any format that FFmpeg reads.
        first_frame: The number of the first frame that is wanted.
        num_frames: How many; all that follow if not given.
        edge_size: Length in pixels that one edge of each frame gets, the other keeping the aspect ratio; None
            keeps the size.
        edge: Which edge has that length: "short", "long", "height" or "width".

    Returns:
        The frames, RGB in [0, 1], and their rate.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        ImageReadError: The file is missing or is no video, or has not so many frames.
        ValueError: `first_frame` is negative or `num_frames` not positive.

    Example:
        >>> clip = read_video("dancing.mp4", num_frames=50)  # doctest: +SKIP
        >>> clip.frames[0].shape  # doctest: +SKIP
        torch.Size([1, 3, 720, 1280])
    """
    first_frame = whole_number(first_frame, "`first_frame`", least=0)
    if num_frames is not None:
        num_frames = whole_number(num_frames, "`num_frames`", least=1)
    av = _av()
    path = os.path.expanduser(source)
    if not Path(path).is_file():
        raise ImageReadError(f"Cannot read the video '{path}': there is no such file.")
    frames = list[Tensor]()
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise ImageReadError(f"Cannot read the video '{path}': there are no pictures in it.")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or stream.guessed_rate or 25)
            for index, frame in enumerate(container.decode(stream)):
                if num_frames is not None and index >= first_frame + num_frames:
                    break
                if index >= first_frame:
                    image = _tensor(frame.to_ndarray(format="rgb24"))
                    frames.append(image if edge_size is None else resize(image, edge_size, edge=edge))
    except av.error.FFmpegError as error:
        raise ImageReadError(f"Cannot read the video '{path}': {error.strerror}.") from error
    if not frames:
        raise ImageReadError(f"Cannot read the video '{path}': it has no frame {first_frame}.")
    return Clip(frames, rate)


def write_video(
    frames: Iterable[Tensor],
    destination: str | os.PathLike[str],
    *,
    frames_per_second: float = 25.0,
    quality: int = 18,
) -> None:
    """Writes frames to a video file (H.264), which is complete or absent.

    Args:
        frames: RGB images of one size; values are clamped to [0, 1]. They may be painted while they are
            taken: that the file can be written is found out before the first.
        destination: Path of the file, which ends in ".mp4", ".mov" or ".mkv".
        frames_per_second: How many frames are shown in a second.
        quality: The constant rate factor of the encoder, from 0 (no loss but that of the colour space)
            to 51; 18 looks like the frames.

    Raises:
        ImportError: PyAV is missing, the extra ``video``.
        TypeError: A frame is not a floating tensor.
        ValueError: There are no frames, one has another size or is not finite, or an argument is out of its
            range.
        OSError: The file cannot be written.

    Shape:
        Input: each ``(1, 3, height, width)`` or ``(3, height, width)``, in [0, 1]

    Example:
        >>> write_video([torch.rand(1, 3, 64, 64)] * 25, "noise.mp4")  # doctest: +SKIP

    Note:
        Colours have half the resolution, which all players understand, unless a side is odd: H.264 can then
        hold them at the full one only.
    """
    container_format = _CONTAINERS.get(Path(destination).suffix.lower())
    if container_format is None:
        raise ValueError(
            f"`destination` must end in one of {', '.join(_CONTAINERS)}, got '{os.fspath(destination)}'."
        )
    frames_per_second = number(frames_per_second, "`frames_per_second`", above=0)
    quality = whole_number(quality, "`quality`", least=0, most=51)
    av = _av()
    # The frames may be painted while they are written.
    check_writable(destination, kind="video")
    buffer, size = io.BytesIO(), None
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(frames_per_second).limit_denominator(1001), options={"crf": str(quality)}
        )
        for frame in frames:
            pixels = _pixels(frame)
            height, width = pixels.shape[:2]
            if size is None:
                size = stream.height, stream.width = height, width
                stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
            if (height, width) != size:
                raise ValueError(f"`frames` must have one size, got {size} and {(height, width)}.")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if size is None:
            raise ValueError("`frames` must have at least one frame, got none.")
        container.mux(stream.encode(None))
    replace_file(destination, buffer.getvalue(), kind="video")


def _pixels(frame: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    image = check_single_image(frame)
    whole = levels(image.expand(3, -1, -1), 255)
    return np.ascontiguousarray(whole.permute(1, 2, 0).cpu().numpy().astype(np.uint8))


def _tensor(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Tensor:
    whole = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1).unsqueeze(0)
    return (whole / whole.new_full((), 255.0)).contiguous()


def _av() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise ImportError(
            'Reading and writing videos needs PyAV. Install it with `pip install "pystyle-nst[video]"`.'
        ) from error
    module: ModuleType = av
    return module
