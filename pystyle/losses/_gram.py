from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from pystyle.functional import gram_matrix
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss


class GramLoss(Loss):
    """The mean squared difference of the Gram matrices.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.
        normalization: What the matrix is divided by: positions, or positions and channels. (The
            bare sum would make the weight depend on the size of the image.)

    Example:
        >>> GramLoss("relu3_1", weight=1e3, normalization="chw")
        GramLoss('relu3_1', weight=1000, normalization='chw')

    Note:
        The paper divides the sum of squares by (2 N M)² (equation 4). With ``"hw"`` and the mean
        of squares the factor 1/4 is left to the weight.

    References:
        Gatys, Ecker, Bethge. *Image style transfer using convolutional neural networks*. CVPR 2016.
    """

    reference = "style"
    spatial = "pooled"

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        normalization: Literal["hw", "chw"] = "hw",
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        if normalization not in ("hw", "chw"):
            raise ValueError(f"`normalization` must be 'hw' or 'chw', got {normalization!r}.")
        self.normalization = normalization

    def represent(self, features: Tensor) -> Tensor:
        """The Gram matrix, (batch, channels, channels)."""
        return gram_matrix(features, normalization=self.normalization)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The Gram matrix of the region, divided by its area."""
        inside = features * mask.mask.sqrt().to(features)
        return gram_matrix(inside, normalization=self.normalization) / mask.area

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        normalization = "" if self.normalization == "hw" else f", normalization={self.normalization!r}"
        return super().extra_repr() + normalization


class MultiLayerGramLoss(GramLoss):
    """The style loss of Gatys et al.: Gram matrices of five layers, from fine to coarse.

    It is :class:`GramLoss` with the layers of the paper as the default.

    Args:
        layers: The layers.
        layer_weights: Factor of each layer; equal and summing to one if not given, as in the
            paper. The authors' code takes 1 / channels² instead.
        weight: Factor of the whole loss.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.
        normalization: What the matrix is divided by.

    Example:
        >>> MultiLayerGramLoss(weight=1e3).layers
        ('relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1')
    """

    def __init__(
        self,
        layers: str | Sequence[str] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        *,
        weight: float = 1.0,
        relative: bool = False,
        reference: str | None = None,
        normalization: Literal["hw", "chw"] = "hw",
    ) -> None:
        super().__init__(
            layers,
            weight=weight,
            layer_weights=layer_weights,
            relative=relative,
            reference=reference,
            normalization=normalization,
        )
