from torch import Tensor

from pystyle.functional._gram import positions


def position_sets(features: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both feature maps as (batch, channels, positions), which may differ in their positions only."""
    sets = positions(features), positions(target)
    if sets[0].shape[:2] != sets[1].shape[:2]:
        raise ValueError(
            "`features` and `target` must have the same batch size and channels, got "
            f"{tuple(features.shape)} and {tuple(target.shape)}."
        )
    if 0 in sets[0].shape or 0 in sets[1].shape:
        raise ValueError(
            "`features` and `target` must have at least one channel and position, got "
            f"{tuple(features.shape)} and {tuple(target.shape)}."
        )
    return sets
