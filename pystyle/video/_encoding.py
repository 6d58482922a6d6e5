"""Pictures as packets of an encoder, in an open container."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import Tensor

from pystyle.video._formats import FORMATS, Format
from pystyle.video._frame import Frame
from pystyle.video._palette import palette_frame
from pystyle.video._pixels import Pixels, even, pixels_of, rgb_frame, yuv_frame


@dataclass(frozen=True)
class Settings:
    """How pictures are encoded.

    Args:
        format: Name of the format.
        quality: The constant rate factor, as the encoder takes it.
        rate: Frames in a second, on average.
        time_base: The unit of time stamps, in seconds.
        pixel_aspect: Width of a pixel divided by its height.
        loop: How often an animation is shown; 0 is forever.
    """

    format: str
    quality: str | None
    rate: Fraction
    time_base: Fraction
    pixel_aspect: Fraction = Fraction(1)
    loop: int = 0

    @property
    def kind(self) -> Format:
        """What is known of the format."""
        return FORMATS[self.format]

    @property
    def container_options(self) -> dict[str, str]:
        """What the muxer is told."""
        options = {"fflags": "+bitexact", **self.kind.container_options}
        if self.format in ("gif", "webp"):
            # GIF counts the repetitions.
            once = -1 if self.format == "gif" else 1
            repeated = self.loop - 1 if self.format == "gif" else self.loop
            options["loop"] = str(once if self.loop == 1 else max(repeated, 0))
        if self.format == "apng":
            options["plays"] = str(self.loop)
        return options


class PictureTrack:
    """The track of pictures of an open container.

    Args:
        container: A container of PyAV for output, without a header yet.
        settings: How they are encoded.
        height: Of the pictures, in pixels.
        width: Of the pictures, in pixels.
        name: What errors call the file.
    """

    def __init__(self, container: Any, settings: Settings, height: int, width: int, name: str) -> None:
        kind = settings.kind
        options = dict(kind.options) | ({} if settings.quality is None else {"crf": settings.quality})
        stream = container.add_stream(
            kind.codec, rate=settings.rate.limit_denominator(1 << 30), options=options
        )
        context = stream.codec_context
        stream.height, stream.width = (
            (side + side % 2 if kind.is_even else side) for side in (height, width)
        )
        stream.pix_fmt = kind.pixel_format
        stream.time_base = context.time_base = settings.time_base
        context.sample_aspect_ratio = settings.pixel_aspect
        if kind.pixel_format.startswith("yuv"):
            # H.273: the primaries, the curve and the matrix of BT.709, in limited range.
            context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        self.stream, self._settings, self._name = stream, settings, name
        self._size, self._count = (height, width), 0
        self._last: int | None = None
        self._durations: dict[int, int] = {}

    def encode(self, frame: Frame) -> Iterator[Any]:
        """The packets that are ready after this frame.

        Raises:
            TypeError: If it is no floating tensor.
            ValueError: If it has another size than those before it, does not come after them, or is no image.
        """
        pixels = pixels_of(frame.image)
        stamp = self._stamp(frame, pixels.shape[:2])
        picture = self._picture(pixels)
        picture.pts, picture.time_base = stamp, self._settings.time_base
        duration = frame.duration if frame.duration is not None else 1 / self._settings.rate
        picture.duration = self._durations[stamp] = max(round(duration / self._settings.time_base), 1)
        return self._timed(self.stream.encode(picture))

    def flush(self) -> Iterator[Any]:
        """The packets that remain."""
        return self._timed(self.stream.encode(None))

    def _timed(self, packets: list[Any]) -> Iterator[Any]:
        for packet in packets:
            # Encoders forget how long a frame is shown, which is lost of the last one then.
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            yield packet

    def _stamp(self, frame: Frame, size: tuple[int, ...]) -> int:
        if size != self._size:
            raise ValueError(f"The frames must have one size, got {self._size} and {size}.")
        stamp = round(frame.time / self._settings.time_base)
        if self._last is not None and stamp <= self._last:
            raise ValueError(
                f"The frames must follow each other in time, by {float(self._settings.time_base):g} seconds "
                f"at least in '{self._name}', got {float(self._last * self._settings.time_base):g} and "
                f"{float(frame.time):g} seconds of the frames {self._count - 1} and {self._count}."
            )
        self._last, self._count = stamp, self._count + 1
        return stamp

    def _picture(self, pixels: Pixels) -> Any:
        kind = self._settings.kind
        if kind.pixel_format == "pal8":
            return palette_frame(pixels)
        if kind.pixel_format.startswith("yuv"):
            return yuv_frame(even(pixels) if kind.is_even else pixels, kind.pixel_format)
        return rgb_frame(pixels)


def as_frames(frames: Any, rate: Fraction) -> Iterator[Frame]:
    """Frames as they are, and images one after the other at a rate."""
    for index, item in enumerate(frames):
        if isinstance(item, Frame):
            yield item
        elif isinstance(item, Tensor):
            yield Frame(item, index / rate, 1 / rate)
        else:
            raise TypeError(f"`frames` must be of frames or images, got one of {type(item).__name__}.")
