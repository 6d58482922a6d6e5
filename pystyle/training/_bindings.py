"""The criterion of a training, bound to the batches of its phases."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.criterion import Criterion, Terms
from pystyle.evaluation import Evaluation, Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.losses import AdversarialLoss
from pystyle.training._batches import Batch
from pystyle.training._learned_styles import LearnedStyles
from pystyle.training._phase import Phase
from pystyle.training._players import switched_off


class Bindings:
    """Binds a criterion to batches, without the losses that are off in their phases.

    Args:
        criterion: Encoder and losses.
        evaluation: How they are computed.
        learned: The styles that the network learns by name, an image for each; None if styles are drawn.
        phases: The phases.
    """

    def __init__(
        self,
        criterion: Criterion,
        evaluation: Evaluation,
        learned: LearnedStyles | None,
        phases: Sequence[Phase],
    ) -> None:
        self.criterion, self._evaluation, self._learned = criterion, evaluation, learned
        self._criteria = {off: _without(criterion, off) for off in {off_in(criterion, one) for one in phases}}

    def of_phase(self, phase: Phase) -> Criterion | None:
        """The criterion of a phase; None if all of its losses are off."""
        return self._criteria[off_in(self.criterion, phase)]

    def bind(self, batch: Batch, phase: Phase, factors: Mapping[str, float]) -> Evaluator:
        """The evaluator of a batch.

        Args:
            batch: The batch.
            phase: Its phase, whose weights count as well.
            factors: What the weights of losses are multiplied by.
        """
        if batch.styles is None or phase.identity:
            style: Any = batch.contents
        else:
            style = batch.styles
            if self._learned is not None and not isinstance(style, Tensor):
                style = self._learned.reference(style)
        criterion = self.of_phase(phase)
        if criterion is None:
            return _NoLosses(self.criterion.term_names)
        evaluator = self._evaluation.bind(criterion, {"content": batch.contents, "style": style})
        all_factors = {
            name: phase.weights.get(name, 1.0) * factors.get(name, 1.0) for name in criterion.named_losses
        }
        changed = any(factor != 1 for factor in all_factors.values())
        return weighted(evaluator, all_factors) if changed else evaluator


class _NoLosses:
    """The evaluator of a criterion without losses, for steps in which a network has other tasks."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, image: Tensor) -> tuple[Terms, Tensor]:
        """Zeros."""
        return self.terms(image), torch.zeros_like(image)

    def terms(self, image: Tensor) -> Terms:
        """Zeros."""
        return Terms(dict.fromkeys(self._names, image.new_zeros(())))


def off_in(criterion: Criterion, phase: Phase) -> frozenset[str]:
    """The losses of the criterion that do not count in a phase; in an identity nothing is judged."""
    judged = {
        name
        for name, loss in criterion.named_losses.items()
        if phase.identity and isinstance(loss, AdversarialLoss)
    }
    return (switched_off(phase) | judged) & set(criterion.named_losses)


def _without(criterion: Criterion, off: frozenset[str]) -> Criterion | None:
    """The other losses, if there are any: what has the weight 0 is not computed."""
    if not off:
        return criterion
    losses = {name: loss for name, loss in criterion.named_losses.items() if name not in off}
    if not losses:
        return None
    normalized = [name for name in criterion.normalize_gradients if name not in off]
    return Criterion(criterion.encoder, losses, normalize_gradients=normalized, wrap=criterion.wrap)
