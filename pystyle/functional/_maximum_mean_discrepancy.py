from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.functional._gram import positions
from pystyle.functional._precision import without_autocast

Kernel: TypeAlias = Literal["linear", "polynomial", "gaussian"]


def maximum_mean_discrepancy(
    vectors: Tensor,
    reference: Tensor,
    *,
    kernel: Kernel = "gaussian",
    degree: int = 2,
    offset: float = 0.0,
    bandwidth: float | None = None,
) -> Tensor:
    r"""An unbiased estimate of the squared maximum mean discrepancy of two sets, from pairs.

    With each set parted into halves x, x' and y, y', and P pairs, it is

    .. math:: \frac{1}{P} \sum_p k(x_p, x'_p) + k(y_p, y'_p) - k(x_p, y'_p) - k(x'_p, y_p)

    .. math:: k(x, y) = x^\top y, \qquad (x^\top y + c)^d \qquad\text{or}\qquad
              \exp \left( -\frac{\|x - y\|^2}{2 \sigma^2} \right)

    Args:
        vectors: The first set. What stands in which half is a matter of its order: shuffle it.
        reference: The second set. If one set is larger, its last vectors do not count.
        kernel: ``"linear"``, ``"polynomial"`` or ``"gaussian"``.
        degree: The d of the polynomial kernel.
        offset: The c of the polynomial kernel.
        bandwidth: The σ of the Gaussian kernel. If not given, 2σ² is the mean squared distance of the pairs
            that are compared, without a gradient.

    Returns:
        One number per image, in float32 at least. It is negative at times, for its mean is zero for sets of
        one distribution.

    Raises:
        ValueError: If batch sizes or channels differ, a set is empty, `kernel` is unknown, or `degree` or
            `bandwidth` is not positive.

    Shape:
        - vectors: (batch, channels, positions), or any number of position axes
        - reference: (batch, channels, other positions), or any number of position axes
        - output: (batch)

    Example:
        >>> import torch
        >>> vectors, reference = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[4.0, 6.0]]])
        >>> maximum_mean_discrepancy(vectors, reference, kernel="linear")   # 2 + 24 - 6 - 8
        tensor([12.])

    Note:
        A set of a single vector is compared as if it had it twice.

    References:
        Gretton et al. *A kernel two-sample test*. JMLR 2012, section 6. Li, Wang, Liu, Hou. *Demystifying
        neural style transfer*. IJCAI 2017, section 4.1; the default of `bandwidth` is that of their code.
    """
    if kernel not in get_args(Kernel):
        raise ValueError(f"`kernel` must be one of {get_args(Kernel)}, got {kernel!r}.")
    degree, offset = whole_number(degree, "`degree`", least=1), number(offset, "`offset`")
    if bandwidth is not None:
        bandwidth = number(bandwidth, "`bandwidth`", above=0)
    vectors, reference = positions(vectors, "`vectors`"), positions(reference, "`reference`")
    if vectors.shape[:2] != reference.shape[:2] or 0 in (vectors.shape[2], reference.shape[2]):
        raise ValueError(
            "`vectors` and `reference` must have the same batch size and channels and at least one position, "
            f"got {tuple(vectors.shape)} and {tuple(reference.shape)}."
        )
    count = min(vectors.shape[2], reference.shape[2])
    half = max(count // 2, 1)
    (x, other_x), (y, other_y) = (
        (each[:, :, :half], each[:, :, count - half : count]) for each in (vectors, reference)
    )
    pairs = ((x, other_x), (y, other_y), (x, other_y), (other_x, y))
    with without_autocast(vectors):
        if kernel == "gaussian":
            same_x, same_y, forth, back = _gaussian(pairs, bandwidth)
        else:
            products = [(left * right).sum(1) for left, right in pairs]
            same_x, same_y, forth, back = (
                products if kernel == "linear" else [(product + offset) ** degree for product in products]
            )
    return (same_x + same_y - forth - back).mean(1)


def _gaussian(pairs: tuple[tuple[Tensor, Tensor], ...], bandwidth: float | None) -> list[Tensor]:
    distances = [(left - right).square().sum(1) for left, right in pairs]
    if bandwidth is not None:
        return [torch.exp(-distance / (2 * bandwidth**2)) for distance in distances]
    mean = torch.stack(distances).detach().mean((0, 2)).unsqueeze(1)
    # Where nothing differs, nothing is to be divided by.
    width = torch.where(mean > 0, mean, torch.ones_like(mean))
    return [torch.exp(-distance / width) for distance in distances]
