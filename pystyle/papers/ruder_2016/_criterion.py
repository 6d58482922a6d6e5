from collections.abc import Sequence

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss, TemporalLoss, TotalVariationLoss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import CONTENT_LAYER, STYLE_LAYERS


def criterion(
    encoder: Encoder | None = None,
    *,
    weights: Sequence[Tensor] = (),
    variant: Variant = "code",
    size: tuple[int, int],
    content_weight: float | None = None,
    style_weight: float | None = None,
    temporal_weight: float | None = None,
    smoothness: float = 1e-3,
) -> Criterion:
    """The losses of one frame.

    Args:
        encoder: The network; that of the table if not given.
        weights: How much each pixel of each warped frame counts; see :func:`long_term_weights`.
        variant: Whose losses.
        size: Height and width of the frame in pixels, on which the total variation depends.
        content_weight: α; 1 for the paper and 5 for the code if not given.
        style_weight: β, for each layer; 20 for the paper and 100 for the code if not given.
        temporal_weight: γ; 200 for the paper and 1000 for the code if not given.
        smoothness: Of the code's total variation.

    Returns:
        A criterion with the losses ``content`` and ``style``, for each of `weights` ``temporal_0``,
        ``temporal_1``, ..., whose references are ``warped_0``, ``warped_1``, ..., and with the code
        ``smoothness``.

    Raises:
        ValueError: If `variant` is unknown, or weights are not in [0, 1].

    Example:
        >>> import torch
        >>> losses = criterion(vgg19(weights=None), weights=[torch.ones(1, 1, 32, 32)], size=(32, 32)).losses
        >>> list(losses)
        ['content', 'style', 'temporal_0', 'smoothness']
    """
    check_variant(variant)
    paper = variant == "paper"
    defaults = (1.0, 20.0, 200.0) if paper else (5.0, 100.0, 1000.0)
    alpha, beta, gamma = (
        default if given is None else given
        for given, default in zip((content_weight, style_weight, temporal_weight), defaults, strict=True)
    )
    losses: dict[str, Loss] = {
        "content": ContentLoss(CONTENT_LAYER, weight=alpha),
        "style": GramLoss(
            STYLE_LAYERS, layer_weights=[beta] * len(STYLE_LAYERS), normalization="hw" if paper else "chw"
        ),
    }
    for index, each in enumerate(weights):
        # The squares are those of levels of 0 ... 255.
        losses[f"temporal_{index}"] = TemporalLoss(each, weight=gamma * 255**2, reference=f"warped_{index}")
    if not paper and smoothness:
        # The loss is a mean over the pixels that have both neighbours, of three colours.
        variation = smoothness * 255**2 * 3 * (size[0] - 1) * (size[1] - 1) / 2
        losses["smoothness"] = TotalVariationLoss(weight=variation)
    return Criterion(vgg19() if encoder is None else encoder, losses)
