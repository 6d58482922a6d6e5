"""Animations that Pillow reads: GIF, APNG and WebP."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from pystyle.images import ImageReadError, from_pil
from pystyle.images._formats import open_header
from pystyle.video._clip import Clip
from pystyle.video._decoding import file_digest
from pystyle.video._frame import Frame
from pystyle.video._pipe import Pipe

_GIF, _PNG = b"GIF8", b"\x89PNG\r\n\x1a\n"
SIGNATURES = (_GIF, _PNG, b"RIFF")
"""What such a file begins with; RIFF also stands before AVI."""

_UNTOLD = Fraction(1, 10)
"""How long a frame is shown of which the file says 0 seconds, as browsers have it."""

_LARGEST_DENOMINATOR = 65_535
"""That of the durations in an APNG."""


class AnimatedClip(Clip):
    """An animation.

    Args:
        source: Path of the file, or its bytes.
        name: What errors call it.
        max_pixels: The most that a frame may have.

    Raises:
        ImageReadError: If it cannot be read.
    """

    def __init__(self, source: Path | bytes, name: str, max_pixels: int) -> None:
        self.name, self._source = name, source
        with self._opened() as picture:
            self.width, self.height = picture.size
            self._check_pixels(max_pixels)
            self.num_frames = int(getattr(picture, "n_frames", 1)) - _hidden(picture)
            self.loop = _loop(picture)
            self.duration = sum(map(_duration, self._pictures(picture)), Fraction(0))
        self.rate = (self.num_frames / self.duration).limit_denominator(_LARGEST_DENOMINATOR)
        # Hundredths, thousandths, and the durations at usual rates are multiples of it.
        self.time_base = Fraction(1, 90_000)

    def frames(self, first: int = 0) -> Iterator[Frame]:
        time = Fraction(0)
        with self._opened() as opened:
            for index, picture in enumerate(self._pictures(opened)):
                duration = _duration(picture)
                if index >= first:
                    yield self._frame(from_pil(picture), time, duration)
                time += duration

    def digest(self) -> str:
        source = self._source
        return file_digest(source) if isinstance(source, Path) else hashlib.sha256(source).hexdigest()

    def _pictures(self, picture: Any) -> Iterator[Any]:
        """The picture at each frame."""
        hidden = _hidden(picture)
        for index in range(self.num_frames or 0):
            picture.seek(index + hidden)
            # WebP knows no duration before.
            picture.load()
            yield picture

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            source = self._source
            with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
                picture = open_header(file)
                if picture is None:
                    raise OSError("it is none of GIF, PNG and WebP")
                yield picture
        except (OSError, EOFError, SyntaxError, ValueError) as error:
            if isinstance(error, ImageReadError):
                raise
            raise ImageReadError(
                f"Cannot read the clip '{self.name}': {str(error).rstrip('.')}. Is it complete?"
            ) from error


def brings_animation(pipe: Pipe) -> bool:
    """Whether an animation comes out of a pipe; other files of PNG and WebP may be one frame of several."""
    start = pipe.beginning(21)
    if start.startswith(_PNG):
        return _is_apng(pipe)
    is_extended_webp = start.startswith(b"RIFF") and start[8:16] == b"WEBPVP8X" and len(start) == 21
    return start.startswith(_GIF) or (is_extended_webp and bool(start[20] & 2))


def _is_apng(pipe: Pipe) -> bool:
    """Whether there is an `acTL` chunk, which stands before the pixels."""
    place = len(_PNG)
    while True:
        head = pipe.beginning(place + 8)[place:]
        if len(head) < 8 or head[4:] in (b"IDAT", b"acTL"):
            return head[4:] == b"acTL"
        place += 12 + int.from_bytes(head[:4], "big")


def _hidden(picture: Any) -> int:
    """How many pictures stand before the animation, for readers that know none."""
    return int(bool(picture.info.get("default_image")) and getattr(picture, "n_frames", 1) > 1)


def _duration(picture: Any) -> Fraction:
    milliseconds = picture.info.get("duration") or 0
    return Fraction(milliseconds / 1000).limit_denominator(_LARGEST_DENOMINATOR) or _UNTOLD


def _loop(picture: Any) -> int:
    if picture.format != "GIF":
        return int(picture.info.get("loop", 0))
    # It says how often the animation is repeated, 0 for ever, or nothing.
    repeated = picture.info.get("loop")
    return 1 if repeated is None else int(repeated) + 1 if repeated else 0
