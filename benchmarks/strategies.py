"""The strategies of `pystyle.evaluation`, in the one place that knows how they are called."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from pystyle import Criterion, Terms, evaluation
from pystyle.typing import References

Evaluator = Callable[[Tensor], tuple[Terms, Tensor]]

EAGER = "EagerEvaluation"


def evaluator(
    criterion: Criterion, references: References, strategy: str = EAGER, **options: Any
) -> Evaluator:
    """The terms and the gradient of an image, computed by a strategy with these arguments."""
    bound: Evaluator = getattr(evaluation, strategy)(**options).bind(criterion, references)
    return bound


def keyword(strategy: str | None, **options: Any) -> dict[str, Any]:
    """The argument of `optimize_image` for a strategy; none for the default."""
    return {} if strategy is None else {"evaluation": getattr(evaluation, strategy)(**options)}
