"""Regions that are painted in their own manners."""

import copy
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from pystyle.colors import match_colors
from pystyle.criterion import Criterion
from pystyle.criterion._blend import blend_of, image_of, masks_of
from pystyle.losses import Loss
from pystyle.stylization._sources import OPAQUE
from pystyle.typing import Init, MaskedImage, References


def confined(
    criteria: list[Criterion], references: References, start: Init, *, has_regions: bool
) -> tuple[list[Criterion], Init]:
    """The criteria of a content with masks, and what to start from.

    Args:
        criteria: Those of all levels, each with a loss named ``style``.
        references: The content, which has masks, and the styles.
        start: What a content without masks would start from.
        has_regions: Whether its masks are regions to be painted, and not just what is opaque of it.

    Raises:
        ValueError: If a region has no style, or a style no region.
    """
    content = references["content"]
    if not isinstance(content, MaskedImage):
        return criteria, start
    if has_regions:
        styles = styles_of_regions(content, references)
        recoloured = partial(recoloured_in_regions, content, references, styles)
        changed = {one: confined_criterion(one, content, styles) for one in criteria}
    else:
        recoloured = partial(_recoloured_by_opaque_part, content, references)
        changed = {one: _within_opaque_part(one) for one in criteria}
    return [changed[one] for one in criteria], recoloured() if isinstance(
        start, str
    ) and start == "recoloured" else start


def _within_opaque_part(criterion: Criterion) -> Criterion:
    losses = {name: copy.copy(loss).within(OPAQUE) for name, loss in criterion.named_losses.items()}
    return Criterion(criterion.encoder, losses)


def _recoloured_by_opaque_part(content: MaskedImage, references: References) -> Tensor:
    """The content with the colours that give its opaque part the mean and covariance of the style."""
    blend, mask = blend_of(references["style"], "style"), content.masks[OPAQUE]
    parts = [weight * match_colors(content.image, image_of(style), mask=mask) for style, weight in blend]
    return torch.stack(parts).sum(0)


def confined_criterion(criterion: Criterion, content: MaskedImage, styles: Mapping[str, str]) -> Criterion:
    """The criterion with a style loss for each region, which counts as much as its area.

    So the balance of content and style is that of a single style at every pixel. What lies in no region is
    left to the content.

    Args:
        criterion: One with a loss named ``style``.
        content: The content with the masks.
        styles: The name of the reference of each region.
    """
    losses: dict[str, Loss] = {}
    for name, loss in criterion.named_losses.items():
        if name != "style":
            losses[name] = loss
            continue
        for region, reference in styles.items():
            confined = copy.copy(loss).within(region)
            confined.reference = (
                reference
                if loss.references == ("style",)
                else tuple(reference if other == "style" else other for other in loss.references)
            )
            confined.weight = loss.weight * float(content.masks[region].mean())
            losses[loss_name("style", region, losses)] = confined
    return Criterion(criterion.encoder, losses)


def loss_name(kind: str, region: str, losses: Mapping[str, Loss]) -> str:
    """The name of a region's loss beside others, which has no dot: in terms the layer follows one."""
    name = f"{kind}_{region.replace('.', '_')}"
    while name in losses:
        name += "_"
    return name


def styles_of_regions(content: MaskedImage, references: References) -> dict[str, str]:
    """The names of the references that the regions of the content take their styles from.

    Raises:
        ValueError: If a region has no style, or a style no region.
    """
    if "style" in references:
        return dict.fromkeys(content.masks, "style")
    regions, styles = list(content.masks), [name for name in references if name != "content"]
    if set(regions) != set(styles):
        raise ValueError(
            f"`style` must have an image for each region of the content, {', '.join(map(repr, regions))}, "
            f"got {', '.join(map(repr, styles))}."
        )
    return {region: region for region in regions}


def recoloured_in_regions(content: MaskedImage, references: References, styles: Mapping[str, str]) -> Tensor:
    """The content, each region of which has the mean and covariance of the colours of its style.

    Pixels count as much as the masks say, and are recoloured as much.
    """
    picture, photograph = content.image.clone(), content.image
    for region, name in styles.items():
        mask = content.masks[region]
        for style, weight in blend_of(references[name], name):
            matched = match_colors(
                photograph, image_of(style), mask=mask, reference_mask=masks_of(style).get(region)
            )
            picture += weight * mask * (matched - photograph)
    return picture
