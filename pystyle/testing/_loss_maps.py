"""Whether a loss that takes the maps of hypercolumns unjoined makes the same of them."""

from typing import Any

from torch import Tensor
from torch.nn.functional import avg_pool2d

from pystyle.functional import hypercolumns
from pystyle.losses import Loss
from pystyle.losses._sampling import rewinding
from pystyle.testing._loss_positions import references_of
from pystyle.testing._require import close, require


def check_maps(loss: Loss, features: Tensor, other: Tensor) -> None:
    """Check that a loss makes of maps what it makes of them when they are joined.

    Raises:
        AssertionError: If not.
    """
    apart, joined = (_value(loss, features, other, joined=joined) for joined in (False, True))
    promise = "a loss that `takes_maps` makes of a tuple of maps what it makes of joined ones."
    require(close(apart, joined, 1e-5), promise)


def _value(loss: Loss, features: Tensor, other: Tensor, *, joined: bool) -> Tensor:
    def represented(whole: Tensor) -> Any:
        maps: Any = (whole, avg_pool2d(whole, 2))
        return loss.represent(hypercolumns(maps) if joined else maps)

    rewind = rewinding(loss.generators())
    target = None
    if loss.reference is not None:
        target = loss.prepare(*(represented(each) for each in references_of(loss, other)))
    value = loss.compare(represented(features), target)
    rewind()
    return value
