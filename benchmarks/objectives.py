"""The objectives that the benchmarks share, and the images that they are measured on."""

import torch
from pictures import PAIRS, read_pair
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, MultiLayerGramLoss, TotalVariationLoss, WassersteinLoss
from pystyle.encoders import SequentialEncoder
from pystyle.images import quantise, resize

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CHANNELS = (64, 128, 256, 512, 512)
STYLE_WEIGHT = 1e3

FLOPS_PER_PIXEL = 1_514_240
"""Of one step of the objective of Gatys: the features, the Gram matrices, the gradient of the image.

A multiplication and an addition are two. Nothing is counted but convolutions and products of matrices.
"""

TORCHVISION_SCALE = {
    "relu1_1": 0.02408,
    "relu2_1": 0.01704,
    "relu3_1": 0.02289,
    "relu4_1": 0.003668,
    "relu5_1": 0.02239,
    "relu4_2": 0.004964,
}
"""Norms of torchvision's VGG-19 features relative to those of the Caffe weights, on the same noise.

Crowson's weights are for torchvision's network. Her losses are quadratic in the features, so the
squares of these factors make them fit the Caffe network, the only VGG-19 that comes with pip.
"""

CROWSON_CONTENT_WEIGHT = 0.015 * TORCHVISION_SCALE[CONTENT_LAYER] ** 2
CROWSON_STYLE_WEIGHTS = tuple(
    share / 341 * TORCHVISION_SCALE[layer] ** 2
    for share, layer in zip((256, 64, 16, 4, 1), STYLE_LAYERS, strict=True)
)
CROWSON_SMOOTHNESS_WEIGHT = 2.0


def gatys_criterion(encoder: SequentialEncoder) -> Criterion:
    """Gatys et al. 2016 with the constants of the authors' PyTorch code."""
    return Criterion(
        encoder,
        {
            "content": ContentLoss(CONTENT_LAYER),
            "style": MultiLayerGramLoss(STYLE_LAYERS, [STYLE_WEIGHT / channels**2 for channels in CHANNELS]),
        },
    )


def crowson_criterion(encoder: SequentialEncoder) -> Criterion:
    """crowsonkb/style-transfer-pytorch with its published settings, but for the network's weights."""
    return Criterion(
        _replicating_first_convolution(encoder),
        {
            "content": ContentLoss(CONTENT_LAYER, weight=CROWSON_CONTENT_WEIGHT),
            "style": WassersteinLoss(STYLE_LAYERS, layer_weights=CROWSON_STYLE_WEIGHTS),
            "smoothness": TotalVariationLoss(variant="nine_point", weight=CROWSON_SMOOTHNESS_WEIGHT),
        },
    )


def square_pair(edge_size: int, pair: tuple[str, str] = PAIRS[0]) -> tuple[Tensor, Tensor]:
    """Content and style, both stretched to a square and rounded to 8 bits, as a file would hold them."""
    content, style = (quantise(resize(image, (edge_size, edge_size))) for image in read_pair(pair))
    return content, style


def iterate(content: Tensor, style: Tensor) -> Tensor:
    """An image in the middle of a run: neither term of the loss is zero there."""
    return torch.lerp(content, style, 0.3)


def _replicating_first_convolution(encoder: SequentialEncoder) -> SequentialEncoder:
    first = nn.Conv2d(3, 64, 3, padding=1, padding_mode="replicate")
    first.load_state_dict(encoder.stages["conv1_1"].state_dict())
    first.to(encoder.stages["conv1_1"].weight.device, memory_format=torch.channels_last)
    return SequentialEncoder({**encoder.stages, "conv1_1": first}, preprocessing=encoder.preprocessing)
