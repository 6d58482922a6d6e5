from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from pystyle.criterion import Criterion, Targets
from pystyle.criterion._objective import Objective
from pystyle.evaluation import Evaluation


class LearnedStyles:
    """The images of the styles that a network learns by name: what losses compare with is computed once.

    Args:
        evaluation: How the criterion is computed.
        criterion: Encoder and losses.
        images: The images.

    Raises:
        ValueError: If a loss makes its targets of the style and the content together, and there are several
            styles.
    """

    def __init__(self, evaluation: Evaluation, criterion: Criterion, images: Sequence[Tensor]) -> None:
        self._images = list(images)
        self._targets: list[Targets] | None = None
        if "style" not in criterion.references:
            return
        joint = [name for name, loss in criterion.named_losses.items() if _is_joint(loss.references)]
        if joint and len(images) > 1:
            raise ValueError(
                f"The loss {joint[0]!r} makes its targets of the style and the content together, which is "
                f"possible with one learned style only, got {len(images)}. Train a network for each."
            )
        if not joint:
            self._targets = [
                Targets.of(
                    _objective(evaluation.bind(criterion, {"content": image, "style": image})), "style"
                )
                for image in images
            ]

    def reference(self, indices: Sequence[int]) -> Any:
        """What stands for the style of images with the styles of these numbers."""
        if self._targets is None:
            return self._images[0]
        if len(self._targets) == 1:
            return self._targets[0]
        return _joined([self._targets[index] for index in indices])


def _is_joint(references: Sequence[str]) -> bool:
    return "style" in references and len(references) > 1


def _objective(evaluator: Any) -> Objective:
    while not isinstance(getattr(evaluator, "objective", None), Objective):
        evaluator = evaluator.evaluator
    objective: Objective = evaluator.objective
    return objective


def _joined(targets: Sequence[Targets]) -> Targets:
    """The targets of a batch, of which each image has its own."""
    share = 1 / len(targets)
    return Targets(
        {
            key: tuple(
                replace(target, weight=target.weight * share, image=index)
                for index, one in enumerate(targets)
                for target in one.targets[key]
            )
            for key in targets[0].targets
        }
    )
