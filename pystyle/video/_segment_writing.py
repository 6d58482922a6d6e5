"""What a segment holds, how it is made of frames, and how segments become a clip.

Of a video they hold the packets of the encoder, which begin with a key frame, so that they are joined without
another loss. Of animations and folders they hold PNG files, for a picture of an animation is encoded as what
differs from the one before; and of single frames, for an encoder needs several to be good.
"""

import io
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pystyle.video._av import av_module, new_container
from pystyle.video._encoding import PictureTrack, Settings
from pystyle.video._frame import Frame
from pystyle.video._pixels import pixels_of, tensor_of_pixels
from pystyle.video._segments import SegmentFolder
from pystyle.video._writing import ContainerWriter, Writer

_PACKETS = ("mp4", "mov", "mkv", "webm")


class SegmentWriter:
    """Writes frames as the segments of a folder.

    Args:
        folder: Where they are written.
        settings: How pictures are encoded.
        first: The number of the first that is written.
        as_pictures: Whether they hold pictures in any case, which are encoded in the end.
    """

    def __init__(self, folder: SegmentFolder, settings: Settings, first: int, *, as_pictures: bool) -> None:
        self._folder, self._settings, self._index = folder, settings, first
        self._as_pictures = as_pictures
        self._segment = self._new_segment()

    def write(self, frame: Frame) -> None:
        """Add a frame to the segment that is open."""
        self._segment.add(frame)

    def finish(self, state: bytes, *, last: bool) -> None:
        """Write the segment that is open.

        Args:
            state: What the painter remembers after it; nothing if it never does.
            last: Whether the clip ends with it.
        """
        if state and not last:
            self._folder.write_state(self._index, state)
        self._folder.write(self._index, {**self._segment.state(), "last": last, "remembers": bool(state)})
        self._index += 1
        self._segment = self._new_segment()

    def _new_segment(self) -> "_PacketSegment | _PictureSegment":
        if self._as_pictures or self._settings.format not in _PACKETS:
            return _PictureSegment()
        return _PacketSegment(self._settings)


def join(segments: Iterable[Mapping[str, Any]], writer: Writer) -> None:
    """Write all segments to a clip."""
    for state in segments:
        data = memoryview(state["data"].numpy())
        ends = np.cumsum(state["sizes"]).tolist()
        for index, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            piece = bytes(data[start:end])
            if "stamps" in state and isinstance(writer, ContainerWriter):
                writer.begin(state["height"], state["width"])
                writer.mux(_packet(writer, piece, state, index))
            else:
                writer.write(_frame(piece, state, index))


class _PacketSegment:
    """The packets of the encoder for a few frames."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.count = settings, 0
        self._container = new_container(io.BytesIO(), settings.kind.container)
        self._track: PictureTrack | None = None
        self._packets: list[Any] = []
        self._size = (0, 0)

    def add(self, frame: Frame) -> None:
        if self._track is None:
            self._size = (int(frame.image.shape[-2]), int(frame.image.shape[-1]))
            self._track = PictureTrack(self._container, self._settings, *self._size, "the segment")
        self._packets += self._track.encode(frame)
        self.count += 1

    def state(self) -> dict[str, Any]:
        if self._track is not None:
            self._packets += self._track.flush()
        return {
            **_data([bytes(packet) for packet in self._packets]),
            "count": self.count,
            "height": self._size[0],
            "width": self._size[1],
            "stamps": [packet.pts for packet in self._packets],
            "durations": [packet.duration for packet in self._packets],
            "keys": [packet.is_keyframe for packet in self._packets],
        }


class _PictureSegment:
    """A few frames as PNG files."""

    def __init__(self) -> None:
        self._files: list[bytes] = []
        self._frames: list[Frame] = []

    @property
    def count(self) -> int:
        return len(self._files)

    def add(self, frame: Frame) -> None:
        file = io.BytesIO()
        Image.fromarray(pixels_of(frame.image)).save(file, "PNG", compress_level=1)
        self._files.append(file.getvalue())
        self._frames.append(frame._replace(image=torch.empty(0)))

    def state(self) -> dict[str, Any]:
        return {
            **_data(self._files),
            "count": self.count,
            "times": [str(frame.time) for frame in self._frames],
            "durations": [None if frame.duration is None else str(frame.duration) for frame in self._frames],
        }


def _data(pieces: list[bytes]) -> dict[str, Any]:
    whole: Tensor = torch.frombuffer(bytearray(b"".join(pieces)), dtype=torch.uint8)
    return {"data": whole, "sizes": [len(piece) for piece in pieces]}


def _packet(writer: ContainerWriter, data: bytes, state: Mapping[str, Any], index: int) -> Any:
    packet = av_module().Packet(data)
    packet.time_base = writer.time_base
    packet.pts = packet.dts = state["stamps"][index]
    packet.duration, packet.is_keyframe = state["durations"][index], state["keys"][index]
    return packet


def _frame(data: bytes, state: Mapping[str, Any], index: int) -> Frame:
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    duration = state["durations"][index]
    return Frame(
        tensor_of_pixels(pixels),
        Fraction(state["times"][index]),
        None if duration is None else Fraction(duration),
    )
