from typing import Any

from pystyle._arguments import check_kind
from pystyle.criterion._criterion import Criterion


def check_criterion(criterion: Any) -> None:
    """Check that this is a criterion.

    Raises:
        TypeError: If it is something else, with how to make one.
    """
    check_kind(criterion, Criterion, "`criterion`", 'Criterion(vgg19(), {"style": GramLoss("relu3_1")})')
