r"""Galerne, Raad, Lezama, Morel 2024: scaling painting style transfer (SPST).

:Paper: https://doi.org/10.1111/cgf.15155
:Paper: https://arxiv.org/abs/2212.13459
:Code: https://github.com/bgalerne/scaling_painting_style_transfer/tree/d39643c

Style transfer by optimisation at 4000 and more pixels, exactly: the gradient is computed part by part,
because Gram matrices, means and deviations are means over positions. Means and deviations are added to the
losses of Gatys et al.:

.. math:: \mathcal{L} = \langle (F - P)^2 \rangle
          + \sum_l w_l \left\langle (G^l/M_l - A^l/M_l)^2 \right\rangle
          + v_l \left( \langle (\mu^l - \mu^l_*)^2 \rangle + \langle (\sigma^l - \sigma^l_*)^2 \rangle \right)

====================  ====================================================================================
what                  authors' code
====================  ====================================================================================
network               VGG-19 as Caffe has it, max pooling
content               relu4_2, mean of squares, weight 1
style                 relu1_1 ... relu5_1; w = 1000 / N², v = w N² 1000 / 100 = 1e4; σ² = diag(G/M) - µ²
parts                 blocks of 512 pixels that overlap by 256, in two passes
levels                the content halved while its short side is above 1023; the style is brought to the
                      short side of the content if it is more than 1.1 times as large
init                  content, then the enlarged result
optimizer             torch's L-BFGS; 100 pairs at the first level, 10 at the others
steps                 ``"code"``: 600, then 300 at each level; ``"fast"``: 600, 200, 66, 30
====================  ====================================================================================

Sources: bgalerne/scaling_painting_style_transfer, commit d39643c. The paper's numbers were not read
against it, so there is no ``"paper"`` here; its tables of timings and of the identity test are not
reproduced yet.

What differs here: strips between the poolings (:class:`pystyle.evaluation.StripEvaluation`) in the place
of overlapping blocks, with the same gradient; 1e-6 is added to the variance under the root; images are
resampled by antialiased cubic kernels.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import Evaluation, StripEvaluation
from pystyle.images import resize, scaled_size
from pystyle.losses import ContentLoss, GramLoss, MeanStdLoss
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._layers import names, num_channels
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import Wrap

__all__ = ["criterion", "level_sizes", "style_transfer"]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STEPS = {"code": (600, 300), "fast": (600, 200, 66, 30)}


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    moment_weight: float = 1e4,
    wrap: Wrap | None = None,
) -> Criterion:
    """The losses, all of which add up over parts of the image.

    Args:
        encoder: The network; that of the table if not given.
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        content_weight: Factor of the content loss.
        style_weight: What is divided by N² for the Gram losses.
        moment_weight: Factor of the mean squared differences of the means and of those of the deviations;
            with 0 the losses are those of Gatys et al. alone.
        wrap: The sides beyond which the image goes on with its other side; see :class:`~pystyle.Criterion`.

    Returns:
        A criterion with the losses ``content``, ``gram`` and ``moments``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> list(criterion(vgg19(weights=None)).losses)
        ['content', 'gram', 'moments']
    """
    encoder = vgg19() if encoder is None else encoder
    content_layers, style_layers = names(content_layers), names(style_layers)
    gram_weights = [style_weight / n**2 for n in num_channels(encoder, style_layers)]
    # MeanStdLoss is the mean over means and deviations together, half of the sum of both means.
    moment_weights = [2 * moment_weight] * len(style_layers)
    content_weights = [content_weight] * len(content_layers)
    return Criterion(
        encoder,
        {
            "content": ContentLoss(content_layers, layer_weights=content_weights),
            "gram": GramLoss(style_layers, layer_weights=gram_weights),
            "moments": MeanStdLoss(style_layers, layer_weights=moment_weights),
        },
        wrap=wrap,
    )


def level_sizes(size: tuple[int, int], *, largest: int = 1023) -> list[tuple[int, int]]:
    """The sizes of the levels, from coarse to fine.

    Args:
        size: Height and width of the content.
        largest: The largest short side that is not halved.

    Returns:
        Height and width of each level; the last is `size`.

    Raises:
        ValueError: If `largest` is not positive.

    Example:
        >>> level_sizes((3000, 4000))
        [(750, 1000), (1500, 2000), (3000, 4000)]
    """
    if largest < 1:
        raise ValueError(f"`largest` must be at least 1, got {largest}. Half of a pixel is no level.")
    sizes = [size]
    while min(sizes[0]) > largest:
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    return sizes


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    steps: Literal["code", "fast"] | tuple[int, ...] = "code",
    largest: int = 1023,
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    moment_weight: float = 1e4,
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = StripEvaluation(),
    wrap: Wrap | None = None,
) -> list[Result]:
    """A photograph in the style of a painting, at the size of the photograph.

    Args:
        content: The photograph.
        style: The painting.
        encoder: The network; see the table of the module.
        steps: Evaluations at each level, the last number for all further ones; ``"code"`` is (600, 300) and
            ``"fast"`` is (600, 200, 66, 30).
        largest: The largest short side of the first level.
        content_layers: Of :func:`criterion`.
        style_layers: Of :func:`criterion`.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        moment_weight: Of :func:`criterion`.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.
        wrap: ``"both"`` for a picture that can be laid beside itself, ``"horizontal"`` for a panorama all
            around, or None as in the paper. The photograph should wrap as well. Sides that wrap are rounded
            to multiples of the stride of the deepest layer.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1]. One that diverged or was
        interrupted is the last.

    Raises:
        ValueError: If `steps` is unknown or empty, or the images are too small for the encoder.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 64, 96), torch.rand(1, 3, 80, 64)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), steps=(2, 1), largest=48
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(32, 48), (64, 96)]
    """
    check_images({"content": content, "style": style})
    counts = STEPS.get(steps, ()) if isinstance(steps, str) else steps
    if not counts:
        raise ValueError(f"`steps` must be 'code', 'fast' or at least one number, got {steps!r}.")
    losses = criterion(
        encoder, content_layers=content_layers, style_layers=style_layers, content_weight=content_weight,
        style_weight=style_weight, moment_weight=moment_weight, wrap=wrap,
    )  # fmt: skip
    results = list[Result]()
    for index, size in enumerate(level_sizes((content.shape[2], content.shape[3]), largest=largest)):
        size = losses.nearest_size(size)
        photograph = resize(content, size, wrap=wrap)
        results.append(
            optimize_image(
                losses,
                {"content": photograph, "style": _not_too_large(style, min(size))},
                init=resize(results[-1].image, size, wrap=wrap) if results else photograph,
                optimizer=partial(LBFGS, history_size=10 if results else 100, initial_step=None),
                num_steps=counts[min(index, len(counts) - 1)],
                bounds=None,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )
        if results[-1].failed:
            break
    return results


def _not_too_large(style: Tensor, edge_size: int) -> Tensor:
    size = (style.shape[2], style.shape[3])
    return resize(style, scaled_size(size, edge_size)) if min(size) > 1.1 * edge_size else style
