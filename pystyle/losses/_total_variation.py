from torch import Tensor

from pystyle.functional import total_variation
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class TotalVariationLoss(Loss):
    """The total variation of the image, which penalises noise.

    Args:
        exponent: 2 for the mean squared gradient, 1 for its length.
        weight: Factor of the whole loss.
        layers: What is smoothed; the image itself by default.
        layer_weights: Factor of each layer; equal and summing to one if not given.

    Raises:
        ValueError: If `exponent` is not positive.

    Example:
        >>> TotalVariationLoss(weight=1e-4)
        TotalVariationLoss('image', weight=0.0001)

    References:
        Mahendran, Vedaldi. *Understanding deep image representations by inverting them*. CVPR 2015.
    """

    reference = None
    spatial = "dense"

    def __init__(
        self,
        exponent: float = 2.0,
        *,
        weight: float = 1.0,
        layers: str | tuple[str, ...] = IMAGE,
        layer_weights: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(layers, weight=weight, layer_weights=layer_weights)
        if exponent <= 0:
            raise ValueError(f"`exponent` must be positive, got {exponent}.")
        self.exponent = float(exponent)

    def represent(self, features: Tensor) -> Tensor:
        """The total variation itself."""
        return total_variation(features, exponent=self.exponent)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return super().extra_repr() + ("" if self.exponent == 2 else f", exponent={self.exponent:g}")
