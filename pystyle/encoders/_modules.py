"""The modules of encoders that torch does not have."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

Pooling = Literal["max", "average", "l2"]


class Normalize(nn.Module):
    """Subtracts a mean from each colour and divides it by a standard deviation.

    Args:
        mean: One value per channel, in the units of the image.
        std: One value per channel.

    Example:
        >>> import torch
        >>> Normalize(mean=[0.5], std=[0.25])(torch.tensor([[[[1.0]]]]))
        tensor([[[[2.]]]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The normalised image."""
        return (image - self.mean) / self.std


class ScaledAveragePool2d(nn.Module):
    """Average pooling, multiplied by a factor that keeps activations as large as after max pooling.

    Args:
        kernel_size: Side of the window.
        stride: Distance between windows.
        scale: The factor.

    Example:
        >>> import torch
        >>> ScaledAveragePool2d(2, stride=2)(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]))
        tensor([[[[3.]]]])
    """

    def __init__(self, kernel_size: int, *, stride: int, scale: float = 2.0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.scale = kernel_size, stride, scale

    def forward(self, features: Tensor) -> Tensor:
        """The pooled features."""
        return self.scale * avg_pool2d(features, self.kernel_size, self.stride)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, scale={self.scale}"


class ScaledL2Pool2d(ScaledAveragePool2d):
    """The root of the mean square in each window, multiplied by a factor.

    Args:
        kernel_size: Side of the window.
        stride: Distance between windows.
        scale: The factor that keeps activations as large as after max pooling.

    Example:
        >>> import torch
        >>> ScaledL2Pool2d(2, stride=2, scale=1.0)(torch.tensor([[[[1.0, 5.0], [5.0, 7.0]]]])).round()
        tensor([[[[5.]]]])
    """

    def __init__(self, kernel_size: int, *, stride: int, scale: float = 1.56) -> None:
        super().__init__(kernel_size, stride=stride, scale=scale)

    def forward(self, features: Tensor) -> Tensor:
        """The pooled features."""
        # After a ReLU whole windows are 0, where a bare root has no finite gradient.
        mean_square = avg_pool2d(features.square(), self.kernel_size, self.stride)
        return self.scale * (mean_square + 1e-12).sqrt()


def pool2d(pooling: Pooling, kernel_size: int, stride: int) -> nn.Module:
    """The pooling module of this name.

    Raises:
        ValueError: If there is none of this name.
    """
    if pooling == "max":
        return nn.MaxPool2d(kernel_size, stride)
    if pooling == "average":
        return ScaledAveragePool2d(kernel_size, stride=stride)
    if pooling == "l2":
        return ScaledL2Pool2d(kernel_size, stride=stride)
    raise ValueError(f"`pooling` must be 'max', 'average' or 'l2', got {pooling!r}.")
