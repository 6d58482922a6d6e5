"""The recipes that `quality.py` compares, each as one function of content, style and edge size."""

from collections.abc import Callable
from functools import partial

import torch
from objectives import CONTENT_LAYER, CROWSON_CONTENT_WEIGHT, STYLE_LAYERS, gatys_criterion
from torch import Tensor

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    Result,
    optimize_image,
    stylize,
)
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.papers import crowson_2022, kolkin_2019, kolkin_2022
from pystyle.stylization import stylization_pyramid

Recipe = Callable[[Tensor, Tensor, int], Result]

CROWSON_ADAM = partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99))


def default(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """`pystyle.stylize` as it is."""
    return stylize(content, style, edge_size=edge_size)


def _by_torch_lbfgs(
    criterion: Criterion,
    content: Tensor,
    style: Tensor,
    edge_size: int,
    num_steps: int,
    evaluation: Evaluation,
    *,
    bounded: bool = False,
) -> Result:
    """A run from the content, with the steps of torch's own L-BFGS."""
    return optimize_image(
        criterion,
        {"content": resize(content, edge_size), "style": resize(style, edge_size)},
        optimizer=partial(LBFGS, history_size=100, initial_step=None),
        num_steps=num_steps,
        bounds=(0, 1) if bounded else None,
        evaluation=evaluation,
    )


def gatys(
    content: Tensor,
    style: Tensor,
    edge_size: int,
    *,
    bounded: bool = False,
    num_steps: int = 500,
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """Gatys et al. 2016, the authors' PyTorch code; L-BFGS with a history of 100, bounded or not."""
    return _by_torch_lbfgs(
        gatys_criterion(vgg19()), content, style, edge_size, num_steps, evaluation, bounded=bounded
    )


def pystiche(
    content: Tensor,
    style: Tensor,
    edge_size: int,
    *,
    num_steps: int = 500,
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """pystiche 1.0.1 as its first example uses it, but for the network's weights.

    Its network is torchvision's, which has smaller features: a content loss has two factors of them, a loss
    of Gram matrices four.
    """
    scale = crowson_2022.TORCHVISION_SCALE
    style_weights = [scale[layer] ** 4 / len(STYLE_LAYERS) for layer in STYLE_LAYERS]
    criterion = Criterion(
        vgg19(),
        {
            "content": ContentLoss(CONTENT_LAYER, weight=scale[CONTENT_LAYER] ** 2),
            "style": GramLoss(STYLE_LAYERS, layer_weights=style_weights, weight=1e3),
        },
    )
    return _by_torch_lbfgs(criterion, content, style, edge_size, num_steps, evaluation)


def gram_adam(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """Relative Gram losses, Adam with clamping and averaging, in the pyramid of the default."""
    criterion = Criterion(
        vgg19(padding="replicate", ceil_mode=True),
        {
            "content": ContentLoss("relu4_2", relative=True),
            "style": GramLoss(STYLE_LAYERS, weight=20, relative=True),
        },
    )
    return stylization_pyramid(edge_size, num_steps=170).optimize(
        criterion, {"content": content, "style": style}, optimizer=CROWSON_ADAM, averaging=0.97
    )


def wasserstein_adam(content: Tensor, style: Tensor, edge_size: int) -> Result:
    """The default, but for Adam with clamping and averaging."""
    return stylize(content, style, edge_size=edge_size, optimizer=CROWSON_ADAM, averaging=0.97)


def crowson_lbfgs(content: Tensor, style: Tensor, edge_size: int, *, strength: float = 1.0) -> Result:
    """Crowson's objective, its content divided by `strength`; start and optimizer of the default."""
    encoder = crowson_2022.replicating_first_convolution(vgg19())
    losses = dict(crowson_2022.criterion(encoder, network="caffe").losses)
    weight = CROWSON_CONTENT_WEIGHT / strength
    losses["content"] = ContentLoss(crowson_2022.CONTENT_LAYER, weight=weight)
    return stylization_pyramid(edge_size, num_steps=150).optimize(
        Criterion(encoder, losses),
        {"content": content, "style": style},
        init="recoloured",
        evaluation=EagerEvaluation("bfloat16"),
    )


def crowson(
    content: Tensor,
    style: Tensor,
    edge_size: int,
    *,
    num_steps: tuple[int, int] = (1000, 500),
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """crowsonkb/style-transfer-pytorch with its published settings, but for the network's weights."""
    encoder = crowson_2022.replicating_first_convolution(vgg19())
    return crowson_2022.style_transfer(
        content,
        style,
        encoder=encoder,
        network="caffe",
        edge_size=edge_size,
        num_steps=num_steps,
        evaluation=evaluation,
    )


def nnst(
    content: Tensor,
    style: Tensor,
    edge_size: int,
    *,
    num_steps: int = 200,
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """Kolkin et al. 2022 with its published settings, but for the network's weights."""
    return kolkin_2022.style_transfer(
        content,
        style,
        encoder=kolkin_2019.vgg16_stand_in(),
        edge_size=max(resize(content, edge_size).shape[2:]),
        num_steps=num_steps,
        evaluation=evaluation,
    )[-1]


def strotss(
    content: Tensor,
    style: Tensor,
    edge_size: int,
    *,
    num_steps: int = 250,
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """Kolkin et al. 2019 with its published settings, but for the network's weights; from 64 pixels on."""
    last = max(resize(content, edge_size).shape[2:])
    sizes = [size for size in (64, 128, 256) if size < last]
    return kolkin_2019.style_transfer(
        content,
        style,
        encoder=kolkin_2019.vgg16_stand_in(),
        # The α of the last level is 2 as in the paper, whose fourth level is the last.
        content_weight=2.0 ** (len(sizes) - 3),
        edge_sizes=(*sizes, last),
        num_steps=num_steps,
        evaluation=evaluation,
    )[-1]


RECIPES: dict[str, Recipe] = {
    "default": default,
    "gatys": gatys,
    "crowson": crowson,
    "crowson-lbfgs": crowson_lbfgs,
    "crowson-lbfgs-weak": partial(crowson_lbfgs, strength=0.8),
    "crowson-lbfgs-strong": partial(crowson_lbfgs, strength=1.2),
    "nnst": nnst,
    "strotss": strotss,
    # In about the time of the default, at 192 pixels:
    "gram-lbfgs": partial(gatys, num_steps=125),
    "gram-lbfgs-bounded": partial(gatys, bounded=True, num_steps=125),
    "gram-adam": gram_adam,
    "wasserstein-adam": wasserstein_adam,
}
