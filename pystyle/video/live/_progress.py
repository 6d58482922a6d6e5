from dataclasses import dataclass
from typing import Literal

StopReason = Literal["ended", "stopped", "interrupted"]


@dataclass(frozen=True)
class LiveProgress:
    """How the painting of a live source goes.

    Attributes:
        painted: How many frames were painted.
        dropped: How many came and were not painted, since a newer one was there.
        seconds: How long it has taken.
        latency: Seconds from a frame to its picture, on average, without what a camera or a screen takes
            itself.
        longest_latency: The longest of them, in seconds; often that of the first picture.
        stop_reason: None as long as it goes on; ``"ended"`` if the source has ended, ``"stopped"`` if `stop`
            said so or the time was up, ``"interrupted"`` after Ctrl-C.

    Example:
        >>> progress = LiveProgress(painted=50, dropped=70, seconds=4.0, latency=0.09, longest_latency=0.2)
        >>> progress.frames_per_second
        12.5
    """

    painted: int
    dropped: int
    seconds: float
    latency: float
    longest_latency: float
    stop_reason: StopReason | None = None

    @property
    def frames_per_second(self) -> float:
        """How many are painted in a second."""
        return self.painted / self.seconds if self.seconds > 0 else 0.0
