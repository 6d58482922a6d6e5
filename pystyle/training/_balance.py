from collections.abc import Mapping, Sequence

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.evaluation import Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.training._processes import processes


def balancing_factors(
    evaluator: Evaluator, pictures: Tensor, criterion: Criterion, balance: Mapping[str, float]
) -> dict[str, float]:
    """What weights are multiplied by, so that gradients at the pictures have the lengths that are wanted.

    Args:
        evaluator: The losses, bound.
        pictures: The pictures.
        criterion: Names the losses.
        balance: The length of the gradient of a loss, by its name, for 1 of that of all others together.
    """

    def length(names: Sequence[str]) -> float:
        off = {name: float(name in names) for name in criterion.named_losses}
        square = weighted(evaluator, off)(pictures)[1].norm().square()
        # The length in the whole batch, so that all processes have the same factors.
        processes().add_up([square])
        return float(square.sqrt())

    others = [name for name in criterion.named_losses if name not in balance]
    reference = length(others)
    found = {}
    for name, wanted in balance.items():
        own = length([name])
        found[name] = wanted * reference / own if own > 0 else 1.0
    return found
