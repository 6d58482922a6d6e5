from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from pystyle._arguments import seed_number, whole_number
from pystyle.functional import nearest_neighbor_distance
from pystyle.losses import Loss, NearestNeighborLoss
from pystyle.papers.kolkin_2022._hypercolumns import ROTATIONS


class ReplacedFeaturesLoss(Loss):
    """The mean cosine distance to features that are given.

    Args:
        layer: The layer.
        target: Its wanted features.
        weight: Factor of the loss.

    Shape:
        - target: (1 or batch, channels, height, width), the shape of the image's features

    Example:
        >>> ReplacedFeaturesLoss("relu3_1", torch.rand(1, 256, 8, 8))
        ReplacedFeaturesLoss('relu3_1')
    """

    reference = None
    spatial = "dense"
    target: Tensor

    def __init__(self, layer: str, target: Tensor, *, weight: float = 1.0) -> None:
        super().__init__(layer, weight=weight)
        self.register_buffer("target", target.detach().clone())

    def represent(self, features: Tensor) -> Tensor:
        """The distance itself."""
        if features.shape[1:] != self.target.shape[1:]:
            raise ValueError(
                f"The features must have the shape of `target`, {tuple(self.target.shape[1:])}, got "
                f"{tuple(features.shape[1:])}. Give the image the size of the query."
            )
        return 1 - cosine_similarity(features, self.target, dim=1).mean()


class SplitFeaturesLoss(NearestNeighborLoss):
    """The distance to the nearest features of each layer, at positions that are others at each evaluation.

    Args:
        layers: One layer or several, each with a weight of 1.
        max_side: About so many positions are taken along the longer side of a layer.
        rotations: Angles of the style.
        seed: Of the positions.

    Example:
        >>> SplitFeaturesLoss(["relu1_1", "relu2_1"]).max_side
        64
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        max_side: int = 64,
        rotations: Sequence[float] = ROTATIONS,
        seed: int = 0,
    ) -> None:
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        super().__init__(layers, layer_weights=[1.0] * len(layers), centered=True, rotations=rotations)
        self.max_side = whole_number(max_side, "`max_side`", least=1)
        self._generator = torch.Generator().manual_seed(seed_number(seed))

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The features of all rotations as one set."""
        return super().join([(features.flatten(2), weight) for features, weight in representations])

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean distance from every so many positions of the image to as sparse ones of the style."""
        stride = max(max(representation.shape[2:]) // self.max_side, 1)
        if stride > 1:
            top, left = torch.randint(stride, (2,), generator=self._generator, device="cpu").tolist()
            representation = representation[:, :, top::stride, left::stride]
            count = max(target.shape[2] // stride**2, 1)
            chosen = torch.randint(target.shape[2], (count,), generator=self._generator, device="cpu")
            target = target[:, :, chosen.to(target.device)]
        return nearest_neighbor_distance(representation, target, centered=True)
