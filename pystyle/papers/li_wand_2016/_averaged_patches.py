from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.functional import nearest_neighbors, patches
from pystyle.losses import LayerMask, MRFLoss


class AveragedPatchesLoss(MRFLoss):
    r"""Half the sum of squares to the average of the matched patches: what the code's gradient is that of.

    .. math:: \frac12 \sum_p \left\| F_p - \frac{1}{n_p} \sum_{i \ni p} \Psi_{NN(i)}(p) \right\|^2

    The average counts as a constant. Within a region the sum is over the positions of the patches that lie
    wholly inside.

    Args:
        layers: One layer or several.
        layer_weights: Factor of each layer.
        patch_size: The side of a patch, in positions of the layer.
        stride: The distance between patches.
        rotations: Angles of the reference; see :class:`pystyle.MRFLoss`.
        scales: Sizes of the reference.

    Raises:
        ValueError: As :class:`pystyle.MRFLoss`.

    Example:
        >>> AveragedPatchesLoss("relu3_1", layer_weights=[1e-4]).stride
        2
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        layer_weights: Sequence[float],
        patch_size: int = 3,
        stride: int = 2,
        rotations: Sequence[float] = (0.0,),
        scales: Sequence[float] = (1.0,),
    ) -> None:
        super().__init__(
            layers,
            layer_weights=layer_weights,
            patch_size=patch_size,
            stride=stride,
            rotations=rotations,
            scales=scales,
        )

    def represent(self, features: Tensor) -> Any:
        """The features and their patches."""
        return features, super().represent(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Any:
        """The features, the patches that lie wholly in the region, and its mask."""
        return features, super().represent_within(features, mask), mask.mask

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The patches of all views as one set."""
        return super().join([(each[1], weight) for each, weight in representations])

    def prepare(self, representation: Any) -> Tensor:
        """The patches alone."""
        taken: Tensor = representation if isinstance(representation, Tensor) else representation[1]
        return taken

    def compare(self, representation: Any, target: Tensor) -> Tensor:
        """Half the sum of squares, averaged over the batch."""
        features, own, *masks = representation
        indices = nearest_neighbors(own, target)
        matched = target.gather(2, indices.unsqueeze(1).expand(-1, target.shape[1], -1))
        sums, counts = self._added_up(matched, features, masks[0] if masks else None)
        differences = (features - sums / counts.clamp_min(1)) * (counts > 0)
        distance: Tensor = differences.square().sum() / 2
        return distance / len(features)

    def _added_up(self, matched: Tensor, features: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """What patches have at each position, added up, and how many lie there."""
        # The transpose of taking patches; autograd has it wherever the loss is evaluated.
        with torch.inference_mode(False), torch.enable_grad():
            leaf = torch.zeros_like(features, requires_grad=True)
            wrap = self.wrap if mask is None else None
            taken = patches(leaf, self.patch_size, stride=self.stride, mask=mask, wrap=wrap)
            (sums,) = torch.autograd.grad(taken, leaf, matched.to(taken), retain_graph=True)
            (counts,) = torch.autograd.grad(taken, leaf, torch.ones_like(taken))
        return sums, counts
