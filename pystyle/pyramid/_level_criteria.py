from collections.abc import Sequence
from typing import Any, cast

from pystyle.criterion import Criterion
from pystyle.criterion._kind import check_criterion


def criteria_of_levels(criterion: Any, num_levels: int) -> Sequence[Criterion]:
    """The criterion of each level.

    Args:
        criterion: One for all, or one for each.
        num_levels: How many levels there are.

    Raises:
        TypeError: If one is no criterion.
        ValueError: If there are more or fewer than levels, their losses have different names, or some wrap
            and others do not.
    """
    criteria = criterion if isinstance(criterion, list | tuple) else [criterion] * num_levels
    for one in criteria:
        check_criterion(one)
    if len(criteria) != num_levels:
        raise ValueError(
            f"`criterion` must be one or one for each of {num_levels} levels, got {len(criteria)}."
        )
    wraps = {one.wrap for one in criteria}
    if len(wraps) > 1:
        raise ValueError(
            f"`criterion` must have the same `wrap` at all levels, got {sorted(map(str, wraps))}."
        )
    names = [sorted(one.named_losses) for one in criteria]
    if any(found != names[0] for found in names):
        raise ValueError(
            "`criterion` must have losses of the same names at all levels, got "
            f"{' and '.join(', '.join(found) for found in names)}."
        )
    return cast(Sequence[Criterion], criteria)
