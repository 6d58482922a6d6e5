from torch import Tensor

from pystyle.functional._precision import at_least_float32


def mean_squared_error(input: Tensor, target: Tensor) -> Tensor:
    """The mean of the squared differences of two tensors of the same shape.

    Unlike :func:`torch.nn.functional.mse_loss` it never broadcasts: a target of another shape is
    a mistake (another image size, a batch that was not expanded), not a wish.

    Args:
        input: Any floating-point tensor.
        target: A tensor of the same shape.

    Returns:
        A scalar; 0 for empty tensors.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> import torch
        >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.)
    """
    if input.shape != target.shape:
        raise ValueError(
            f"`input` and `target` must have the same shape, got {tuple(input.shape)} and "
            f"{tuple(target.shape)}. Give the image and its reference the same size."
        )
    difference = at_least_float32(input) - at_least_float32(target)
    return difference.square().sum() / max(difference.numel(), 1)
