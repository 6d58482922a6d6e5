from typing import Literal, TypeAlias, get_args

from torch import nn

from pystyle.networks import InstanceNormalization

Normalization: TypeAlias = Literal["instance", "batch"]


def check_normalization(kind: str) -> None:
    """Refuse a normalisation that is neither of both."""
    if kind not in get_args(Normalization):
        raise ValueError(f"`normalization` must be 'instance' or 'batch', got {kind!r}.")


def normalization_layer(kind: Normalization, channels: int) -> nn.Module:
    """A normalisation with scales and shifts that begin as those of Torch 7 do: at random, and at 0."""
    layer: nn.Module
    layer = InstanceNormalization(channels, affine=True) if kind == "instance" else nn.BatchNorm2d(channels)
    nn.init.uniform_(layer.get_parameter("weight"))
    return layer
