from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import seed_number
from pystyle.functional import nearest_neighbor_distance
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import checked_count
from pystyle.losses._sets import checked_rotations, turned_and_scaled, union


class NearestNeighborLoss(Loss):
    """The mean cosine distance of each feature vector to the nearest one of the reference.

    Nothing says how often a feature of the painting has to appear, so the picture takes from it what
    is similar to its content and leaves out the rest.

    Args:
        layers: One layer or several. Layers as one, such as the hypercolumns of the papers, come from
            :class:`~pystyle.encoders.HypercolumnEncoder`.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Changes nothing: the loss is relative as it is, and 1 for an image without features.
        reference: The name of the image to compare with.
        centered: Subtract the mean feature of each image from it first, as Kolkin et al. do. The outputs
            of a ReLU are never negative, so without it their directions differ little.
        rotations: Look among the features of the reference turned by these angles too, in degrees
            counter-clockwise. Kolkin et al. take (0, 90, 180, 270).
        max_candidates: Look among a random choice of so many features of the reference, the same at
            every step. The time is proportional to it: all pairs of positions of relu1_1 at 512 pixels
            are 7e10.
        seed: Of the random choice.

    Raises:
        ValueError: If `rotations` is empty or `max_candidates` is not positive. From the criterion: if
            the references of a blend have different weights (all features compete with each other).

    Example:
        >>> NearestNeighborLoss("relu3_1", weight=2.0, centered=True)
        NearestNeighborLoss('relu3_1', weight=2, centered=True)

    Note:
        At the layers of the third block of the VGG-16, concatenated, and not centred, it is the loss of
        Zhang et al., which they call NNFM. Centred and with rotations, at each layer apart, it is the
        last pass of Kolkin et al., called feature splitting; they match about 64 x 64 positions on a
        grid that is another one at each step, here all positions of the image count.

    References:
        Zhang et al. *ARF: artistic radiance fields*. ECCV 2022. Kolkin et al. *Neural neighbor style
        transfer*. 2022.
    """

    reference = "style"
    spatial = "set"
    independent_positions = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        centered: bool = False,
        rotations: Sequence[float] = (0.0,),
        max_candidates: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        self.centered = centered
        self.rotations = checked_rotations(rotations)
        self.max_candidates = checked_count("max_candidates", max_candidates)
        self.seed = seed_number(seed)

    def views(self, image: Tensor) -> list[Tensor]:
        """The reference in all rotations."""
        return turned_and_scaled(image, self.rotations, (1.0,))

    def represent(self, features: Tensor) -> Tensor:
        """The feature vectors, (batch, channels, positions)."""
        return features.flatten(2)

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The features of all references and views as one set."""
        return union(representations, "NearestNeighborLoss")

    def prepare(self, representation: Tensor) -> Tensor:
        """The features that may be chosen."""
        count = representation.shape[2]
        if self.max_candidates is None or count <= self.max_candidates:
            return representation
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed), device="cpu")
        return representation[:, :, order[: self.max_candidates].to(representation.device)]

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean distance to the nearest features of the target."""
        return nearest_neighbor_distance(representation, target, centered=self.centered)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        parts = [super().extra_repr()]
        if self.centered:
            parts.append("centered=True")
        if self.rotations != (0.0,):
            parts.append(f"rotations={self.rotations}")
        if self.max_candidates is not None:
            parts.append(f"max_candidates={self.max_candidates}")
        if self.seed != 0:
            parts.append(f"seed={self.seed}")
        return ", ".join(parts)
