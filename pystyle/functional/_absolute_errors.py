from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32


def mean_absolute_error(input: Tensor, target: Tensor) -> Tensor:
    """The mean of the absolute differences of two tensors of the same shape; it never broadcasts.

    Args:
        input: Any floating-point tensor.
        target: A tensor of the same shape.

    Returns:
        A scalar; 0 for empty tensors.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> import torch
        >>> mean_absolute_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(1.)
    """
    difference = _difference(input, target)
    return difference.abs().sum() / max(difference.numel(), 1)


def scaled_squared_error(input: Tensor, target: Tensor, *, eps: float = 1e-8) -> Tensor:
    r"""The squared differences divided by the absolute ones, a mean over the batch; it never broadcasts.

    .. math:: \frac{\sum d^2}{\sum |d| + \epsilon}

    The absolute values of its gradient have a sum that depends neither on how large the difference
    is nor on the number of entries, so that its share in a sum of losses stays the same.

    Args:
        input: Any floating-point tensor.
        target: A tensor of the same shape.
        eps: Added to the divisor.

    Returns:
        A scalar in the units of the difference; 0 for empty tensors.

    Raises:
        ValueError: If the shapes differ.

    Shape:
        - input, target: (batch, ...)

    Example:
        >>> import torch
        >>> scaled_squared_error(torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 5.0]]))   # 10 / 4
        tensor(2.5000)

    References:
        The class ``ScaledMSELoss`` of Katherine Crowson's style-transfer-pytorch.
    """
    eps = number(eps, "`eps`", least=0)
    difference = _difference(input, target).unsqueeze(-1).flatten(1)
    ratios = difference.square().sum(1) / (difference.abs().sum(1) + eps)
    return ratios.sum() / max(len(ratios), 1)


def _difference(input: Tensor, target: Tensor) -> Tensor:
    if input.shape != target.shape:
        raise ValueError(
            f"`input` and `target` must have the same shape, got {tuple(input.shape)} and "
            f"{tuple(target.shape)}. Give the image and its reference the same size."
        )
    return at_least_float32(input) - at_least_float32(target)
