from collections.abc import Mapping, Sequence
from typing import Any, get_args

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.functional import mrf_energy, patches
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._sets import checked_rotations, checked_scales, turned_and_scaled, union
from pystyle.typing import Metric


class MRFLoss(Loss):
    """The mean squared difference of each patch of the features to the most similar patch of the reference.

    Where statistics lose how strokes lie next to each other, patches keep it: whole motifs of the
    painting come back where the content is similar to them.

    Args:
        layers: One layer or several; the paper takes relu3_1 and relu4_1.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the patches of the reference.
        reference: The name of the image to compare with.
        patch_size: The side of a patch, in positions of the layer.
        stride: The distance between patches, of the image and of the reference alike. The time grows
            with its inverse to the power of four. The authors' code takes 2.
        matching: What similar means. ``"cosine"`` is the normalised cross-correlation of the paper. (Its
            division by the length of the image's patch finds the same patches as without.)
            ``"centered_cosine"`` subtracts the mean patch of image and reference first, ``"euclidean"``
            takes the patch that the loss itself finds nearest.
        rotations: Take patches of the reference turned by these angles too, in degrees
            counter-clockwise. Leave 0 in the list to keep the reference as it is. The authors take
            (-7.5, 0, 7.5).
        scales: Take patches of the reference at these sizes too, as factors, combined with all
            rotations. The authors take about (0.95, 1, 1.05).

    Raises:
        ValueError: If `patch_size` or `stride` is not positive, `matching` is unknown, or `rotations` or
            `scales` is empty. From the criterion: if the features are smaller than a patch, or the
            references of a blend have different weights (all patches compete with each other).

    Example:
        >>> MRFLoss(["relu3_1", "relu4_1"], weight=0.5, rotations=(-7.5, 0, 7.5))
        MRFLoss(['relu3_1', 'relu4_1'], weight=0.5, rotations=(-7.5, 0.0, 7.5))

    Note:
        The paper sums over patches where this takes the mean, as pystiche does. Its authors' code reports no
        loss at all; its gradient, averaged where patches overlap, is with stride 1 that of this loss but for
        a constant factor and the outermost positions, which belong to fewer patches. Their reference is
        turned by bilinear sampling, here by bicubic.

        Where steps of `stride` do not end at the last row or column, one more row or column of patches
        does, as in the authors' code. pystiche leaves these patches out: its loss is the same number only
        where `stride` divides the sides of the features less `patch_size`, as 1 always does.

        Patches of size 3 take nine times the memory of the features, for the image and for each view of
        the reference. Matching takes 64 MiB more, whatever the size.

    References:
        Li, Wand. *Combining Markov random fields and convolutional neural networks for image synthesis*.
        CVPR 2016, equations 2 and 3.
    """

    reference = "style"
    spatial = "set"
    can_wrap = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        patch_size: int = 3,
        stride: int = 1,
        matching: Metric = "cosine",
        rotations: Sequence[float] = (0.0,),
        scales: Sequence[float] = (1.0,),
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        if matching not in get_args(Metric):
            raise ValueError(f"`matching` must be one of {get_args(Metric)}, got {matching!r}.")
        self.patch_size = whole_number(patch_size, "`patch_size`", least=1)
        self.stride = whole_number(stride, "`stride`", least=1)
        self.matching = matching
        self.rotations = checked_rotations(rotations)
        self.scales = checked_scales(scales)

    def views(self, image: Tensor) -> list[Tensor]:
        """The reference in all rotations and scales."""
        return turned_and_scaled(image, self.rotations, self.scales)

    def represent(self, features: Tensor) -> Tensor:
        """The patches, (batch, channels * patch_size², patches)."""
        return patches(features, self.patch_size, stride=self.stride, wrap=self.wrap)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The patches that lie wholly in the region."""
        found = patches(features, self.patch_size, stride=self.stride, mask=mask.mask)
        if found.shape[2] == 0:
            raise ValueError(
                f"No patch of {self.patch_size} x {self.patch_size} positions lies wholly in the region. "
                "Enlarge it, or use earlier layers or smaller patches."
            )
        return found

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The patches of all references and views as one set."""
        return union(representations, "MRFLoss")

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean squared difference to the most similar patches of the target."""
        return mrf_energy(representation, target, matching=self.matching)

    def magnitude(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean square of the target: an empty patch is similar to none."""
        del representation
        return target.square().mean()

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        parts = [super().extra_repr()]
        if self.patch_size != 3:
            parts.append(f"patch_size={self.patch_size}")
        if self.stride != 1:
            parts.append(f"stride={self.stride}")
        if self.matching != "cosine":
            parts.append(f"matching={self.matching!r}")
        if self.rotations != (0.0,):
            parts.append(f"rotations={self.rotations}")
        if self.scales != (1.0,):
            parts.append(f"scales={self.scales}")
        return ", ".join(parts)
