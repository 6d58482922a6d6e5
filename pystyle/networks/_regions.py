from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn.functional import interpolate


def by_region(
    features: Tensor,
    masks: Mapping[str, Tensor],
    transforms: Mapping[str, Callable[[Tensor], Tensor]],
) -> Tensor:
    """The features with those of each region transformed by themselves, as a list of positions.

    Statistics that a transform takes, such as those of :func:`whitening_coloring`, are then those of the
    region alone.

    Args:
        features: One feature map per image.
        masks: Where the regions are. They are brought to the size of the features by nearest neighbour; a
            position is inside where a mask is above 1/2.
        transforms: What happens to the features of a region; others stay as they are, and so do those of a
            region that has no position of this size.

    Returns:
        A new feature map.

    Raises:
        ValueError: If a region has no mask.

    Shape:
        - features, output: (batch, channels, height, width)
        - masks: (batch or 1, 1, any height, any width)
        - what a transform takes and returns: (1, channels, 1, positions)

    Example:
        >>> import torch
        >>> features, left = torch.ones(1, 2, 1, 4), torch.tensor([[[[1.0, 0.0]]]])
        >>> by_region(features, {"left": left}, {"left": lambda vectors: 3 * vectors})[0, 0]
        tensor([[3., 3., 1., 1.]])
    """
    result = features.clone()
    for name, transform in transforms.items():
        for index, inside in enumerate(positions_inside(features, masks, name)):
            if bool(inside.any()):
                result[index][:, inside] = transform(at_positions(features[index], inside))[0, :, 0].to(
                    result
                )
    return result


def positions_inside(features: Tensor, masks: Mapping[str, Tensor], name: str) -> list[Tensor]:
    """Whether a position of the features is inside a region, for each image: (height, width)."""
    if name not in masks:
        raise ValueError(f"`masks` must have one of the region {name!r}, got those of {tuple(masks)}.")
    mask = interpolate(masks[name].to(features), features.shape[2:]) > 0.5
    return list(mask.expand(len(features), -1, -1, -1)[:, 0])


def at_positions(features: Tensor, inside: Tensor) -> Tensor:
    """The features of an image (channels, height, width) at some positions: (1, channels, 1, positions)."""
    return features[:, inside][None, :, None]
