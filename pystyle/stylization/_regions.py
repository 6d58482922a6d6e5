"""Regions that are painted in their own manners."""

import copy
from collections.abc import Mapping

from torch import Tensor

from pystyle.colors import match_colors
from pystyle.criterion import Criterion
from pystyle.criterion._blend import blend_of, image_of, masks_of
from pystyle.losses import Loss
from pystyle.typing import MaskedImage, References


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
            confined.reference = reference
            confined.weight = loss.weight * float(content.masks[region].mean())
            losses[f"style_{region}"] = confined
    return Criterion(criterion.encoder, losses)


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
