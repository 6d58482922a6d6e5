from torch import Tensor

from pystyle._arguments import number
from pystyle.functional._precision import at_least_float32


def mean_squared_error(input: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean of the squared differences of two tensors of the same shape.

    Unlike :func:`torch.nn.functional.mse_loss` it never broadcasts: a target of another shape is
    a mistake (another image size, a batch that was not expanded), not a wish.

    Args:
        input: Any floating-point tensor.
        target: A tensor of the same shape.
        weights: Factors of the squared differences; along an axis of length 1 they are the same for all
            entries. The sum is still divided by the number of entries and not by the sum of the weights.

    Returns:
        A scalar; 0 for empty tensors.

    Raises:
        ValueError: If the shapes differ, or the weights do not fit them.

    Example:
        >>> import torch
        >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.)
        >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.5]))
        tensor(1.5000)
    """
    if input.shape != target.shape:
        raise ValueError(
            f"`input` and `target` must have the same shape, got {tuple(input.shape)} and "
            f"{tuple(target.shape)}. Give the image and its reference the same size."
        )
    squared = (at_least_float32(input) - at_least_float32(target)).square()
    if weights is not None:
        fits = weights.ndim == input.ndim and all(
            own in (1, size) for own, size in zip(weights.shape, input.shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"`weights` must have the shape {tuple(input.shape)} of `input`, or 1 along some axes, "
                f"got {tuple(weights.shape)}."
            )
        squared = squared * weights.to(squared)
    return squared.sum() / max(squared.numel(), 1)


def unit_vectors(features: Tensor, *, eps: float = 1e-8) -> Tensor:
    r"""The features with the vector of channels at each position divided by its length.

    .. math:: \frac{F_p}{\sqrt{\|F_p\|^2 + \varepsilon}}

    Args:
        features: One feature map per image.
        eps: Keeps the gradient finite where all channels are 0.

    Returns:
        A map of the same shape, in float32 at least.

    Raises:
        ValueError: If `features` has fewer than two axes.

    Shape:
        - features: (batch, channels, height, width), or any number of position axes

    Example:
        >>> import torch
        >>> unit_vectors(torch.tensor([[[[3.0, 0.0]], [[4.0, 0.0]]]])).flatten()
        tensor([0.6000, 0.0000, 0.8000, 0.0000])
    """
    if features.ndim < 2:
        raise ValueError(
            f"`features` must have the axes (batch, channels, ...), got {tuple(features.shape)}."
        )
    eps = number(eps, "`eps`", least=0)
    features = at_least_float32(features)
    return features * (features.square().sum(1, keepdim=True) + eps).rsqrt()
