from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import fold

from pystyle._arguments import number, pixel_size, whole_number
from pystyle.functional import nearest_neighbors, patches
from pystyle.networks import by_region, feature_coloring, whitened_features
from pystyle.papers._any_size import content_for, masks_for, picture_for, style_for
from pystyle.papers._images import check_masks
from pystyle.papers._noise import seeded_uniform
from pystyle.papers.li_fang_2017._network import Transform, WCTNetwork, transforms_to
from pystyle.typing import MaskedImage


@torch.no_grad()
def texture(
    network: WCTNetwork, style: Tensor, *, size: tuple[int, int], num_passes: int = 3, seed: int = 0
) -> Tensor:
    """A texture of noise: the picture of uniform noise, the picture of that picture, and so on.

    Args:
        network: The network, of whose transformed features all is taken.
        style: The texture that it is to be like.
        size: Height and width.
        num_passes: How often the network paints.
        seed: Of the noise.

    Returns:
        The texture, of the type and on the device of the style.

    Raises:
        ValueError: If `size` are not multiples of 16, at least 32, `num_passes` is not positive, or the style
            is too small or leaves [0, 1].
        TypeError: If the style is not floating-point.

    Shape:
        - style: (1, 3, any height, any width), RGB in [0, 1]
        - output: (1, 3, height, width)

    Example:
        >>> from pystyle.papers.li_fang_2017 import network
        >>> texture(network(levels=(1,), weights=None), torch.rand(1, 3, 40, 40), size=(32, 48)).shape
        torch.Size([1, 3, 32, 48])

    Note:
        Between the passes the picture is not clamped to [0, 1], as in the authors' code.
    """
    size = pixel_size(size, "`size`")
    if any(side % network.stride or side < network.smallest for side in size):
        raise ValueError(
            f"`size` must be multiples of {network.stride}, at least {network.smallest}, got {size}."
        )
    own = style_for(network, style, "style")
    picture = seeded_uniform((1, 3, *size), seed).to(own)
    transforms = transforms_to(network.represent_style(own))
    for _ in range(whole_number(num_passes, "`num_passes`", least=1)):
        picture = network.transformed(picture, transforms, 1.0)
    return picture.clamp(0, 1).to(style)


@torch.no_grad()
def regions(network: WCTNetwork, content: MaskedImage, styles: Mapping[str, Tensor]) -> Tensor:
    """A picture with a style in each region, which is whitened by itself at each level.

    `network.bind` with styles by region joins finished pictures in place of features.

    Args:
        network: The network.
        content: A photograph with masks of regions. Where no mask is, its features are only decoded.
        styles: A style for each region.

    Returns:
        The picture, of the type and on the device of the content.

    Raises:
        ValueError: If a region has no mask, or an image is too small or leaves [0, 1].
        TypeError: If an image is not floating-point.

    Shape:
        - content.image, output: (batch, 3, height, width), RGB in [0, 1]
        - styles: (1, 3, height, width) each

    Example:
        >>> from pystyle.papers.li_fang_2017 import network
        >>> masks = {"sky": torch.ones(1, 1, 32, 32).tril(), "land": torch.ones(1, 1, 32, 32).triu(1)}
        >>> photograph = MaskedImage(torch.rand(1, 3, 32, 32), masks)
        >>> small = network(levels=(1,), weights=None)
        >>> regions(small, photograph, {"sky": torch.rand(1, 3, 32, 32)}).shape
        torch.Size([1, 3, 32, 32])
    """
    check_masks(content, styles)
    codes = {
        name: transforms_to(network.represent_style(style_for(network, style, f"styles[{name!r}]")))
        for name, style in styles.items()
    }
    masks = masks_for(network, content.masks)
    transforms = [
        partial(by_region, masks=masks, transforms={name: code[at] for name, code in codes.items()})
        for at in range(len(network.levels))
    ]
    picture = network.transformed(content_for(network, content.image), transforms, network.alpha)
    return picture_for(picture, content.image)


@torch.no_grad()
def swapped(
    network: WCTNetwork, content: Tensor, style: Tensor, *, patch_size: int = 3, strength: float = 1.0
) -> Tensor:
    """A picture for whose first level whitened patches are swapped for those of the style.

    Only there does a patch see enough for that (``-swap5`` of the authors' code); the other levels paint as
    they do.

    Args:
        network: The network.
        content: The photographs.
        style: The style.
        patch_size: The edge of the patches, in positions of the features.
        strength: As that of a painter: what `alpha` of the network is multiplied by.

    Returns:
        The pictures, of the type and on the device of the content.

    Raises:
        ValueError: If `strength` is not in [0, 1], an image is too small or leaves [0, 1], or the features
            are smaller than a patch.
        TypeError: If an image is not floating-point.

    Shape:
        - content, output: (batch, 3, height, width), RGB in [0, 1]
        - style: (1, 3, height, width)

    Example:
        >>> from pystyle.papers.li_fang_2017 import network
        >>> small = network(levels=(3, 1), weights=None)
        >>> swapped(small, torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 32)).shape
        torch.Size([1, 3, 32, 48])

    References:
        Chen, Schmidt. *Fast patch-based style transfer of arbitrary style*. 2016.
    """
    strength = number(strength, "`strength`", least=0, most=1)
    style = style_for(network, style, "style")
    features = network.features(style, network.levels[0])
    swap = partial(_swapped, style=features, size=whole_number(patch_size, "`patch_size`", least=1))
    transforms: list[Transform] = [swap, *transforms_to(network.represent_style(style))[1:]]
    picture = network.transformed(content_for(network, content), transforms, network.alpha * strength)
    return picture_for(picture, content)


def _swapped(features: Tensor, style: Tensor, size: int) -> Tensor:
    """Features of whitened patches of the style, in the places of those that they are most like."""
    own, others = patches(whitened_features(features), size), patches(whitened_features(style), size)
    others = others.expand(len(own), -1, -1)
    indices = nearest_neighbors(own, others)
    chosen = torch.stack([one[:, index] for one, index in zip(others, indices, strict=True)])
    extent = (features.shape[2], features.shape[3])
    # A position in several patches is their mean.
    count = fold(torch.ones_like(chosen), extent, size)
    coloring = feature_coloring(style)
    painted = coloring[:, 1:] @ (fold(chosen, extent, size) / count).flatten(2)
    return (painted + coloring[:, 0, :, None]).reshape(features.shape)
