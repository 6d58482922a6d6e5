from typing import Protocol

from torch import Tensor

from pystyle.criterion import Criterion, Terms
from pystyle.typing import References


class Evaluator(Protocol):
    """An objective whose value and gradient are computed in some way.

    Example:
        >>> from pystyle.evaluation import EagerEvaluator
        >>> def evaluator_of(objective) -> Evaluator:
        ...     return EagerEvaluator(objective)
    """

    def __call__(self, image: Tensor, /) -> tuple[Terms, Tensor]:
        """The terms of an image without their graph, and the gradient of their total."""

    def terms(self, image: Tensor, /) -> Terms:
        """The terms of an image without their graph."""


class Evaluation(Protocol):
    """A way to compute an objective and its gradient, before there is one.

    Example:
        >>> from pystyle.evaluation import EagerEvaluation
        >>> evaluation: Evaluation = EagerEvaluation(precision="bfloat16")
    """

    def bind(self, criterion: Criterion, references: References, /) -> Evaluator:
        """Represent the references, as :meth:`pystyle.Criterion.bind` does."""
