r"""Gatys, Ecker, Bethge, Hertzmann, Shechtman 2017: controlling perceptual factors in neural style transfer.

Where: each region r of the photograph has a Gram matrix of its own (section 4, guided Gram matrices),

.. math:: E_l = \frac{1}{4 N_l^2} \sum_r \lambda_r \sum_{ij} (G^{l,r}_{ij} - A^{l,r}_{ij})^2 \qquad
          G^{l,r} = \sum_p (T^r_p)^2 F_p F_p^\top \qquad \sum_p (T^r_p)^2 = 1

or only a sum of its features, beside one Gram matrix of the whole image (guided sums). Whose colours:
section 5. Strokes of which size: section 6.

==================  =======================================  =============================================
what                paper                                    authors' code
==================  =======================================  =============================================
network             VGG-19, mean activations of 1            VGG-19 as Caffe has it, max pooling
content             relu4_2, mean of squares                 the same, weight 1
style               relu1_1 ... relu5_1, E, equal weights    the same layers, ⟨ΔG²⟩, weights 1000 / N²
regions λ           1                                        1 / number of regions
guided sums         entries of the Gram matrix of [F, T]:    ⟨(Δ⟨F T⟩)²⟩, weights 1e9 / N² / regions (one
                    2 Σ Δ² / (4 N²)                          painting), 5e7 / N² / regions (several)
Gram beside them    E of the whole image                     1000 / N², divided among the paintings
guides T            inside: neurons that see the region      one painting: inside, grown by 3 positions
                    only; all; or resized                    (Gram) or by none (sums); several: resized
colours, matched    mean and covariance of the style         the same: ``pca``, variances + 1e-5
                    become those of the content
luminance           style gets mean and standard deviation   the mean only
                    of the content
mixed scales        fine style on the image of the coarse    up to relu2_1 (512) and relu4_1 (1024), 1000 /
                    style, Gram matrices of early layers     layers each, 500 and 200 steps
sizes               500, then 1000                           area of 512², then 1024²
init                content, then enlarged                   the same
optimizer           L-BFGS                                   its L-BFGS, 100 pairs, 500 and 200 evaluations
==================  =======================================  =============================================

Sources: the paper's sections 2 and 4 to 6, from memory; leongatys/NeuralImageSynthesis, commit cced0b9,
``SpatialControl.ipynb``, ``ColourControl.ipynb``, ``ScaleControl.ipynb``, ``LossLayers.lua``. The paper's
ratio of style and content is that of the notebooks for normalised weights.

What differs here: soft masks weigh F Fᵀ by T, where the code takes T²; masks are resized by means over
areas, where it takes splines; what a neuron sees is derived, where it is found by trying; colours are not
dulled by 1e-5 (see :func:`pystyle.colors.match_colors`); images are resampled bilinearly.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

from torch import Tensor

from pystyle.colors import luminance, match_colors, match_luminance, transfer_luminance
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import channel_means
from pystyle.images import resize
from pystyle.losses import ContentLoss, GramLoss, LayerMask, Loss
from pystyle.optim import LBFGS
from pystyle.papers.gatys_2016 import CHANNELS, CONTENT_LAYER, STYLE_LAYERS
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import MaskedImage, OptimizerFactory, Propagation

__all__ = ["GuidedSumLoss", "criterion", "mixed_scales", "recoloured", "style_transfer"]

Control: TypeAlias = Literal["gram", "sums"]
Variant: TypeAlias = Literal["paper", "code"]
Preserve: TypeAlias = Literal["colors", "luminance"]


class GuidedSumLoss(Loss):
    r"""The mean squared difference of the sums of features over a region, times its guide.

    .. math:: \frac{1}{N} \left\| \frac{1}{M} \sum_p T_p F_p - \frac{1}{M_s} \sum_p T^s_p F^s_p \right\|^2
              \qquad \frac{1}{M} \sum_p T_p^2 = 1

    It is not the difference of the means over the regions, :class:`pystyle.MeanLoss`: the sum of a region
    that is a quarter of the image is half its mean. So it is no loss of a region as if that were an image of
    its own, and :func:`pystyle.testing.check_loss` says so.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> GuidedSumLoss("relu3_1").within("sky", propagation="inside")
        GuidedSumLoss('relu3_1').within('sky', propagation='inside')
    """

    reference = "style"
    spatial = "pooled"

    def represent(self, features: Tensor) -> Tensor:
        """The means, (batch, channels): the guide is 1 everywhere."""
        return channel_means(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The means of the features times the guide."""
        return channel_means(features * mask.weights.sqrt().to(features))


def criterion(
    encoder: Encoder | None = None,
    *,
    regions: Mapping[str, str] | None = None,
    control: Control = "gram",
    variant: Variant = "code",
    content_weight: float = 1.0,
    style_weight: float | None = None,
    sum_weight: float | None = None,
    propagation: Propagation | None = None,
    dilation: int | None = None,
) -> Criterion:
    """The losses of all regions.

    Args:
        encoder: The network; that of the table if not given.
        regions: The name of the painting of each region by the name of its masks; without regions the whole
            of ``"style"`` is taken.
        control: Guided Gram matrices or guided sums.
        variant: Whose losses.
        content_weight: Of the content.
        style_weight: Of the Gram matrices: 4000 for the paper and 1000, which is divided by N², for the code
            if not given.
        sum_weight: Of the guided sums: as `style_weight` for the paper and that of the table for the code if
            not given.
        propagation: How masks get to the layers; that of the table if not given.
        dilation: By how many positions of each layer the regions grow; that of the table if not given.

    Returns:
        A criterion with the loss ``content`` and, for each region, ``gram_<region>`` or ``sum_<region>``;
        those of the whole image are called ``gram_<painting>``.

    Raises:
        ValueError: If `variant` or `control` is unknown.

    Example:
        >>> losses = criterion(vgg19(weights=None), regions={"sky": "style", "house": "style"}).losses
        >>> list(losses)
        ['content', 'gram_sky', 'gram_house']
        >>> losses["gram_sky"].propagation, losses["gram_sky"].dilation
        ('inside', 3)
    """
    _check(variant)
    if control not in ("gram", "sums"):
        raise ValueError(f"`control` must be 'gram' or 'sums', got {control!r}.")
    paper = variant == "paper"
    paintings = tuple(dict.fromkeys((regions or {"": "style"}).values()))
    if encoder is None:
        encoder = vgg19("caffe_normalized" if paper else "caffe")
    if style_weight is None:
        style_weight = 4e3 if paper else 1e3
    if sum_weight is None:
        sum_weight = style_weight if paper else (1e9 if len(paintings) == 1 else 5e7)
    if propagation is None:
        propagation = "inside" if len(paintings) == 1 else "simple"
    if dilation is None:
        dilation = 3 if control == "gram" and propagation == "inside" else 0
    # E is a quarter of the mean over N² entries; the sums stand twice in the matrix, N of its N² entries.
    gram_weights = [1 / 5 / 4 if paper else 1 / n**2 for n in CHANNELS]
    sum_weights = [1 / 5 / (2 * n) if paper else 1 / n**2 for n in CHANNELS]
    share = 1.0 if paper or not regions else 1 / len(regions)

    losses: dict[str, Loss] = {"content": ContentLoss(CONTENT_LAYER, weight=content_weight)}
    guided: type[GramLoss | GuidedSumLoss] = GramLoss if control == "gram" else GuidedSumLoss
    weights, weight = (gram_weights, style_weight) if control == "gram" else (sum_weights, sum_weight)
    if control == "sums" or not regions:
        for painting in paintings:
            losses[f"gram_{painting}"] = GramLoss(
                STYLE_LAYERS,
                layer_weights=gram_weights,
                weight=style_weight / len(paintings),
                reference=painting,
            )
    for region, painting in (regions or {}).items():
        loss = guided(STYLE_LAYERS, layer_weights=weights, weight=weight * share, reference=painting)
        name = f"{'gram' if control == 'gram' else 'sum'}_{region}"
        losses[name] = loss.within(region, propagation=propagation, dilation=dilation)
    return Criterion(encoder, losses)


def recoloured(
    content: Tensor, style: Tensor, *, preserve: Preserve, variant: Variant = "code"
) -> tuple[Tensor, Tensor]:
    """Content and style as they are compared if the colours of the content are to stay (section 5).

    Args:
        content: The photograph.
        style: The painting.
        preserve: ``"colors"``: the painting gets the mean and covariance of the photograph's colours.
            ``"luminance"``: both become grey, the painting as bright as the photograph; after the run
            :func:`pystyle.colors.transfer_luminance` gives the photograph's chroma back.
        variant: Whose luminance.

    Returns:
        Both images.

    Raises:
        ValueError: If `preserve` or `variant` is unknown.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photo, painting = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
        >>> grey, style = recoloured(photo, painting, preserve="luminance")
        >>> bool((grey[:, 0] == grey[:, 1]).all()), bool((style[:, 0] == style[:, 1]).all())
        (True, True)
    """
    _check(variant)
    if preserve == "colors":
        return content, match_colors(style, content, method="pca")
    if preserve != "luminance":
        raise ValueError(f"`preserve` must be 'colors' or 'luminance', got {preserve!r}.")
    grey = luminance(content)
    if variant == "paper":
        matched = match_luminance(style, content)
    else:
        own = luminance(style)
        matched = (own - own.mean() + grey.mean()).clamp(0, 1)
    return grey.expand(-1, 3, -1, -1), matched.expand(-1, 3, -1, -1)


def mixed_scales(
    coarse: Tensor,
    fine: Tensor,
    *,
    encoder: Encoder | None = None,
    last_layer: str = "relu2_1",
    style_weight: float = 1e3,
    colors: Tensor | None = None,
    num_steps: int = 500,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> Result:
    """A style with the large forms of one painting and the small strokes of another (section 6).

    The coarse painting is what the run starts from, and the Gram matrices of early layers are those of the
    fine one. There is no content loss: what the early layers do not see stays.

    Args:
        coarse: The painting with the large forms, at the size at which it is to be used.
        fine: The painting with the strokes, at the size at which it is to be used.
        encoder: The network; VGG-19 as Caffe has it if not given.
        last_layer: The deepest of the layers; the code takes relu2_1 at 512 and relu4_1 at 1024 pixels.
        style_weight: Divided by the number of layers.
        colors: Whose colours both get first, usually the photograph; none if not given.
        num_steps: Evaluations of the loss.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.

    Returns:
        The new style, for the place of the style of :func:`style_transfer`.

    Raises:
        ValueError: If `last_layer` is none of the style's, or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - coarse, fine: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> coarse, fine = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 48, 32)
        >>> mixed_scales(coarse, fine, encoder=vgg19(weights=None), num_steps=1).image.shape
        torch.Size([1, 3, 32, 40])
    """
    if last_layer not in STYLE_LAYERS:
        raise ValueError(f"`last_layer` must be one of {STYLE_LAYERS}, got {last_layer!r}.")
    layers = STYLE_LAYERS[: STYLE_LAYERS.index(last_layer) + 1]
    if colors is not None:
        coarse, fine = (match_colors(image, colors, method="pca") for image in (coarse, fine))
    # Equal weights that sum to one are the default.
    style = GramLoss(layers, weight=style_weight)
    return optimize_image(
        Criterion(vgg19() if encoder is None else encoder, {"style": style}),
        {"style": fine},
        init=coarse,
        optimizer=optimizer,
        num_steps=num_steps,
        bounds=None,
        callbacks=callbacks,
        evaluation=evaluation,
    )


def style_transfer(
    content: Tensor | MaskedImage,
    style: Tensor | MaskedImage | Mapping[str, Tensor | MaskedImage],
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    control: Control = "gram",
    preserve: Preserve | None = None,
    edge_sizes: Sequence[int] = (512, 1024),
    content_weight: float = 1.0,
    style_weight: float | None = None,
    sum_weight: float | None = None,
    propagation: Propagation | None = None,
    dilation: int | None = None,
    num_steps: Sequence[int] = (500, 200),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> list[Result]:
    """A photograph in the style of a painting, with the controls of the paper, from coarse to fine.

    At a large size alone, the losses see only small structures of the style (section 6).

    Args:
        content: The photograph; with masks for control over regions.
        style: The painting. With masks of the same names each region takes its own part of it; a dictionary
            has a painting for each region of the photograph.
        encoder: The network; see the table of the module.
        variant: The paper or the authors' code.
        control: Guided Gram matrices or guided sums; see :func:`criterion`.
        preserve: What of the photograph's colours stays; see :func:`recoloured`.
        edge_sizes: The root of the area at each level in pixels.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        sum_weight: Of :func:`criterion`.
        propagation: Of :func:`criterion`.
        dilation: Of :func:`criterion`.
        num_steps: Evaluations of the loss at each level.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1].

    Raises:
        ValueError: If an argument is unknown, the regions of `content` and `style` differ, or there are not
            as many sizes as steps. From the criterion: if nothing is left of a region in a layer.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> left = torch.zeros(1, 1, 32, 32)
        >>> left[..., :16] = 1
        >>> photo = MaskedImage(torch.rand(1, 3, 32, 32), {"left": left, "right": 1 - left})
        >>> paintings = {"left": torch.rand(1, 3, 32, 32), "right": torch.rand(1, 3, 32, 32)}
        >>> levels = style_transfer(
        ...     photo, paintings, encoder=vgg19(weights=None), edge_sizes=(24, 32), num_steps=(1, 1)
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(24, 24), (32, 32)]
    """
    _check(variant)
    if len(edge_sizes) != len(num_steps):
        raise ValueError(
            f"`num_steps` must have one number for each of {len(edge_sizes)} sizes, got {len(num_steps)}."
        )
    regions, paintings = _regions(content, style)
    objective = criterion(
        encoder, regions=regions, control=control, variant=variant, content_weight=content_weight,
        style_weight=style_weight, sum_weight=sum_weight, propagation=propagation, dilation=dilation,
    )  # fmt: skip
    results = list[Result]()
    start: Tensor | None = None
    for edge_size, steps in zip(edge_sizes, num_steps, strict=True):
        photograph = _sized(content, edge_size)
        references = {name: _sized(painting, edge_size) for name, painting in paintings.items()}
        original = _image(photograph)
        references["content"] = photograph
        if preserve is not None:
            for name in paintings:
                pair = recoloured(original, _image(references[name]), preserve=preserve, variant=variant)
                references["content"] = _with_image(photograph, pair[0])
                references[name] = _with_image(references[name], pair[1])
        size = (original.shape[2], original.shape[3])
        result = optimize_image(
            objective,
            references,
            init="content" if start is None else resize(start, size, interpolation="bilinear"),
            optimizer=optimizer,
            num_steps=steps,
            bounds=None,
            callbacks=callbacks,
            evaluation=evaluation,
        )
        start = result.image
        if preserve == "luminance":
            result = replace(result, image=transfer_luminance(result.image, original))
        results.append(result)
    return results


def _regions(
    content: Tensor | MaskedImage, style: Tensor | MaskedImage | Mapping[str, Tensor | MaskedImage]
) -> tuple[dict[str, str] | None, dict[str, Tensor | MaskedImage]]:
    """The name of the painting of each region, and the paintings by their names."""
    if isinstance(style, Tensor):
        return None, {"style": style}
    own = set(content.masks) if isinstance(content, MaskedImage) else set()
    given = set(style.masks) if isinstance(style, MaskedImage) else set(style)
    if own != given:
        raise ValueError(
            f"`style` must have the regions of `content`, {sorted(own) or 'none'}, got {sorted(given)}."
        )
    if isinstance(style, MaskedImage):
        return dict.fromkeys(style.masks, "style"), {"style": style}
    return (
        {region: f"style_{region}" for region in style},
        {f"style_{region}": painting for region, painting in style.items()},
    )


def _sized(image: Tensor | MaskedImage, edge_size: int) -> Tensor | MaskedImage:
    height, width = _image(image).shape[2:]
    factor = edge_size / math.sqrt(height * width)
    size = math.ceil(height * factor), math.ceil(width * factor)
    small = resize(_image(image), size, interpolation="bilinear")
    if not isinstance(image, MaskedImage):
        return small
    masks = {name: resize(mask, size, interpolation="bilinear") for name, mask in image.masks.items()}
    return MaskedImage(small, masks)


def _image(image: Tensor | MaskedImage) -> Tensor:
    return image.image if isinstance(image, MaskedImage) else image


def _with_image(image: Tensor | MaskedImage, other: Tensor) -> Tensor | MaskedImage:
    return replace(image, image=other) if isinstance(image, MaskedImage) else other


def _check(variant: str) -> None:
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
