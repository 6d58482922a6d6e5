from torch import Tensor

from pystyle._arguments import number
from pystyle.functional import range_excess
from pystyle.losses._loss import Loss
from pystyle.typing import IMAGE


class ValueRangeLoss(Loss):
    """The mean squared distance of the image's values from a range.

    It is for runs without bounds, whose image would otherwise leave [0, 1] and be cut when it is saved.

    Args:
        low: The lower end of the range.
        high: The upper end.
        weight: Factor of the loss.

    Raises:
        ValueError: If `low` is not below `high`.

    Example:
        >>> ValueRangeLoss(weight=100.0)
        ValueRangeLoss('image', weight=100)

    References:
        An old idea; a penalty of this kind is in pystiche (Meier, Lohweg. *pystiche: a framework for neural
        style transfer*. Journal of Open Source Software, 2020).
    """

    reference = None
    spatial = "dense"

    def __init__(self, low: float = 0.0, high: float = 1.0, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)
        self.low, self.high = number(low, "`low`"), number(high, "`high`")
        if not self.low < self.high:
            raise ValueError(f"`low` must be below `high`, got {low} and {high}.")

    def represent(self, features: Tensor) -> Tensor:
        """The mean squared excess itself."""
        return range_excess(features, low=self.low, high=self.high)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        usual = (self.low, self.high) == (0, 1)
        return super().extra_repr() + ("" if usual else f", low={self.low:g}, high={self.high:g}")
