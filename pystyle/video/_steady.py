"""Steadies what another painter paints, along the motion of the clip."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32
from pystyle.video._flow import DISFlow, FlowBetween
from pystyle.video._frame import Frame
from pystyle.video._frame_painter import FramePainter, as_frame_painter
from pystyle.video._trust import blurred, half, moved, trusted

_MOST = 0.9
"""Bicubic moving makes some details up to 6 % stronger: with a larger share of it they would grow."""
_NEW = 0.3
"""The mean difference around a place from which the picture is another one, and not one that flickers."""
_AROUND = 5
"""The side of the square that it is taken over, in pixels at half the size."""


class SteadyPainter(FramePainter):
    r"""Steadies another painter: what moves with the scene is taken from the picture before.

    .. math:: x_t = p_t + s\, w_t \left( W(x_{t-1}) - p_t \right)

    The picture p of a frame is blended with the steadied one before, moved along the flow W between the
    *frames*. The weights w are 1 where it can be trusted: where the flows there and back agree, where the
    moved frame has the colours of the frame, and where the two pictures are not too different. So nothing
    remains of what is hidden, and what appears is painted anew. After a cut all is forgotten: where less than
    a quarter is trusted, or the frames differ by more than 0.12 on the mean after they were moved.

    Args:
        painter: What paints: a function of images, or a :class:`FramePainter`.
        flow: The flow between two frames; by default that of :class:`DISFlow` at half the size, which is
            fast. At full size pictures stay sharper.
        strength: The share s of the picture before, where it is trusted, from 0 to 0.9. Flicker without
            motion changes from frame to frame by :math:`(1 - s) / \sqrt{1 + s}` of what it was.

    Raises:
        ImportError: If no `flow` is given and OpenCV is missing, the extra ``flow``.
        TypeError: If `painter` is neither.
        ValueError: If `strength` is not in [0, 0.9], or (when it paints) pictures or flows have not the size
            of the frames.

    Example:
        >>> import torch
        >>> lights = iter([0.45, 0.55, 0.45, 0.55])
        >>> steady = SteadyPainter(lambda images: torch.full_like(images, next(lights)))
        >>> still = torch.full((1, 3, 32, 32), 0.5)
        >>> for time in range(4):
        ...     picture = steady.paint([Frame(still, time)])
        ...     print(f"{picture.mean():.3f}")
        0.450
        0.471
        0.467
        0.484

    Note:
        Details that change from frame to frame are averaged, so the pictures are softer. The default
        strength is the least with which two styles of ``masters`` had a third of their warping error on a
        clip of a moving camera. A change that the painter makes on purpose, such as another style, is
        followed within some frames. What a painter leaves of the frames, outside of a mask or at a low
        strength, is blended as well: steady what paints there, and compose it with the frames afterwards, as
        ``pystyle video`` does.

    References:
        The reliability of the flow and the moved picture are those of Ruder, Dosovitskiy, Brox. *Artistic
        style transfer for videos*. GCPR 2016; they are blended after painting here, and optimised there.
    """

    def __init__(
        self,
        painter: Callable[[Tensor], Tensor] | FramePainter,
        *,
        flow: FlowBetween | None = None,
        strength: float = 0.8,
    ) -> None:
        self.painter = as_frame_painter(painter)
        self.flow = DISFlow(scale=0.5) if flow is None else flow
        self.strength = number(strength, "`strength`", least=0, most=_MOST)
        self._frame: Tensor | None = None
        self._picture: Tensor | None = None

    @torch.no_grad()
    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of the painter, each steadied by those before."""
        pictures = self.painter.paint(frames)
        expected = (len(frames), 3, *frames[0].image.shape[2:])
        if pictures.shape != expected:
            raise ValueError(
                f"`painter` must give pictures of the shape of the frames, {expected}, got "
                f"{tuple(pictures.shape)}."
            )
        pairs = zip(frames, at_least_float32(pictures), strict=True)
        return torch.cat([self._steadied(frame.image, picture[None]) for frame, picture in pairs])

    def begin(self) -> None:
        """Forget the clip before, and so does the painter."""
        self.painter.begin()
        self._frame = self._picture = None

    def state_dict(self) -> Mapping[str, Any]:
        """The frame and the picture before, and what the painter remembers."""
        return {"painter": self.painter.state_dict(), "frame": self._frame, "picture": self._picture}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the frame before."""
        self.painter.load_state_dict(state["painter"])
        self._frame, self._picture = state["frame"], state["picture"]

    def _steadied(self, frame: Tensor, picture: Tensor) -> Tensor:
        frame, picture = at_least_float32(frame).clone(), picture.clone()
        if self._frame is not None and self._picture is not None and self._frame.shape == frame.shape:
            picture = self._blended(frame, self._frame.to(frame), picture, self._picture.to(picture))
        self._frame, self._picture = frame, picture
        return picture

    def _blended(self, frame: Tensor, last_frame: Tensor, picture: Tensor, last: Tensor) -> Tensor:
        backward = self._flow_between(frame, last_frame)
        weights = trusted(frame, last_frame, backward, self._flow_between(last_frame, frame))
        if weights is None:
            return picture
        last = moved(last, backward.to(picture))
        differences = half((last - picture).abs().mean(1, keepdim=True))
        weights = weights.to(picture) * torch.exp(-((blurred(differences, _AROUND) / _NEW) ** 4))
        weights = interpolate(weights, picture.shape[2:], mode="bilinear", align_corners=False)
        blended = torch.lerp(picture, last, self.strength * weights).clamp(0, 1)
        # Where the flow is not a number, neither is what it moved.
        return blended.where(weights > 0, picture)

    def _flow_between(self, frame: Tensor, other: Tensor) -> Tensor:
        flow = self.flow(frame, other)
        if flow.shape != (1, 2, *frame.shape[2:]):
            raise ValueError(
                f"`flow` must give a flow of the shape {(1, 2, *frame.shape[2:])}, got {tuple(flow.shape)}."
            )
        return flow.to(frame)
