from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import Loss
from pystyle.pyramid import Pyramid
from pystyle.pyramid._references import fits, reference_scales
from pystyle.stylization._contrast import feature_contrast
from pystyle.stylization._layers import fine_content_layer_of
from pystyle.stylization._recipe import stylization_criterion
from pystyle.typing import References, Strength, StyleLossName, Wrap


def stylization_criteria(
    encoder: Encoder,
    references: References,
    pyramid: Pyramid,
    *,
    strength: Strength = 1.0,
    style_loss: StyleLossName | Loss = "wasserstein",
    style_layers: Sequence[str] | None = None,
    content_layer: str | None = None,
    content_weight: float = 1.0,
    smoothness_weight: float = 6.0,
    style_scale: float = 1.0,
    alpha: Tensor | None = None,
    wrap: Wrap | None = None,
) -> list[Criterion]:
    """The criterion of each level of :func:`~pystyle.stylize`.

    The first level settles the composition with all layers. Those that follow look at the first three of the
    five, which hold the strokes; so a step takes a third of the time, and more of the photograph stays. With
    a loss or layers of your own all levels are alike.

    Args:
        encoder: As for :func:`stylization_criterion`.
        references: The content, and one or several styles by other names, whose contrast
            (:func:`feature_contrast`) is measured.
        pyramid: The levels.
        strength, style_loss, style_layers, content_layer, content_weight, smoothness_weight: As for
            :func:`stylization_criterion`.
        style_scale: Size of the style relative to the content. Levels at which the encoder cannot take one of
            them are left out; the first that it can settles the composition.
        alpha: How opaque the content is: what is transparent does not count.
        wrap: The sides beyond which the picture and the content go on with their other side.

    Returns:
        As many criteria as there are levels, for :meth:`Pyramid.optimize <pystyle.Pyramid.optimize>`.

    Raises:
        ValueError: If an argument has an impossible value, or the encoder has other layers.
        TypeError: If `style_loss` is neither a name nor a loss.

    Shape:
        - references: (1, 3, height, width), RGB in [0, 1]
        - alpha: (1, 1, height, width), in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.stylization import stylization_pyramid
        >>> references = {"content": torch.rand(1, 3, 32, 32), "style": torch.rand(1, 3, 32, 32)}
        >>> first, second = stylization_criteria(
        ...     vgg19(weights=None), references, stylization_pyramid([32, 64])
        ... )
        >>> "relu5_1" in first.layers, "relu5_1" in second.layers
        (True, False)
    """
    sizes = pyramid.edge_sizes
    own = style_layers is not None or content_layer is not None or not isinstance(style_loss, str)

    def criterion(contrast: float = 1.0, *, fine: bool = False) -> Criterion:
        return stylization_criterion(
            encoder,
            strength=strength,
            style_loss=style_loss,
            style_layers=style_layers,
            content_layer=content_layer,
            content_weight=content_weight,
            smoothness_weight=smoothness_weight,
            contrast=contrast,
            fine=fine,
            wrap=wrap,
        )

    scales = reference_scales([criterion()], references, style_scale)
    num_small = sum(not fits(criterion(), size, scales) for size in sizes)
    num_coarse = len(sizes) if own else min(num_small + 1, len(sizes))
    contrast = partial(feature_contrast, encoder, references, alpha=alpha, wrap=wrap)
    found = [criterion(contrast(edge_size=sizes[num_coarse - 1], content_layer=content_layer))] * num_coarse
    if num_coarse < len(sizes):
        layer = fine_content_layer_of(encoder)
        fine = criterion(contrast(edge_size=sizes[-1], content_layer=layer), fine=True)
        found += [fine] * (len(sizes) - num_coarse)
    return found
