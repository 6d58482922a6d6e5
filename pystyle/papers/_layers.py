"""What weights that stand for sums depend on: how many channels and positions a layer has."""

import math
from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import nn

from pystyle.encoders import Encoder
from pystyle.encoders._dry_runs import runnables


def names(layers: str | Sequence[str]) -> tuple[str, ...]:
    """One layer or several as a tuple."""
    return (layers,) if isinstance(layers, str) else tuple(layers)


def num_channels(encoder: Encoder, layers: Sequence[str]) -> list[int]:
    """The channels of each layer, which those of the smallest image that has them all tell."""
    encoder.check_layers(layers)
    side = encoder.minimum_size(layers)
    return [shape[1] for shape in _shapes(encoder, layers, (side, side))]


def layer_sizes(encoder: Encoder, layers: Sequence[str], size: tuple[int, int]) -> list[tuple[int, int]]:
    """Height and width of each layer for an image of this height and width.

    Raises:
        ValueError: If the image is too small for one of them.
    """
    encoder.check_layers(layers)
    smallest = encoder.minimum_size(layers)
    if min(size) < smallest:
        deepest = max(layers, key=lambda layer: encoder.minimum_size([layer]))
        raise ValueError(
            f"The image must be at least {smallest} pixels high and wide for the layer {deepest!r}, got "
            f"{size[0]} x {size[1]}. Enlarge it or use earlier layers."
        )
    return [(shape[2], shape[3]) for shape in _shapes(encoder, layers, size)]


def num_positions(encoder: Encoder, layers: Sequence[str], size: tuple[int, int]) -> list[int]:
    """The positions of each layer for an image of this height and width."""
    return [math.prod(sides) for sides in layer_sizes(encoder, layers, size)]


def _shapes(encoder: Encoder, layers: Sequence[str], size: tuple[int, int]) -> list[torch.Size]:
    """The shapes of the features of an image; a copy without data has them at no cost."""
    for runnable in runnables(encoder):
        # Not every encoder can be run without data.
        with suppress(Exception):
            return _shapes_of(runnable, layers, size, encoder.image_dtype)
    # Again, for its own error.
    return _shapes_of(encoder, layers, size, encoder.image_dtype)


@torch.no_grad()
def _shapes_of(
    encoder: nn.Module, layers: Sequence[str], size: tuple[int, int], dtype: torch.dtype | None
) -> list[torch.Size]:
    device = next((parameter.device for parameter in encoder.parameters()), None)
    features = encoder(torch.zeros(1, 3, *size, dtype=dtype, device=device), layers)
    return [features[layer].shape for layer in layers]
