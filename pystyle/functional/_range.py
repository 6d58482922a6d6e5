from torch import Tensor
from torch.nn.functional import relu

from pystyle._arguments import number
from pystyle.functional._powers import mean_power
from pystyle.functional._precision import at_least_float32


def range_excess(image: Tensor, *, low: float = 0.0, high: float = 1.0) -> Tensor:
    r"""How far the values of an image lie outside a range.

    .. math:: \operatorname{mean} \left( \max(0, l - I)^2 + \max(0, I - h)^2 \right)

    Args:
        image: An image or any tensor.
        low: The lower end l of the range.
        high: The upper end h.

    Returns:
        A scalar; 0 if all values are inside.

    Raises:
        ValueError: If `low` is not below `high`.

    Example:
        >>> import torch
        >>> range_excess(torch.tensor([-2.0, 0.5, 1.0, 2.0]))   # (2² + 1²) / 4
        tensor(1.2500)
    """
    low, high = number(low, "`low`"), number(high, "`high`")
    if not low < high:
        raise ValueError(f"`low` must be below `high`, got {low} and {high}.")
    image = at_least_float32(image)
    return mean_power((relu(low - image) + relu(image - high)).square(), 2.0)


def p_norm(image: Tensor, *, exponent: float = 6.0, center: float = 0.5, radius: float = 0.5) -> Tensor:
    r"""The mean p-th power of the distance of an image from grey.

    .. math:: \operatorname{mean} \left| \frac{I - c}{r} \right|^p

    Colours inside the range count little, those outside quickly more: with the default, the ends of [0, 1]
    have 1 and the middle half of the range at most 1/64.

    Args:
        image: An image or any tensor.
        exponent: The p above.
        center: The value c that costs nothing.
        radius: The distance r from it that costs 1.

    Returns:
        A scalar.

    Raises:
        ValueError: If `exponent` or `radius` is not positive.

    Example:
        >>> import torch
        >>> p_norm(torch.tensor([0.5, 0.0, 1.0, 1.5]))   # (0 + 1 + 1 + 2⁶) / 4
        tensor(16.5000)

    Note:
        It is the mean of the powers and not their root, as in the paper.

    References:
        Mahendran, Vedaldi. *Visualizing deep convolutional neural networks using natural pre-images*. IJCV
        2016. The exponent 6 and the centre: Katherine Crowson's style_transfer, 2017.
    """
    exponent, radius = number(exponent, "`exponent`", above=0), number(radius, "`radius`", above=0)
    center = number(center, "`center`")
    return mean_power(((at_least_float32(image) - center) / radius).square(), exponent)
