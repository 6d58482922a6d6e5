"""The modules of encoders that torch does not have."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from pystyle._arguments import float_type

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
        # In half precision, if that is torch's default, they would be off by a level of 8 bits.
        for name, values in (("mean", mean), ("std", std)):
            buffer = torch.tensor(values, dtype=float_type()).reshape(1, -1, 1, 1)
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The normalised image."""
        return (image - self.mean) / self.std


class ScaledAveragePool2d(nn.Module):
    """Average pooling, multiplied by a factor that keeps activations as large as after max pooling.

    Args:
        kernel_size: Side of the window.
        stride: Distance between windows.
        scale: The factor.
        ceil_mode: Let the last window reach over the border where the size does not divide.

    Example:
        >>> import torch
        >>> ScaledAveragePool2d(2, stride=2)(torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]))
        tensor([[[[3.]]]])
    """

    def __init__(self, kernel_size: int, *, stride: int, scale: float = 2.0, ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.scale, self.ceil_mode = kernel_size, stride, scale, ceil_mode

    def forward(self, features: Tensor) -> Tensor:
        """The pooled features."""
        return self.scale * avg_pool2d(features, self.kernel_size, self.stride, ceil_mode=self.ceil_mode)

    def extra_repr(self) -> str:
        """The arguments."""
        ceil_mode = ", ceil_mode=True" if self.ceil_mode else ""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, scale={self.scale}{ceil_mode}"


class ScaledL2Pool2d(ScaledAveragePool2d):
    """The root of the mean square in each window, multiplied by a factor.

    Args:
        kernel_size: Side of the window.
        stride: Distance between windows.
        scale: The factor that keeps activations as large as after max pooling.
        ceil_mode: Let the last window reach over the border where the size does not divide.

    Example:
        >>> import torch
        >>> ScaledL2Pool2d(2, stride=2, scale=1.0)(torch.tensor([[[[1.0, 5.0], [5.0, 7.0]]]])).round()
        tensor([[[[5.]]]])
    """

    def __init__(
        self, kernel_size: int, *, stride: int, scale: float = 1.56, ceil_mode: bool = False
    ) -> None:
        super().__init__(kernel_size, stride=stride, scale=scale, ceil_mode=ceil_mode)

    def forward(self, features: Tensor) -> Tensor:
        """The pooled features."""
        # After a ReLU whole windows are 0, where a bare root has no finite gradient.
        mean_square = avg_pool2d(features.square(), self.kernel_size, self.stride, ceil_mode=self.ceil_mode)
        return self.scale * (mean_square + 1e-12).sqrt()


def pool2d(pooling: Pooling, kernel_size: int, stride: int, *, ceil_mode: bool) -> nn.Module:
    """The pooling module of this name.

    Raises:
        ValueError: If there is none of this name.
    """
    if pooling == "max":
        return nn.MaxPool2d(kernel_size, stride, ceil_mode=ceil_mode)
    if pooling == "average":
        return ScaledAveragePool2d(kernel_size, stride=stride, ceil_mode=ceil_mode)
    if pooling == "l2":
        return ScaledL2Pool2d(kernel_size, stride=stride, ceil_mode=ceil_mode)
    raise ValueError(f"`pooling` must be 'max', 'average' or 'l2', got {pooling!r}.")
