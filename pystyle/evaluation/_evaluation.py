from collections.abc import Mapping
from typing import Protocol, cast

from torch import Tensor

from pystyle.criterion import Criterion, Terms
from pystyle.typing import References


class Evaluator(Protocol):
    """An objective whose value and gradient are computed in some way.

    One whose weights are to change during a run has a method ``weighted(factors)``, too, which gives the
    evaluator of :meth:`Objective.weighted <pystyle.Objective.weighted>`. Those of this package have it.

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


def weighted(evaluator: Evaluator, factors: Mapping[str, float | Tensor]) -> Evaluator:
    """The evaluator of the same objective with other weights.

    Raises:
        TypeError: If the evaluator has no method for it.
        ValueError: If there is no loss of such a name.
    """
    method = getattr(evaluator, "weighted", None)
    if method is None:
        raise TypeError(
            f"{type(evaluator).__name__} must have a method `weighted(factors)` that gives an evaluator with "
            "other weights, because they change in this run. Add it, as `EagerEvaluator` has it, or leave "
            "out `schedules` and `level_weights` of `Pyramid.optimize`."
        )
    return cast(Evaluator, method(factors))
