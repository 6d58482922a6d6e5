"""The stationary wavelet transform: nothing is decimated, the filters are stretched from level to level.

The filters sum to 1 and not to the root of 2, so that the bands of all levels are in the units of the image.
They are applied by shifts and not by convolutions, which GPUs compute with ten bits of mantissa unless told
otherwise: too few for the difference of two neighbours.
"""

from typing import Literal, TypeAlias, get_args

from torch import Tensor
from torch.nn.functional import pad

from pystyle._arguments import number, whole_number
from pystyle._wrapping import axes_of, checked_wrap, wrap_pad
from pystyle.functional._powers import mean_power
from pystyle.functional._precision import at_least_float32
from pystyle.typing import Wrap

Wavelet: TypeAlias = Literal["haar", "db2"]

_ROOT = 3**0.5
_LOW_PASS: dict[str, tuple[float, ...]] = {
    "haar": (1 / 2, 1 / 2),
    "db2": ((1 + _ROOT) / 8, (3 + _ROOT) / 8, (3 - _ROOT) / 8, (1 - _ROOT) / 8),
}


def wavelet_norm(
    image: Tensor,
    *,
    exponent: float = 1.0,
    num_levels: int = 3,
    wavelet: Wavelet = "haar",
    wrap: Wrap | None = None,
) -> Tensor:
    r"""The size of the detail of an image, by its stationary wavelet transform.

    .. math:: \sum_{j=1}^{J} \sum_{b=1}^{3} \operatorname{mean} |D_{jb}|^p

    with the horizontal, vertical and diagonal details D of each level j. Level 1 sees differences of
    neighbours, every further level twice as far.

    Args:
        image: An image or any map.
        exponent: The p above. 1 tolerates few strong edges, 2 prefers many weak ones.
        num_levels: The number J of levels.
        wavelet: ``"haar"``, or ``"db2"``, for which a linear ramp is no detail.
        wrap: The sides beyond which the image goes on with its other side, in place of its outermost pixels:
            ``"both"``, ``"horizontal"`` or None.

    Returns:
        A scalar.

    Raises:
        ValueError: If an argument has an unknown value, or `image` has not four axes.

    Shape:
        - image: (batch, channels, height, width)

    Example:
        >>> import torch
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 1, 8, 8)
        >>> wavelet_norm(stripes, num_levels=1)   # 7 of 8 columns have a right neighbour, which differs by 1
        tensor(0.4375)

    Note:
        The image is continued by its outermost pixels, so that its size needs no factor of two and its left
        edge is not compared with its right one. Crowson's style_transfer takes the norm of the image that the
        details add up to, here it is that of the details.

    References:
        Nason, Silverman. *The stationary wavelet transform and some statistical applications*. Wavelets and
        Statistics, 1995. Daubechies. *Orthonormal bases of compactly supported wavelets*. Communications
        on Pure and Applied Mathematics, 1988.
    """
    exponent = number(exponent, "`exponent`", above=0)
    num_levels = whole_number(num_levels, "`num_levels`", least=1)
    if wavelet not in get_args(Wavelet):
        raise ValueError(f"`wavelet` must be one of {get_args(Wavelet)}, got {wavelet!r}.")
    if image.ndim != 4:
        raise ValueError(
            f"`image` must have the axes (batch, channels, height, width), got {tuple(image.shape)}."
        )
    wrapped = axes_of(checked_wrap(wrap))
    low = at_least_float32(image)
    norm = low.new_zeros(())
    for level in range(num_levels):
        across, detail_across = _split(low, wavelet, 2**level, axis=3, wraps=3 in wrapped)
        low, horizontal = _split(across, wavelet, 2**level, axis=2, wraps=2 in wrapped)
        details = _split(detail_across, wavelet, 2**level, axis=2, wraps=2 in wrapped)
        for detail in (horizontal, *details):
            norm = norm + mean_power(detail.square(), exponent)
    return norm


def _split(image: Tensor, wavelet: str, step: int, *, axis: int, wraps: bool) -> tuple[Tensor, Tensor]:
    """The low and the high frequencies along one axis, from taps that are `step` pixels apart."""
    low_pass = _LOW_PASS[wavelet]
    high_pass = [(-1) ** index * tap for index, tap in enumerate(reversed(low_pass))]
    reach = (len(low_pass) - 1) * step
    before, after = reach // 2, reach - reach // 2
    if wraps:
        padded = wrap_pad(image, axis, before, after)
    else:
        padded = pad(image, (before, after, 0, 0) if axis == 3 else (0, 0, before, after), mode="replicate")
    shifted = [padded.narrow(axis, index * step, image.shape[axis]) for index in range(len(low_pass))]
    low, high = (
        sum((tap * part for tap, part in zip(taps[1:], shifted[1:], strict=True)), taps[0] * shifted[0])
        for taps in (low_pass, high_pass)
    )
    return low, high
