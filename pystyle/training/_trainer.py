"""The step of a training: evaluate, move, report."""

import copy
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from pystyle.criterion import Criterion, Terms
from pystyle.evaluation import Evaluation, Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.losses._representation import combine
from pystyle.networks import Stylizer
from pystyle.optim import LBFGS
from pystyle.runner._record import Record
from pystyle.training._batches import Batch
from pystyle.training._draws import seeded
from pystyle.training._learned_styles import LearnedStyles
from pystyle.training._phase import Phase, PhaseTable
from pystyle.training._processes import processes
from pystyle.typing import OptimizerFactory, Schedule

_LOG = logging.getLogger("pystyle")
_MOST_SKIPPED = 100
"""Steps in a row that may be left out before a training gives up."""


class Trainer:
    """Moves the weights of a network, a batch at a time.

    Args:
        network: The network.
        criterion: Encoder and losses.
        evaluation: How they are computed.
        learned: The styles that the network learns by name; None for a network for any style.
        phases: The phases.
        optimizer: Makes the optimizer of the weights.
        learning_rate: What the learning rate is multiplied by, from the fraction of the training.
        averaging: The decay of the average of the weights.
        max_gradient_norm: What the norm of the gradient is scaled down to if it is longer; None for no limit.
        balance: How long the gradients of losses are to be at first, against those of the others.
        autocast: Whether the network computes in bfloat16 where it loses little by it.

    Attributes:
        averaged: A network with the average of the weights.
        factors: What the weights of losses are multiplied by to balance them.
        skipped: Steps that were left out.
    """

    def __init__(
        self,
        network: Stylizer,
        criterion: Criterion,
        evaluation: Evaluation,
        *,
        learned: LearnedStyles | None,
        phases: Sequence[Phase],
        optimizer: OptimizerFactory,
        learning_rate: Schedule,
        averaging: float,
        max_gradient_norm: float | None,
        balance: Mapping[str, float],
        autocast: bool,
        seed: int,
    ) -> None:
        self._seed = seed
        self.network, self.criterion, self.evaluation = network, criterion, evaluation
        self.phases, self.learned = PhaseTable(phases), learned
        self._criteria = {off: _without(criterion, off) for off in set(map(_off, phases))}
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = _checked_optimizer(optimizer(trained))
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        self._learning_rate = learning_rate
        self._max_gradient_norm = max_gradient_norm
        self._balance = dict(balance)
        self._average = AveragedModel(network, avg_fn=_average_with(averaging))
        # As it will paint: callbacks look at it.
        self._average.requires_grad_(False).eval()
        self._paint = _distributed(_Paint(network, autocast=autocast))
        self.record = Record()
        self.factors: dict[str, float] = {}
        self.skipped = self._skipped_in_a_row = 0
        self.pictures = torch.zeros(0, 3, 1, 1)

    @property
    def averaged(self) -> Stylizer:
        """A network with the average of the weights."""
        module: Any = self._average.module
        network: Stylizer = module
        return network

    @property
    def hopeless(self) -> bool:
        """Whether so many steps in a row were left out that no other will help."""
        return self._skipped_in_a_row >= _MOST_SKIPPED

    def step(self, index: int, batch: Batch, seconds: Callable[[], float]) -> Terms:
        """Take a step, counted from 1, and give the terms that it starts from."""
        phase = self.phases.at(index - 1)
        self._set_learning_rate(phase, (index - 1) / max(len(self.phases) - 1, 1))
        evaluator = self._bound(batch, phase)
        self.optimizer.zero_grad(set_to_none=True)
        with seeded(self._seed, index):
            pictures = self._paint(batch.contents, batch.contents if batch.styles is None else batch.styles)
        self.pictures = pictures.detach()
        if self._balance and not self.factors and not phase.identity:
            self.factors = balancing_factors(
                evaluator, self.pictures, self._criterion_of(phase), self._balance
            )
            _LOG.info("The weights are multiplied by %s to balance their gradients.", self.factors)
            evaluator = weighted(evaluator, self.factors)
        terms, gradient = evaluator(self.pictures)
        torch.autograd.backward(pictures, gradient.to(pictures))
        terms = terms.with_zeros(self.criterion.term_names)
        self._move(terms, seconds)
        return terms

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from; the tensors are the trainer's own."""
        return {
            "network": dict(self.network.state_dict()),
            "average": dict(self._average.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "record": self.record.state_dict(),
            "factors": self.factors,
            "skipped": self.skipped,
            "skipped in a row": self._skipped_in_a_row,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another trainer with the same arguments."""
        self.network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.record.load_state_dict(state["record"], next(self.network.parameters()).device)
        self.factors = dict(state["factors"])
        self.skipped, self._skipped_in_a_row = state["skipped"], state["skipped in a row"]

    def _bound(self, batch: Batch, phase: Phase) -> Evaluator:
        if batch.styles is None or phase.identity:
            style: Any = batch.contents
        else:
            style = batch.styles
            if self.learned is not None and not isinstance(style, Tensor):
                style = self.learned.reference(style)
        criterion = self._criterion_of(phase)
        evaluator = self.evaluation.bind(criterion, {"content": batch.contents, "style": style})
        factors = {
            name: phase.weights.get(name, 1.0) * self.factors.get(name, 1.0)
            for name in criterion.named_losses
        }
        return weighted(evaluator, factors) if any(factor != 1 for factor in factors.values()) else evaluator

    def _criterion_of(self, phase: Phase) -> Criterion:
        return self._criteria[_off(phase)]

    def _set_learning_rate(self, phase: Phase, fraction: float) -> None:
        factor = phase.learning_rate * self._learning_rate(fraction)
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def _move(self, terms: Terms, seconds: Callable[[], float]) -> None:
        parameters = list(self.network.parameters())
        limit = torch.inf if self._max_gradient_norm is None else self._max_gradient_norm
        norm = nn.utils.clip_grad_norm_(parameters, limit)
        # Summed up, because the total may be infinite in one process alone, and all must do the same.
        strange = (~(norm.isfinite() & terms.total.isfinite())).float()
        processes().add_up([strange])
        if bool(strange):
            self.skipped += 1
            self._skipped_in_a_row += 1
            return
        self._skipped_in_a_row = 0
        self.record.append(terms, seconds())
        self.optimizer.step()
        self._average.update_parameters(self.network)


def _off(phase: Phase) -> frozenset[str]:
    """The losses that do not count in a phase."""
    return frozenset(name for name, weight in phase.weights.items() if weight == 0)


def _without(criterion: Criterion, off: frozenset[str]) -> Criterion:
    """The other losses: what has the weight 0 is not computed."""
    if not off:
        return criterion
    losses = {name: loss for name, loss in criterion.named_losses.items() if name not in off}
    normalized = [name for name in criterion.normalize_gradients if name not in off]
    return Criterion(criterion.encoder, losses, normalize_gradients=normalized)


def _checked_optimizer(optimizer: Optimizer) -> Optimizer:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    needed = closure is not None and closure.default is inspect.Parameter.empty
    if needed or isinstance(optimizer, LBFGS):
        raise ValueError(
            f"`optimizer` must move the weights once for each batch, got {type(optimizer).__name__}, which "
            "evaluates several times in a step. Take `torch.optim.Adam`."
        )
    return optimizer


class _Paint(nn.Module):
    """The network from style to picture in one call, as distributed training wants it."""

    def __init__(self, network: Stylizer, *, autocast: bool) -> None:
        super().__init__()
        self.network, self.autocast = network, autocast

    def forward(self, contents: Tensor, styles: Tensor | list[int]) -> Tensor:
        with torch.autocast(contents.device.type, torch.bfloat16, enabled=self.autocast):
            picture: Tensor = self.network(contents, self._code(styles))
        return picture.to(contents)

    def _code(self, styles: Tensor | list[int]) -> Any:
        if isinstance(styles, Tensor):
            return self.network.represent_style(styles)
        names = [self.network.styles[index] for index in styles]
        return combine(
            [self.network.named_code(name) for name in names], lambda codes: torch.cat(list(codes))
        )


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


def _average_with(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """The average of the weights; after few steps it forgets sooner, so that it does not hang on to the
    start."""

    def average(mean: Tensor, value: Tensor, count: Tensor | int) -> Tensor:
        now = min(decay, (1 + float(count)) / (10 + float(count)))
        return torch.lerp(value, mean, now)

    return average


def _distributed(module: _Paint) -> nn.Module:
    return DistributedDataParallel(module, broadcast_buffers=False) if processes().count > 1 else module
