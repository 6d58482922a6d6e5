"""A clip whose frames are made smaller or larger as they are read."""

from collections.abc import Iterator

from pystyle._arguments import whole_number
from pystyle.images import resize, scaled_size
from pystyle.images._resize import Edge
from pystyle.video._clip import Clip
from pystyle.video._frame import Frame
from pystyle.video._sound_tracks import SoundTracks


class ResizedClip(Clip):
    """Another clip, with frames of another size.

    Args:
        clip: The clip.
        edge_size: Pixels that one edge gets.
        edge: Which edge.

    Raises:
        ValueError: If `edge_size` is not positive, or there is no such edge.
    """

    def __init__(self, clip: Clip, edge_size: int, edge: Edge) -> None:
        self._clip, self._edge = clip, edge
        self._edge_size = edge_size = whole_number(edge_size, "`edge_size`", least=1)
        self._be_like(clip)
        self.height, self.width = scaled_size((clip.height, clip.width), edge_size, edge=edge)

    def frames(self, first: int = 0) -> Iterator[Frame]:
        for frame in self._clip.frames(first):
            yield frame._replace(image=resize(frame.image, self._edge_size, edge=self._edge))

    def sound(self) -> SoundTracks | None:
        return self._clip.sound()

    def digest(self) -> str:
        return f"{self._clip.digest()} in {self.height} x {self.width}"
