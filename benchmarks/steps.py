"""A step of a loop, and the colours that peers work with: those of Caffe, or RGB in [0, 1]."""

from collections.abc import Callable

import torch
from torch import Tensor

from pystyle.encoders import SequentialEncoder

Step = Callable[[Tensor], tuple[Tensor, Tensor]]
"""An image to the loss and its gradient, both without a graph."""


def leaf_step(function: Callable[[Tensor], Tensor], like: Tensor, means: list[float] | None = None) -> Step:
    """A step of a loop that keeps one leaf: clear its gradient, evaluate, propagate back.

    With `means` the leaf is what Caffe takes: BGR from 0 to 255 without the mean.
    """
    leaf = (like.clone() if means is None else to_caffe(like, means)).requires_grad_()

    def step(image: Tensor) -> tuple[Tensor, Tensor]:
        leaf.data.copy_(image if means is None else to_caffe(image, means))
        leaf.grad = None
        loss = function(leaf)
        loss.backward()
        return loss.detach(), leaf.grad if means is None else from_caffe_gradient(leaf.grad)

    return step


def to_caffe(image: Tensor, means: list[float]) -> Tensor:
    """RGB in [0, 1] as BGR from 0 to 255 without the mean."""
    return 255 * image.flip(1) - torch.tensor(means, device=image.device).reshape(1, 3, 1, 1)


def from_caffe_gradient(gradient: Tensor) -> Tensor:
    """The gradient with respect to RGB in [0, 1]."""
    return 255 * gradient.flip(1)


def caffe_means(encoder: SequentialEncoder) -> list[float]:
    """The mean of B, G and R that the encoder subtracts from 0 ... 255."""
    mean, std = encoder.preprocessing.mean.flatten(), encoder.preprocessing.std.flatten()
    if not torch.allclose(std, torch.full_like(std, 1 / 255)):
        raise ValueError("`encoder` must have the preprocessing of Caffe. Use `vgg19()`.")
    return (255 * mean).flip(0).tolist()


def caffe_weights(encoder: SequentialEncoder) -> dict[str, Tensor]:
    """Copies of the weights, contiguous, for BGR."""
    weights = {name: value.clone().contiguous() for name, value in encoder.stages.state_dict().items()}
    return {name: value.flip(1) if name == "conv1_1.weight" else value for name, value in weights.items()}
