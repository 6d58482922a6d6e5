"""What weights that stand for sums depend on: how many channels and positions a layer has."""

import math
from collections.abc import Sequence

import torch

from pystyle.encoders import Encoder


def names(layers: str | Sequence[str]) -> tuple[str, ...]:
    """One layer or several as a tuple."""
    return (layers,) if isinstance(layers, str) else tuple(layers)


@torch.no_grad()
def num_channels(encoder: Encoder, layers: Sequence[str]) -> list[int]:
    """The channels of each layer, which those of the smallest image that has them all tell."""
    encoder.check_layers(layers)
    side = encoder.minimum_size(layers)
    device = next((parameter.device for parameter in encoder.parameters()), None)
    image = torch.zeros(1, 3, side, side, dtype=encoder.image_dtype, device=device)
    features = encoder(image, layers)
    return [features[layer].shape[1] for layer in layers]


def num_positions(encoder: Encoder, layers: Sequence[str], size: tuple[int, int]) -> list[int]:
    """The positions of each layer for an image of this height and width."""
    encoder.check_layers(layers)
    return [math.prod(side // encoder.stride(layer) for side in size) for layer in layers]
