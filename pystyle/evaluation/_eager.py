from typing import Protocol

import torch
from torch import Tensor

from pystyle.criterion import Objective, Terms


class Evaluation(Protocol):
    """A strategy: any function of an objective and an image that gives what :func:`evaluate_eagerly` gives.

    Example:
        >>> evaluation: Evaluation = evaluate_eagerly
    """

    def __call__(self, objective: Objective, image: Tensor, /) -> tuple[Terms, Tensor]:
        """The terms without their graph, and the gradient of their total."""


def evaluate_eagerly(objective: Objective, image: Tensor) -> tuple[Terms, Tensor]:
    """The terms of an image and the gradient of their total, operation by operation.

    Args:
        objective: What is minimised.
        image: The image; it is not changed and gets no ``.grad``.

    Returns:
        The terms without their graph, and a gradient of the shape of the image.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> terms, gradient = evaluate_eagerly(objective, torch.zeros(1, 3, 8, 8))
        >>> gradient.shape
        torch.Size([1, 3, 8, 8])
    """
    with torch.enable_grad():
        image = image.detach().requires_grad_()
        terms = objective(image)
        (gradient,) = torch.autograd.grad(terms.total, image, allow_unused=True)
    return terms.detach(), torch.zeros_like(image) if gradient is None else gradient
