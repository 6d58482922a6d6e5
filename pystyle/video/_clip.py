"""What every clip has, wherever its frames come from."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction

from torch import Tensor

from pystyle.images import ImageReadError
from pystyle.video._frame import Frame
from pystyle.video._sound_tracks import SoundTracks


class Clip(ABC):
    """A stream of frames: one after the other, never all at once. It comes from :func:`read_clip`.

    To iterate over it reads it from the beginning, also a second time; only a pipe can be read once.

    Attributes:
        name: What errors call it: its path, or "the pipe".
        height: Pixels, after the rotation that the file asks for.
        width: Pixels, after the rotation that the file asks for.
        rate: Frames in a second, on average.
        time_base: All times are multiples of it, in seconds.
        num_frames: How many there are; None where the file does not say.
        duration: Seconds; None where the file does not say.
        has_sound: Whether there is at least one sound track.
        pixel_aspect: Width of a pixel divided by its height; 1 nearly everywhere.
        loop: How often an animation is shown; 0 is forever.

    Example:
        >>> import tempfile, torch
        >>> from pystyle.video import read_clip, write_clip
        >>> path = tempfile.mkdtemp() + "/clip.png"
        >>> write_clip(path, [torch.zeros(1, 3, 8, 12)] * 3, rate=25)
        >>> clip = read_clip(path)
        >>> [str(frame.time) for frame in clip]
        ['0', '1/25', '2/25']
        >>> clip.num_frames, clip.height, clip.width, clip.has_sound
        (3, 8, 12, False)
    """

    name: str
    height: int
    width: int
    rate: Fraction
    time_base: Fraction
    num_frames: int | None = None
    duration: Fraction | None = None
    has_sound: bool = False
    pixel_aspect: Fraction = Fraction(1)
    loop: int = 0

    @abstractmethod
    def frames(self, first: int = 0) -> Iterator[Frame]:
        """The frames from the one with this number on; those before it are passed over quickly.

        Raises:
            ImageReadError: If one cannot be read.
        """

    def sound(self) -> SoundTracks | None:
        """The sound tracks as they are in the file, to be copied; None if there are none."""
        return None

    @abstractmethod
    def digest(self) -> str:
        """The SHA-256 of what the clip is read from, by which a run that goes on knows it."""

    def _be_like(self, clip: "Clip") -> None:
        """Have all attributes of another clip, whose frames this one changes."""
        self.name, self.rate, self.time_base = clip.name, clip.rate, clip.time_base
        self.height, self.width, self.pixel_aspect = clip.height, clip.width, clip.pixel_aspect
        self.num_frames, self.duration, self.loop = clip.num_frames, clip.duration, clip.loop
        self.has_sound = clip.has_sound

    def _check_pixels(self, max_pixels: int) -> None:
        """Refuse frames that are too large.

        Raises:
            ImageReadError: If they are.
        """
        count = self.width * self.height
        if count > max_pixels:
            raise ImageReadError(
                f"Cannot read the clip '{self.name}': it has {self.width} x {self.height} = {count} pixels, "
                f"more than {max_pixels}. If you trust the file, pass `max_pixels={count}`."
            )

    def _frame(self, image: Tensor, time: Fraction, duration: Fraction | None) -> Frame:
        """A frame of this clip.

        Raises:
            ImageReadError: If it has another size than the first.
        """
        size = int(image.shape[2]), int(image.shape[3])
        if size != (self.height, self.width):
            raise ImageReadError(
                f"Cannot read the clip '{self.name}': the picture at {float(time):g} seconds has the height "
                f"and the width {size}, and the first one {(self.height, self.width)}."
            )
        return Frame(image, time, duration)

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def __repr__(self) -> str:
        count = "" if self.num_frames is None else f", {self.num_frames} frames"
        sound = ", with sound" if self.has_sound else ""
        rate = f"{float(self.rate):g} a second"
        return f"<clip '{self.name}': {self.width} x {self.height}, {rate}{count}{sound}>"
