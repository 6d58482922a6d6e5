from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from pystyle._arguments import number
from pystyle.networks import Style, Stylizer
from pystyle.typing import PrecisionChoice
from pystyle.video.sound._centroid import spectral_centroid
from pystyle.video.sound._curve import Curve
from pystyle.video.sound._loudness import loudness
from pystyle.video.sound._onsets import onset_times
from pystyle.video.sound._painter import SoundPainter
from pystyle.video.sound._shares import place_shares, switch_shares
from pystyle.video.sound._sound import Sound

Follow: TypeAlias = Literal["centroid", "onsets"]
"""What of a sound chooses among the styles; see :func:`sound_painter`."""


def sound_painter(
    sound: Sound,
    network: Stylizer,
    styles: Sequence[Style],
    *,
    follow: Follow = "centroid",
    decay: float | None = 0.3,
    smooth: float = 0.2,
    strength: float = 1.0,
    precision: PrecisionChoice = "float32",
) -> SoundPainter:
    """A painter that hears: louder is stronger, and what sounds chooses among the styles.

    Args:
        sound: The sound. Its :func:`loudness` is the strength.
        network: The network.
        styles: Its styles, two or more; one is always itself.
        follow: ``"centroid"`` goes from the first style to the last as the sound gets brighter, octaves as
            equal steps: the ends are what a tenth of its time is below and above. ``"onsets"`` switches to
            the next style at each beginning.
        decay: The seconds in which a switch fades; see :func:`switch_shares`. Only for ``"onsets"``.
        smooth: The seconds over which the strength and the place are averaged. Switches are not.
        strength: The strength where the sound is loud.
        precision: What the network computes in.

    Returns:
        The painter.

    Raises:
        ValueError: If there is no style, `follow` is something else, or `strength` is not in [0, 1].

    Example:
        >>> import numpy as np
        >>> from pystyle.networks import TransformNetwork
        >>> time = np.arange(8000) / 8000
        >>> low, high = (0.5 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 1760))
        >>> sound = Sound(np.concatenate([low, high]), 8000)
        >>> network = TransformNetwork(width=2, styles=["waves", "wheat"])
        >>> paint = sound_painter(sound, network, ["waves", "wheat"])
        >>> [paint.controls(time).shares for time in (0.5, 1.5)]
        [(1.0, 0.0), (0.0, 1.0)]
    """
    if follow not in ("centroid", "onsets"):
        raise ValueError(f"`follow` must be 'centroid' or 'onsets', got {follow!r}.")
    strength = number(strength, "`strength`", least=0, most=1)
    loud = loudness(sound).smoothed(smooth)
    if len(styles) < 2:
        shares = None
    elif follow == "onsets":
        shares = switch_shares(onset_times(sound), len(styles), decay=decay)
    else:
        shares = place_shares(_brightness(sound).smoothed(smooth), len(styles))
    return SoundPainter(
        network,
        styles,
        strength=Curve(loud.times, strength * loud.values),
        shares=shares,
        precision=precision,
    )


def _brightness(sound: Sound) -> Curve:
    """The centroid between its own tenths, in [0, 1]."""
    centroid = spectral_centroid(sound)
    inside = centroid.values[(centroid.times >= sound.start) & (centroid.times <= sound.end)]
    least, most = np.quantile(inside, [0.1, 0.9])
    # A sound that is always as bright has no place to go.
    if not 0 < least < most:
        return Curve([sound.start], [0.0])
    return centroid.scaled(float(least), float(most), logarithmic=True)
