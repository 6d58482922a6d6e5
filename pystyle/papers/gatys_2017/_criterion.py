from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss
from pystyle.papers._layers import names, num_channels
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import CONTENT_LAYER, STYLE_LAYERS
from pystyle.papers.gatys_2017._guided_sums import GuidedSumLoss
from pystyle.stylization._regions import loss_name
from pystyle.typing import Propagation

Control: TypeAlias = Literal["gram", "sums"]


def criterion(
    encoder: Encoder | None = None,
    *,
    regions: Mapping[str, str] | None = None,
    control: Control = "gram",
    variant: Variant = "code",
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    region_weights: Mapping[str, float] | None = None,
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
        content_layers: Where the content is compared.
        style_layers: Where the style is compared.
        region_weights: λ of each region; 1 for the paper, and for the code one divided by their number, if
            not given.
        content_weight: Of the content.
        style_weight: Of the Gram matrices: 4000 for the paper and 1000, which is divided by N², for the code
            if not given.
        sum_weight: Of the guided sums: as `style_weight` for the paper and that of the table for the code if
            not given.
        propagation: How masks get to the layers; that of the table if not given.
        dilation: By how many positions of each layer the regions grow; that of the table if not given.

    Returns:
        A criterion with the loss ``content`` and, for each region, ``gram_<region>`` or ``sum_<region>``;
        those of the whole image are called ``gram_<painting>``. Dots in the names of regions and paintings
        become underscores.

    Raises:
        ValueError: If `variant`, `control` or a layer is unknown, or `region_weights` are not those of
            `regions`.

    Example:
        >>> losses = criterion(vgg19(weights=None), regions={"sky": "style", "house": "style"}).losses
        >>> list(losses)
        ['content', 'gram_sky', 'gram_house']
        >>> losses["gram_sky"].propagation, losses["gram_sky"].dilation
        ('inside', 3)
    """
    check_variant(variant)
    if control not in ("gram", "sums"):
        raise ValueError(f"`control` must be 'gram' or 'sums', got {control!r}.")
    paper = variant == "paper"
    paintings = tuple(dict.fromkeys((regions or {"": "style"}).values()))
    if encoder is None:
        encoder = vgg19("caffe_normalized" if paper else "caffe")
    style_weight = (4e3 if paper else 1e3) if style_weight is None else style_weight
    if sum_weight is None:
        sum_weight = style_weight if paper else (1e9 if len(paintings) == 1 else 5e7)
    if propagation is None:
        propagation = "inside" if len(paintings) == 1 else "simple"
    if dilation is None:
        dilation = 3 if control == "gram" and propagation == "inside" else 0
    content_layers, style_layers = names(content_layers), names(style_layers)
    channels, share = num_channels(encoder, style_layers), 1 / len(style_layers)
    # E is a quarter of the mean over N² entries; the sums stand twice in the matrix, N of its N² entries.
    gram_weights = [share / 4 if paper else 1 / n**2 for n in channels]
    sum_weights = [share / (2 * n) if paper else 1 / n**2 for n in channels]
    shares = _region_weights(regions or {}, region_weights, variant)

    content = ContentLoss(content_layers, layer_weights=[content_weight] * len(content_layers))
    losses: dict[str, Loss] = {"content": content}
    guided: type[GramLoss | GuidedSumLoss] = GramLoss if control == "gram" else GuidedSumLoss
    weights, weight = (gram_weights, style_weight) if control == "gram" else (sum_weights, sum_weight)
    if control == "sums" or not regions:
        for painting in paintings:
            weight_of_each = style_weight / len(paintings)
            losses[loss_name("gram", painting, losses)] = GramLoss(
                style_layers, layer_weights=gram_weights, weight=weight_of_each, reference=painting
            )
    for region, painting in (regions or {}).items():
        loss = guided(style_layers, layer_weights=weights, weight=weight * shares[region], reference=painting)
        loss = loss.within(region, propagation=propagation, dilation=dilation)
        losses[loss_name(control.removesuffix("s"), region, losses)] = loss
    return Criterion(encoder, losses)


def _region_weights(
    regions: Mapping[str, str], given: Mapping[str, float] | None, variant: Variant
) -> Mapping[str, float]:
    if given is None:
        return dict.fromkeys(regions, 1.0 if variant == "paper" else 1 / max(len(regions), 1))
    if set(given) != set(regions):
        raise ValueError(
            f"`region_weights` must have the regions {sorted(regions) or 'none'}, got {sorted(given)}."
        )
    return given
