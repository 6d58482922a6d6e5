from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.networks import Painter, Style, Stylizer
from pystyle.networks._codes import check_picture
from pystyle.typing import PrecisionChoice
from pystyle.video._frame import Frame
from pystyle.video._frame_painter import FramePainter
from pystyle.video.sound._curve import Curve
from pystyle.video.sound._shares import check_control

_DIGITS = 6


class Controls(NamedTuple):
    """What a painter does at a time.

    Attributes:
        strength: How much of the styles, from 0 to 1.
        shares: How much of each; 1 together.

    Example:
        >>> Controls(0.5, (1.0, 0.0)).strength
        0.5
    """

    strength: float
    shares: tuple[float, ...]


class SoundPainter(FramePainter):
    """A network that paints each frame as curves say: a function of the frame and its time.

    The styles are looked at once; their codes are blended for each frame. Nothing is remembered from one
    call to the next: a frame and a time give the same picture in any order, in any process.
    :func:`pystyle.video.paint_clip` takes it.

    Args:
        network: The network.
        styles: Its styles: images, names, or lists of both with weights.
        strength: How much of the styles over time, or always.
        shares: How much of each style over time; None gives all the same.
        smooth: The seconds over which both are averaged, without a delay; see :meth:`Curve.smoothed`.
        precision: What the network computes in; see :meth:`pystyle.networks.Stylizer.bind`.

    Attributes:
        strength: The curve, averaged.
        shares: The shares, averaged.

    Raises:
        ValueError: If there is no style, the strength leaves [0, 1], or the shares are negative, not 1 in
            their sum, or not as many as the styles.
        TypeError: If a style is none, or a curve is something else.

    Example:
        >>> import torch
        >>> from pystyle.networks import TransformNetwork
        >>> from pystyle.video.sound import place_shares
        >>> network = TransformNetwork(width=2, styles=["waves", "wheat"])
        >>> fade = Curve([0, 10], [0, 1])
        >>> paint = SoundPainter(network, ["waves", "wheat"], strength=fade, shares=place_shares(fade, 2))
        >>> paint.controls(2.5)
        Controls(strength=0.25, shares=(0.75, 0.25))
        >>> frame = torch.rand(1, 3, 32, 48)
        >>> paint(frame, 2.5).shape, torch.equal(paint(frame, 0), frame)
        (torch.Size([1, 3, 32, 48]), True)

    Note:
        At the strength 0 it gives what :class:`~pystyle.networks.Painter` gives: the frame itself, to the
        last bit and without painting, of a network that mixes pixels, such as those of
        :mod:`pystyle.networks`; what it makes of the frame of one that mixes features, such as that of
        :mod:`pystyle.papers.huang_2017`, so that no jump is between 0 and next to it.
    """

    def __init__(
        self,
        network: Stylizer,
        styles: Sequence[Style],
        *,
        strength: Curve | float = 1.0,
        shares: Curve | None = None,
        smooth: float = 0.0,
        precision: PrecisionChoice = "float32",
    ) -> None:
        if isinstance(styles, str | Tensor) or not len(styles):
            raise ValueError("`styles` must be a list of one style at least.")
        if not isinstance(strength, Curve):
            strength = Curve([0], [number(strength, "`strength`", least=0, most=1)])
        check_control(strength, "`strength`")
        if shares is None:
            shares = Curve([0], np.full((1, len(styles)), 1 / len(styles)))
        _check_shares(shares, len(styles))
        self.network = network
        self.codes = tuple(network.bind(style, precision=precision).codes[None] for style in styles)
        self.precision = precision
        self.strength, self.shares = strength.smoothed(smooth), shares.smoothed(smooth)

    def controls(self, time: float) -> Controls:
        """What it does at a time.

        Args:
            time: The time in seconds, on the clock of the sound.

        Returns:
            The strength and the shares, each to a millionth: what rounding leaves of a style is none of it.

        Raises:
            ValueError: If the time is not finite.
        """
        time = number(time, "`time`")
        shares = self.shares.at(time).round(_DIGITS)
        return Controls(
            round(float(self.strength.at(time)), _DIGITS), tuple((shares / shares.sum()).tolist())
        )

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of frames of a clip, each at its time; neighbours that are painted alike, together.

        Args:
            frames: The frames, whose times are on the clock of the sound.

        Returns:
            The pictures.

        Shape:
            - output: (number of frames, 3, height, width)
        """
        pictures = []
        for _, group in groupby(frames, lambda frame: self.controls(float(frame.time))):
            alike = list(group)
            images = torch.cat([frame.image for frame in alike])
            pictures.append(self(images, float(alike[0].time)))
        return torch.cat(pictures)

    @torch.no_grad()
    def __call__(self, frame: Tensor, time: float) -> Tensor:
        """Paint a frame.

        Args:
            frame: The frame, or several of one time.
            time: Its time in seconds, on the clock of the sound.

        Returns:
            The picture, of the size, the type and the device of the frame.

        Raises:
            ValueError: If the frame is too small or leaves [0, 1], or the time is not finite.
            TypeError: If the frame is no floating tensor of this shape.

        Shape:
            - frame, output: (batch, 3, height, width), RGB in [0, 1]
        """
        strength, shares = self.controls(time)
        check_picture(frame, "frame", self.network)
        if not strength and type(self.network).mixed is Stylizer.mixed:
            return frame.clamp(0, 1)
        used = [(code, share) for code, share in zip(self.codes, shares, strict=True) if share > 0]
        code = used[0][0] if len(used) == 1 else self.network.blend(*zip(*used, strict=True))
        paint = Painter(self.network, {None: code}, precision=self.precision)
        return paint(frame, strength=strength)


def _check_shares(shares: Curve, count: int) -> None:
    if not isinstance(shares, Curve):
        raise TypeError(f"`shares` must be a Curve, got a {type(shares).__name__}.")
    found = 1 if shares.values.ndim == 1 else shares.values.shape[1]
    if shares.values.ndim != 2 or found != count:
        raise ValueError(
            f"`shares` must have a value for each of the {count} styles at a time, got {found}. "
            "`place_shares`, `switch_shares` and `linear_shares` make them."
        )
    if (shares.values < 0).any() or not np.allclose(shares.values.sum(1), 1):
        raise ValueError("`shares` must not be negative, and sum to 1 at each time.")
