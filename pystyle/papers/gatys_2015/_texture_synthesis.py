from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pystyle.colors import match_colors
from pystyle.encoders import Encoder
from pystyle.encoders._weights import CAFFE_MEAN_RGB
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._noise import seeded_normal
from pystyle.papers._variants import Variant
from pystyle.papers.gatys_2015._criterion import LAYERS, criterion
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Init, OptimizerFactory, Wrap

MEAN_COLOUR = tuple(level / 255 for level in CAFFE_MEAN_RGB)


def texture_synthesis(
    texture: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    layers: str | Sequence[str] = LAYERS,
    num_components: int | None = None,
    size: tuple[int, int] | None = None,
    init: Init | None = None,
    num_steps: int = 2000,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=20, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int | None = 0,
    wrap: Wrap | None = None,
) -> Result:
    """A new image with the texture of another one.

    Args:
        texture: The texture, of about 256 x 256 pixels.
        encoder: The network; see the table of the module.
        variant: Whether the weights are those of the paper or the code, and with ``"code"`` the histograms
            of the colours are matched in the end, as in the notebook and not in the figures of the paper.
        layers: Of :func:`criterion`.
        num_components: Of :func:`criterion`.
        size: Height and width of the result; those of the texture if not given, the nearest that wrap.
        init: What to start from in the place of the noise of the table.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the noise; None for another one each time.
        wrap: ``"both"`` for a tile, which can be laid beside itself without a seam, ``"horizontal"`` for a
            band, or None as in the paper. The texture itself need not wrap.

    Returns:
        The picture and the history of the loss, which is that before the histograms are matched.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - texture: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> from pystyle.encoders import vgg19
        >>> texture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> result = texture_synthesis(texture, encoder=vgg19(weights=None), size=(32, 48), num_steps=2)
        >>> result.image.shape
        torch.Size([1, 3, 32, 48])
    """
    check_images({"texture": texture})
    losses = criterion(encoder, variant=variant, layers=layers, num_components=num_components, wrap=wrap)
    size = size or losses.nearest_size((texture.shape[2], texture.shape[3]))
    low, high = float(texture.min()), float(texture.max())
    result = optimize_image(
        losses,
        {"style": texture},
        init=normal_noise(size, like=texture, seed=seed) if init is None else init,
        optimizer=optimizer,
        num_steps=num_steps,
        # A texture of a single colour has one value, which is no interval.
        bounds=(low, max(high, low + 1 / 255)),
        callbacks=callbacks,
        evaluation=evaluation,
        seed=seed,
    )
    if variant == "paper":
        return result
    return replace(result, image=match_colors(result.image, texture, method="histogram"))


def normal_noise(size: tuple[int, int], *, like: Tensor, seed: int | None = 0) -> Tensor:
    """Standard normal noise as the authors start from: levels of 0 ... 255 around the mean colour.

    It is nearly flat, because they draw it in the units of the network's input.

    Args:
        size: Height and width.
        like: A tensor of the wanted type and device.
        seed: Of the noise; None for another one each time.

    Returns:
        A new image.

    Shape:
        - output: (1, 3, height, width), RGB near (0.49, 0.46, 0.41)

    Example:
        >>> noise = normal_noise((64, 64), like=torch.zeros(()), seed=0)
        >>> noise.mean((0, 2, 3)).round(decimals=1), noise.std(dim=(0, 2, 3)).mul(255).round()
        (tensor([0.5000, 0.5000, 0.4000]), tensor([1., 1., 1.]))
    """
    mean = torch.tensor(MEAN_COLOUR, dtype=torch.float32, device="cpu").reshape(1, 3, 1, 1)
    return (mean + seeded_normal((1, 3, *size), seed) / 255).to(like)
