from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def root(outputs: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """A number whose gradients with respect to some tensors are known.

    What is differentiated with it begins with these gradients. Torch takes them itself, too, and imports
    SymPy to compare their sizes, which takes a second at each start.

    Example:
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> torch.autograd.grad(root([3 * x], [torch.tensor([1.0, 10.0])]), x)
        (tensor([ 3., 30.]),)
    """
    with torch.enable_grad():
        number: Tensor = _Root.apply(tuple(gradients), *outputs)
    return number


class _Root(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradients: tuple[Tensor, ...], *outputs: Tensor) -> Tensor:
        ctx.gradients = gradients
        return outputs[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor | None, ...]:
        return None, *ctx.gradients
