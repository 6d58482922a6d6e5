"""What a run minimises: an encoder and losses, bound to references."""

from pystyle.criterion._criterion import Criterion
from pystyle.criterion._given_targets import Targets
from pystyle.criterion._objective import Objective
from pystyle.criterion._terms import Terms

__all__ = ["Criterion", "Objective", "Targets", "Terms"]
