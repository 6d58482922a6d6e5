import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.functional import cosine_similarity

from pystyle._arguments import seed_number, whole_number
from pystyle.functional import nearest_neighbor_distance, replace_features
from pystyle.losses import Loss, NearestNeighborLoss
from pystyle.losses._sampling import Draws
from pystyle.losses._sets import checked_rotations, turned_and_scaled, union
from pystyle.papers.kolkin_2022._hypercolumns import ROTATIONS


class ReplacedFeaturesLoss(Loss):
    """The mean cosine distance to the features of the content, each replaced by the nearest one of the style.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        rotations: The style is turned by these angles in degrees.

    Shape:
        The image and the content must have the same size; the style may have another.

    Example:
        >>> ReplacedFeaturesLoss("relu3_1")
        ReplacedFeaturesLoss('relu3_1')
    """

    reference = ("content", "style")
    spatial = "dense"

    def __init__(
        self, layers: str | Sequence[str], *, weight: float = 1.0, rotations: Sequence[float] = ROTATIONS
    ) -> None:
        super().__init__(layers, weight=weight)
        self.rotations = checked_rotations(rotations)

    def views(self, image: Tensor) -> list[Tensor]:
        """The style in all rotations."""
        return turned_and_scaled(image, self.rotations, (1.0,))

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The features of all styles and rotations as one set."""
        flat = [(features.flatten(2), weight) for features, weight in representations]
        return union(flat, "ReplacedFeaturesLoss")

    def prepare(self, content: Tensor, style: Tensor) -> Tensor:  # type: ignore[override]
        """The features of the content, each replaced by the nearest one of the style."""
        return replace_features(content, style)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean cosine distance to the target."""
        if representation.shape != target.shape:
            raise ValueError(
                f"The features must have the shape of those of the content, {tuple(target.shape)}, got "
                f"{tuple(representation.shape)}. Give the image the size of the content."
            )
        return 1 - cosine_similarity(representation, target, dim=1).mean()

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        rotations = "" if self.rotations == ROTATIONS else f", rotations={self.rotations}"
        return super().extra_repr() + rotations


class SplitFeaturesLoss(NearestNeighborLoss):
    """The distance to the nearest features of each layer, at positions that are others at each evaluation.

    Args:
        layers: One layer or several, each with a weight of 1.
        max_side: About so many positions are taken along the longer side of a layer; of a region, about the
            square of it.
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
        self._draws = Draws(seed_number(seed), resample=True)

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The features of all rotations as one set."""
        return super().join([(features.flatten(2), weight) for features, weight in representations])

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean distance from every so many positions of the image to as sparse ones of the style."""
        height, width = representation.shape[2:]
        # The positions of a region come as a single row; they stand for a square.
        side = max(height, width) if height > 1 else math.isqrt(width)
        stride = max(side // self.max_side, 1)
        if stride > 1:
            generator = self._draws.generator()
            top, left = torch.randint(stride, (2,), generator=generator, device="cpu").tolist()
            if height > 1:
                # A strip may have fewer rows than a stride.
                representation = representation[:, :, top % height :: stride, left % width :: stride]
            else:
                representation = representation[:, :, :, top * stride + left :: stride**2]
            count = max(target.shape[2] // stride**2, 1)
            chosen = torch.randint(target.shape[2], (count,), generator=generator, device="cpu")
            target = target[:, :, chosen.to(target.device)]
        return nearest_neighbor_distance(representation, target, centered=True)

    def generators(self) -> Sequence[Generator]:
        """The generator of the positions, which goes on from evaluation to evaluation."""
        return self._draws.running
