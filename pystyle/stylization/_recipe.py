"""What `stylize` does, as a criterion and a pyramid that can be taken apart and changed.

Every number here was chosen by the measurements in `docs/choosing-the-defaults.md`.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch

from pystyle._arguments import is_number, number, whole_number
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import ContentLoss, Loss, TotalVariationLoss
from pystyle.optim import LBFGS
from pystyle.pyramid import Pyramid
from pystyle.stylization._layers import content_layer_of, fine_content_layer_of, five_layers_of
from pystyle.stylization._style_losses import style_loss_of
from pystyle.typing import OptimizerFactory, Steps, Strength, StyleLossName, Wrap

STRENGTHS: dict[str, float] = {"subtle": 0.5, "balanced": 1.0, "strong": 2.0}
"""The strengths that have names."""

STEPS: dict[str, int] = {"draft": 16, "standard": 40, "best": 150}
"""The numbers of steps of L-BFGS at all levels together that have names."""

_STEPS_FOR_ONE = 4
"""How many steps other optimizers take for one of L-BFGS, which knows how the gradient changes."""

_FINE_CONTENT = 0.8
"""What the content counts where the composition is settled, which keeps it, too."""
_SMALLEST = 96
"""The short edge that no level goes below. Smaller ones bring larger strokes, and faces that fall apart."""
_SHARE = 0.8
"""The steps of a level relative to the one before."""


def stylization_criterion(
    encoder: Encoder,
    *,
    strength: Strength = 1.0,
    style_loss: StyleLossName | Loss = "wasserstein",
    style_layers: Sequence[str] | None = None,
    content_layer: str | None = None,
    content_weight: float = 1.0,
    smoothness_weight: float = 6.0,
    contrast: float = 1.0,
    fine: bool = False,
    wrap: Wrap | None = None,
) -> Criterion:
    """The criterion of :func:`~pystyle.stylize`.

    All losses are relative, so that it gives comparable pictures with every encoder and size, and with
    `contrast` for all pairs of images.

    Args:
        encoder: One with the layers of the VGGs or of AlexNet, or a
            :class:`~pystyle.encoders.ModuleEncoder`, whose layers at each quarter of the depth take their
            places.
        strength: How much the style counts relative to the content, as a factor: ``"subtle"`` is 0.5,
            ``"balanced"`` 1 and ``"strong"`` 2.
        style_loss: The name of a loss, or one of your own, whose weight is multiplied by `strength`.
        style_layers: The layers of a loss with a name; its usual ones if not given: the first layer of each
            block; of the third and the fourth for ``"mrf"`` and ``"contextual"``, of these and the second
            for ``"nearest-neighbor"``, of the second to the fifth for ``"relaxed-emd"``. Another one counts
            as much as the last of these before it.
        content_layer: The layer that is compared with the photograph; relu4_2 of a VGG, relu4 of AlexNet, the
            one at three quarters of the depth of another network, if not given.
        content_weight: Of the content loss.
        smoothness_weight: Of the total variation.
        contrast: What the content loss is divided by: :func:`~pystyle.stylization.feature_contrast` of the
            images.
        fine: Whether it is for a level that is painted when the composition has been settled at a smaller
            size. Then losses whose layers are not given look at the first three of the five layers only, and
            the content counts 4/5.
        wrap: The sides beyond which the picture goes on with its other side; see
            :class:`~pystyle.Criterion`.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If `strength` is neither positive nor a name, `contrast` is not positive, a weight is
            negative, the encoder has other layers, or there is no such loss.
        TypeError: If `style_loss` is neither a name nor a loss.

    Example:
        >>> from pystyle.encoders import vgg16
        >>> list(stylization_criterion(vgg16(weights=None)).losses)
        ['content', 'style', 'smoothness']
    """
    if isinstance(strength, str) and strength not in STRENGTHS:
        raise ValueError(f"`strength` must be a number or one of {', '.join(STRENGTHS)}, got {strength!r}.")
    factor = STRENGTHS[strength] if isinstance(strength, str) else number(strength, "`strength`", above=0)
    contrast = number(contrast, "`contrast`", above=0)
    content_weight = number(content_weight, "`content_weight`", least=0)
    smoothness_weight = number(smoothness_weight, "`smoothness_weight`", least=0)
    if fine and content_layer is None:
        content_layer, content_weight = fine_content_layer_of(encoder), _FINE_CONTENT * content_weight
    content_layer = content_layer_of(encoder, content_layer)
    return Criterion(
        encoder,
        {
            "content": ContentLoss(content_layer, weight=content_weight / contrast, relative=True),
            "style": style_loss_of(
                style_loss,
                encoder_layers=encoder.layers,
                five_layers=five_layers_of(encoder),
                layers=style_layers,
                strength=factor,
                fine=fine,
            ),
            "smoothness": TotalVariationLoss(weight=smoothness_weight),
        },
        wrap=wrap,
    )


def stylization_pyramid(edge_size: int | Sequence[int], *, num_steps: Steps = "standard") -> Pyramid:
    """The levels of :func:`~pystyle.stylize`: sizes double, and each level has 4/5 of the steps before.

    Args:
        edge_size: The short edge of the result in pixels, or those of all levels. The smallest of its own is
            between 96 and 191.
        num_steps: Steps of all levels together: a number, ``"draft"`` (16), ``"standard"`` (40) or ``"best"``
            (150); or those of each level.

    Returns:
        A pyramid.

    Raises:
        ValueError: If `edge_size` or `num_steps` is not positive and whole, there is no such name, or there
            are not as many steps as levels.
        TypeError: If one is no number.

    Example:
        >>> stylization_pyramid(512)
        Pyramid(edge_sizes=(128, 256, 512), num_steps=(16, 14, 10))
    """
    try:
        if is_number(edge_size):
            sizes = Pyramid.octaves(edge_size, num_steps=0, smallest=_SMALLEST).edge_sizes
        else:
            sizes = Pyramid(edge_size, num_steps=0).edge_sizes
    except ValueError as error:
        raise ValueError(str(error).replace("`edge_sizes`", "`edge_size`")) from error
    num_steps = steps_with(num_steps, LBFGS)
    if not is_number(num_steps):
        return Pyramid(sizes, num_steps)
    num_steps = whole_number(num_steps, "`num_steps`", least=1)
    shares = [1 - _SHARE**index for index in range(len(sizes) + 1)]
    bounds = [round(num_steps * share / shares[-1]) for share in shares]
    return Pyramid(sizes, [end - start for start, end in pairwise(bounds)])


def steps_with(num_steps: Steps, optimizer: OptimizerFactory) -> int | Sequence[int]:
    """Numbers of steps as they are, and the one that a name stands for with this optimizer.

    Raises:
        ValueError: If there is no such name.
    """
    if not isinstance(num_steps, str):
        return num_steps
    if num_steps not in STEPS:
        raise ValueError(
            f"`num_steps` must be whole numbers or one of {', '.join(STEPS)}, got {num_steps!r}."
        )
    made = optimizer.func if isinstance(optimizer, partial) else optimizer
    knows_curvature = isinstance(made, type) and issubclass(made, LBFGS | torch.optim.LBFGS)
    return STEPS[num_steps] * (1 if knows_curvature else _STEPS_FOR_ONE)
