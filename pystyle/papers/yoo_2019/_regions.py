from functools import partial

import torch
from torch import Tensor

from pystyle._arguments import number
from pystyle.networks import by_region, feature_coloring
from pystyle.networks._regions import at_positions, positions_inside
from pystyle.papers._any_size import content_for, masks_for, picture_for, style_for
from pystyle.papers.yoo_2019._network import WCT2Network, cropped, transferred
from pystyle.typing import MaskedImage

_FEWEST = 10
_LARGEST_RATIO = 100.0


@torch.no_grad()
def regions(
    network: WCT2Network, content: MaskedImage, style: MaskedImage, *, strength: float = 1.0
) -> Tensor:
    """A picture each region of which gets the features of the region of the style with the same name.

    Args:
        network: The network.
        content: A photograph with masks of regions. Where no mask is, features stay as they are; so they do
            in a region that the style has not, that has no more than 10 pixels in one of both, or 100 times
            as many in one as in the other.
        style: A photograph with masks of regions.
        strength: How much of the transferred features.

    Returns:
        The picture, of the type and on the device of the content.

    Raises:
        ValueError: If `strength` is not in [0, 1], no region is in both, there are several styles, or an
            image is too small.

    Shape:
        - content.image, output: (batch, 3, height, width), RGB in [0, 1]
        - style.image: (1, 3, height, width)

    Example:
        >>> from pystyle.papers.yoo_2019 import network
        >>> masks = {"sky": torch.ones(1, 1, 32, 32).tril(), "land": torch.ones(1, 1, 32, 32).triu(1)}
        >>> day, night = (MaskedImage(torch.rand(1, 3, 32, 32), masks) for _ in range(2))
        >>> regions(network(option="sum", weights=None), day, night).shape
        torch.Size([1, 3, 32, 32])
    """
    strength = number(strength, "`strength`", least=0, most=1)
    if len(style.image) != 1:
        raise ValueError(f"`style` must be one image, got a batch of {len(style.image)}.")
    shared = [name for name in content.masks if name in style.masks]
    if not shared:
        raise ValueError(
            f"`style` must have a region of the content, {tuple(content.masks)}, got {tuple(style.masks)}."
        )
    names = [name for name in shared if _comparable(content.masks[name], style.masks[name])]
    masks = masks_for(network, content.masks)
    colorings = iter(_colorings(network, style, names))

    def transform(features: Tensor) -> Tensor:
        found = next(colorings)
        paints = {name: partial(transferred, coloring=found[name], strength=strength) for name in found}
        return by_region(features, masks, paints)

    picture = network.transformed(content_for(network, content.image), transform)
    return picture_for(picture, content.image)


def _colorings(network: WCT2Network, style: MaskedImage, names: list[str]) -> list[dict[str, Tensor]]:
    """Mean and root of the covariance of each region, at each place of the network."""
    masks = {name: cropped(style.masks[name], network.stride) for name in names}
    found: list[dict[str, Tensor]] = []

    def record(features: Tensor) -> Tensor:
        inside = {name: positions_inside(features, masks, name)[0] for name in names}
        found.append(
            {
                name: feature_coloring(at_positions(features[0], where), added=1.0)
                for name, where in inside.items()
                if bool(where.any())
            }
        )
        return features

    image = style_for(network, style.image, "style")
    network.transformed(cropped(image, network.stride), record)
    return found


def _comparable(mask: Tensor, other: Tensor) -> bool:
    """Whether the regions are large enough, and not too different in size."""
    sizes = sorted(float((one > 0.5).sum()) for one in (mask, other))
    return sizes[0] > _FEWEST and sizes[1] < _LARGEST_RATIO * sizes[0]
