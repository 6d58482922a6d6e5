from typing import Literal

from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.functional import wavelet_norm
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class WaveletLoss(Loss):
    """The size of the image's detail on several scales, by a stationary wavelet transform.

    Where total variation sees neighbours only, this also sees blotches of a few pixels. With `exponent` 1 it
    wants few details and lets them be strong, as they are in photographs.

    Args:
        exponent: The power of the detail coefficients.
        num_levels: The number of scales: level j compares regions of 2^(j-1) pixels.
        wavelet: ``"haar"``, or ``"db2"``, for which a linear ramp of colours is no detail.
        weight: Factor of the loss.

    Raises:
        ValueError: If `exponent` or `num_levels` is not positive or `wavelet` is unknown.

    Example:
        >>> WaveletLoss(weight=0.1, num_levels=2)
        WaveletLoss('image', weight=0.1, num_levels=2)

    References:
        Nason, Silverman. *The stationary wavelet transform and some statistical applications*. Wavelets and
        Statistics, 1995. As a prior in style transfer: Katherine Crowson's style_transfer, 2017.
    """

    reference = None
    spatial = "dense"

    def __init__(
        self,
        exponent: float = 1.0,
        *,
        num_levels: int = 3,
        wavelet: Literal["haar", "db2"] = "haar",
        weight: float = 1.0,
    ) -> None:
        super().__init__(IMAGE, weight=weight)
        if wavelet not in ("haar", "db2"):
            raise ValueError(f"`wavelet` must be 'haar' or 'db2', got {wavelet!r}.")
        self.exponent = number(exponent, "`exponent`", above=0)
        self.num_levels = whole_number(num_levels, "`num_levels`", least=1)
        self.wavelet = wavelet

    def represent(self, features: Tensor) -> Tensor:
        """The size of the detail itself."""
        return wavelet_norm(
            features,
            exponent=self.exponent,
            num_levels=self.num_levels,
            wavelet=self.wavelet,
            wrap=self.wrap,
        )

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """Refuse: it has no meaning for a part of the image."""
        del features, mask
        raise ValueError(
            "WaveletLoss judges how pixels lie to each other at several scales and cannot be confined to a "
            "region. Let it see the whole image."
        )

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        exponent = "" if self.exponent == 1 else f", exponent={self.exponent:g}"
        levels = "" if self.num_levels == 3 else f", num_levels={self.num_levels}"
        wavelet = "" if self.wavelet == "haar" else f", wavelet={self.wavelet!r}"
        return super().extra_repr() + exponent + levels + wavelet
