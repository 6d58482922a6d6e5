from typing import Any

import torch
from torch import Tensor


def clamp_with_gradient(image: Tensor) -> Tensor:
    r"""The image clamped to [0, 1], with a gradient that lets clamped values return.

    The gradient of a clamp is zero outside, so what left would never come back. This one is kept where a
    step against it leads inwards, and zero where it leads further out, as that of a projection is:

    .. math:: \frac{\partial L}{\partial x} = \begin{cases}
              0 & x > 1 \text{ and } g < 0, \text{ or } x < 0 \text{ and } g > 0 \\
              g & \text{otherwise} \end{cases}

    Args:
        image: What may lie outside.

    Returns:
        A tensor of the same shape, in [0, 1].

    Shape:
        - image, output: any

    Example:
        >>> import torch
        >>> image = torch.tensor([-0.5, 0.5, 1.5], requires_grad=True)
        >>> clamped = clamp_with_gradient(image)
        >>> clamped
        tensor([0.0000, 0.5000, 1.0000], grad_fn=<_ClampBackward>)
        >>> clamped.sum().backward()   # a step against it lowers all of them: -0.5 must not go further
        >>> image.grad
        tensor([0., 1., 1.])

    Note:
        Outside it is no derivative of the clamp. A line search may be misled there.
    """
    clamped: Tensor = _Clamp.apply(image)
    return clamped


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        ctx.save_for_backward(image)
        return image.clamp(0, 1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (image,) = ctx.saved_tensors
        outwards = ((image > 1) & (gradient < 0)) | ((image < 0) & (gradient > 0))
        return gradient.masked_fill(outwards, 0)
