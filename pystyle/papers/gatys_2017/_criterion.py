from collections.abc import Mapping
from typing import Literal, TypeAlias

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import CHANNELS, CONTENT_LAYER, STYLE_LAYERS
from pystyle.papers.gatys_2017._guided_sums import GuidedSumLoss
from pystyle.typing import Propagation

Control: TypeAlias = Literal["gram", "sums"]


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
    check_variant(variant)
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
