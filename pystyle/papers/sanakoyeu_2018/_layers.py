"""Layers as TensorFlow has them, whose borders and scales differ from those of torch."""

from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle.networks import InstanceNormalization

_DEVIATION = 0.02


def normalization(channels: int) -> InstanceNormalization:
    """Instance normalisation with scales near 1 and no shifts at first."""
    layer = InstanceNormalization(channels, affine=True)
    nn.init.normal_(layer.get_parameter("weight"), 1.0, _DEVIATION)
    return layer


def convolution(
    in_channels: int, out_channels: int, kernel_size: int = 3, *, stride: int = 1, padding: int = 0
) -> nn.Conv2d:
    """A convolution without biases, whose weights begin small."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
    nn.init.trunc_normal_(layer.weight, 0.0, _DEVIATION, -2 * _DEVIATION, 2 * _DEVIATION)
    return layer


def same(features: Tensor, kernel_size: int, stride: int = 1) -> Tensor:
    """The features with as many zeros around them as ``"SAME"`` adds: one more behind than before."""
    sides = []
    for size in (features.shape[3], features.shape[2]):
        positions = (size + stride - 1) // stride
        more = max((positions - 1) * stride + kernel_size - size, 0)
        sides += [more // 2, more - more // 2]
    return pad(features, sides)
