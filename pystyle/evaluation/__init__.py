"""How an objective and its gradient are computed: strategies with the same numbers and different costs."""

from pystyle.evaluation._eager import Evaluation, evaluate_eagerly

__all__ = ["Evaluation", "evaluate_eagerly"]
