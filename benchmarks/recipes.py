"""The recipes that `quality.py` compares, each as one function of content, style and edge size."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    MultiLayerGramLoss,
    Pyramid,
    Result,
    TotalVariationLoss,
    WassersteinLoss,
    optimize_image,
    stylize,
)
from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.stylization import stylization_pyramid

Recipe = Callable[[Tensor, Tensor, int], Result]

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CHANNELS = (64, 128, 256, 512, 512)
CROWSON_ADAM = partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99))

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


def default(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """`pystyle.stylize` as it is."""
    return stylize(content, style, edge_size=edge_size)


def gatys(
    content: Tensor, style: Tensor, edge_size: int, *, bounded: bool = False, num_steps: int = 500
) -> Result:
    """Gatys et al. 2016, the authors' PyTorch code; L-BFGS with a history of 100, bounded or not."""
    criterion = Criterion(
        vgg19(),
        {
            "content": ContentLoss("relu4_2"),
            "style": MultiLayerGramLoss(LAYERS, [1e3 / channels**2 for channels in CHANNELS]),
        },
    )
    references = {"content": resize(content, edge_size), "style": resize(style, edge_size)}
    return optimize_image(
        criterion,
        references,
        optimizer=partial(LBFGS, history_size=100),
        num_steps=num_steps,
        bounds=(0, 1) if bounded else None,
    )


def gram_adam(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """Relative Gram losses, Adam with clamping and averaging, in the pyramid of the default."""
    criterion = Criterion(
        vgg19(padding="replicate", ceil_mode=True),
        {
            "content": ContentLoss("relu4_2", relative=True),
            "style": GramLoss(LAYERS, weight=20, relative=True),
        },
    )
    return stylization_pyramid(edge_size, num_steps=170).optimize(
        criterion, {"content": content, "style": style}, optimizer=CROWSON_ADAM, averaging=0.97
    )


def wasserstein_adam(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """The default, but for Adam with clamping and averaging."""
    return stylize(content, style, edge_size=edge_size, optimizer=CROWSON_ADAM, averaging=0.97)


def crowson(
    content: Tensor, style: Tensor, edge_size: int, *, num_steps: tuple[int, int] = (1000, 500)
) -> Result:
    """crowsonkb/style-transfer-pytorch with its published settings, but for the network's weights."""
    modules = dict(vgg19().stages)
    modules["conv1_1"].padding_mode = "replicate"
    modules["conv1_1"]._reversed_padding_repeated_twice = [1, 1, 1, 1]
    encoder = SequentialEncoder(modules, preprocessing=vgg19().preprocessing)
    shares = [weight / 341 for weight in (256, 64, 16, 4, 1)]
    criterion = Criterion(
        encoder,
        {
            "content": ContentLoss("relu4_2", weight=0.015 * TORCHVISION_SCALE["relu4_2"] ** 2),
            "style": WassersteinLoss(
                LAYERS,
                layer_weights=[
                    share * TORCHVISION_SCALE[layer] ** 2 for share, layer in zip(shares, LAYERS, strict=True)
                ],
            ),
            "smoothness": TotalVariationLoss(variant="nine_point", weight=2.0),
        },
    )
    levels = len(Pyramid.from_ratio(edge_size, num_steps=0, smallest=128).edge_sizes)
    steps = [num_steps[0]] + [num_steps[1]] * (levels - 1)
    return Pyramid.from_ratio(edge_size, num_steps=steps, smallest=128).optimize(
        criterion, {"content": content, "style": style}, optimizer=CROWSON_ADAM, averaging=0.99
    )


RECIPES: dict[str, Recipe] = {
    "default": default,
    "gatys": gatys,
    "crowson": crowson,
    # In about the time of the default, at 192 pixels:
    "gram-lbfgs": partial(gatys, num_steps=125),
    "gram-lbfgs-bounded": partial(gatys, bounded=True, num_steps=125),
    "gram-adam": gram_adam,
    "wasserstein-adam": wasserstein_adam,
}
