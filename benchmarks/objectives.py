"""The objectives that the benchmarks share, and the images that they are measured on."""

import torch
from pictures import PAIRS, read_pair
from torch import Tensor

from pystyle import Criterion
from pystyle.encoders import SequentialEncoder
from pystyle.images import quantise, resize
from pystyle.papers import crowson_2022, gatys_2016

CONTENT_LAYER, STYLE_LAYERS, CHANNELS = gatys_2016.CONTENT_LAYER, gatys_2016.STYLE_LAYERS, gatys_2016.CHANNELS
STYLE_WEIGHT = 1e3

FLOPS_PER_PIXEL = 1_514_240
"""Of one step of the objective of Gatys: the features, the Gram matrices, the gradient of the image.

A multiplication and an addition are two. Nothing is counted but convolutions and products of matrices.
"""

CROWSON_CONTENT_WEIGHT = crowson_2022.CONTENT_WEIGHT * crowson_2022.TORCHVISION_SCALE[CONTENT_LAYER] ** 2
CROWSON_STYLE_WEIGHTS = tuple(
    weight * crowson_2022.TORCHVISION_SCALE[layer] ** 2
    for layer, weight in zip(STYLE_LAYERS, crowson_2022.STYLE_WEIGHTS, strict=True)
)
CROWSON_SMOOTHNESS_WEIGHT = crowson_2022.SMOOTHNESS_WEIGHT


def gatys_criterion(encoder: SequentialEncoder) -> Criterion:
    """Gatys et al. 2016 with the constants of the authors' PyTorch code."""
    return gatys_2016.criterion(encoder)


def crowson_criterion(encoder: SequentialEncoder) -> Criterion:
    """crowsonkb/style-transfer-pytorch with its published settings, but for the network's weights."""
    return crowson_2022.criterion(crowson_2022.replicating_first_convolution(encoder), network="caffe")


def square_pair(edge_size: int, pair: tuple[str, str] = PAIRS[0]) -> tuple[Tensor, Tensor]:
    """Content and style, both stretched to a square and rounded to 8 bits, as a file would hold them."""
    content, style = (quantise(resize(image, (edge_size, edge_size))) for image in read_pair(pair))
    return content, style


def iterate(content: Tensor, style: Tensor) -> Tensor:
    """An image in the middle of a run: neither term of the loss is zero there."""
    return torch.lerp(content, style, 0.3)
