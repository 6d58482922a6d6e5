from typing import Literal

from torch import Tensor

from pystyle._arguments import number
from pystyle.functional import total_variation
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class TotalVariationLoss(Loss):
    """The total variation of the image, which penalises noise.

    Args:
        exponent: 2 for the mean squared gradient, 1 for its length.
        variant: Which neighbours are compared: ``"isotropic"``, ``"anisotropic"`` (with `exponent` 1 the
            mean absolute difference) or ``"nine_point"``; see :func:`pystyle.functional.total_variation`.
        weight: Factor of the whole loss.
        layers: What is smoothed; the image itself by default.
        layer_weights: Factor of each layer; equal and summing to one if not given.

    Raises:
        ValueError: If `exponent` is not positive or `variant` is unknown.

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
        variant: Literal["isotropic", "anisotropic", "nine_point"] = "isotropic",
        weight: float = 1.0,
        layers: str | tuple[str, ...] = IMAGE,
        layer_weights: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(layers, weight=weight, layer_weights=layer_weights)
        if variant not in ("isotropic", "anisotropic", "nine_point"):
            raise ValueError(
                f"`variant` must be 'isotropic', 'anisotropic' or 'nine_point', got {variant!r}."
            )
        self.exponent = number(exponent, "`exponent`", above=0)
        self.variant = variant

    def represent(self, features: Tensor) -> Tensor:
        """The total variation itself."""
        return total_variation(features, exponent=self.exponent, variant=self.variant, wrap=self.wrap)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The total variation of the region; differences across its edge do not count."""
        return total_variation(
            features, exponent=self.exponent, variant=self.variant, mask=mask.mask, wrap=self.wrap
        )

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        exponent = "" if self.exponent == 2 else f", exponent={self.exponent:g}"
        variant = "" if self.variant == "isotropic" else f", variant={self.variant!r}"
        return super().extra_repr() + exponent + variant
