"""The step of a training: evaluate, move, report."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pystyle.criterion import Criterion, Terms
from pystyle.evaluation import Evaluation
from pystyle.evaluation._evaluation import weighted
from pystyle.functional._precision import at_least_float32
from pystyle.losses import AdversarialLoss
from pystyle.networks import Stylizer
from pystyle.runner._record import Record
from pystyle.training._adversary import Adversary
from pystyle.training._averaging import average_with
from pystyle.training._balance import balancing_factors
from pystyle.training._batches import Batch
from pystyle.training._bindings import Bindings
from pystyle.training._collapse import CollapseWatch
from pystyle.training._draws import seeded
from pystyle.training._learned_styles import LearnedStyles
from pystyle.training._optimizers import checked_optimizer
from pystyle.training._paint import Paint, distributed
from pystyle.training._phase import Phase, PhaseTable
from pystyle.training._players import Duels, Players, adversarial_losses, switched_off
from pystyle.training._processes import processes
from pystyle.training._settings import factor_at
from pystyle.training._task import Lesson, Task
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
        learned: The styles that the network learns by name, an image for each; None if styles are drawn.
        tasks: What else the network learns.
        adversaries: How discriminators learn.
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
        signals: What the discriminators said of themselves in the last step.
    """

    def __init__(
        self,
        network: Stylizer,
        criterion: Criterion,
        evaluation: Evaluation,
        *,
        learned: LearnedStyles | None,
        tasks: Mapping[str, Task],
        adversaries: Mapping[str, Adversary | None],
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
        self.network, self.criterion = network, criterion
        self.phases = PhaseTable(phases)
        self._bindings = Bindings(criterion, evaluation, learned, phases)
        self._tasks = dict(tasks)
        self.players = Players(adversarial_losses(criterion, tasks), adversaries)
        paint = Paint(network, tasks, autocast=autocast)
        self._trained = [parameter for parameter in paint.parameters() if parameter.requires_grad]
        self.optimizer = checked_optimizer(optimizer(self._trained))
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        self._learning_rate = learning_rate
        self._max_gradient_norm = max_gradient_norm
        self._balance = dict(balance)
        # It counts on torch's default device, which may be another than that of the network.
        with torch.device("cpu"):
            self._average = AveragedModel(paint, avg_fn=average_with(averaging))
        # As it will paint: callbacks look at it.
        self._average.requires_grad_(False).eval()
        self._painting = paint
        self._paint = distributed(paint)
        self.record = Record()
        self.factors: dict[str, float] = {}
        self.skipped = self._skipped_in_a_row = 0
        self.pictures = torch.zeros(0, 3, 1, 1, device="cpu")
        self.signals: dict[str, Tensor] = {}
        self._watch = CollapseWatch() if self.players and processes().index == 0 else None

    @property
    def averaged(self) -> Stylizer:
        """A network with the average of the weights."""
        module: Any = self._average.module
        network: Stylizer = module.network
        return network

    @property
    def hopeless(self) -> bool:
        """Whether so many steps in a row were left out that no other will help."""
        return self._skipped_in_a_row >= _MOST_SKIPPED

    def step(self, index: int, batch: Batch, seconds: Callable[[], float]) -> Terms:
        """Take a step, counted from 1, and give the terms that it starts from."""
        phase = self.phases.at(index - 1)
        rate = phase.learning_rate * factor_at(self._learning_rate, index - 1, len(self.phases))
        *before, last = batch.parts(self.players.num_parts)
        for place, part in enumerate(before):
            with seeded(self._seed, index, place + 1), torch.no_grad():
                duels = self._duels(part, *self._painted(part, phase))
                self.players.move(place, phase, duels, part.contents, rate=rate)
        with seeded(self._seed, index):
            terms, duels, fine = self._move(last, phase, rate)
            signals, also_fine = self.players.move(len(before), phase, duels, last.contents, rate=rate)
        self.signals = self.players.with_zeros(signals, torch.zeros_like(terms.total))
        if self._watch is not None:
            self._watch.look(index, last.contents, self.pictures, self.signals)
        self._count(terms, seconds, fine=fine and also_fine)
        return terms

    def finish(self) -> None:
        """Give the network, and what its tasks have learned, the average of the weights."""
        with torch.no_grad():
            for own, mean in zip(self._painting.parameters(), self._average.module.parameters(), strict=True):
                if own.requires_grad:
                    own.copy_(mean)
        self._painting.eval()

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from; the tensors are the trainer's own."""
        return {
            "paint": dict(self._painting.state_dict()),
            "players": self.players.state_dict(),
            "average": dict(self._average.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "record": self.record.state_dict(),
            "factors": self.factors,
            "skipped": self.skipped,
            "skipped in a row": self._skipped_in_a_row,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another trainer with the same arguments."""
        self._painting.load_state_dict(state["paint"])
        self.players.load_state_dict(state["players"])
        self._average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.record.load_state_dict(state["record"], next(self.network.parameters()).device)
        self.factors = dict(state["factors"])
        self.skipped, self._skipped_in_a_row = state["skipped"], state["skipped in a row"]

    def _move(self, batch: Batch, phase: Phase, rate: float) -> tuple[Terms, Duels, bool]:
        """Move the network, and give the terms it started from, what it painted, and if all was finite."""
        stays = self.players.holds_network(phase)
        evaluator = self._bindings.bind(batch, phase, self.factors)
        with torch.set_grad_enabled(not stays):
            pictures, lessons = self._painted(batch, phase)
        self.pictures = pictures.detach()
        criterion = self._bindings.of_phase(phase)
        if self._balance and not self.factors and not phase.identity and criterion is not None:
            self.factors = balancing_factors(evaluator, self.pictures, criterion, self._balance)
            _LOG.info("The weights are multiplied by %s to balance their gradients.", self.factors)
            evaluator = weighted(evaluator, self.factors)
        losses = self._losses(lessons, phase)
        self.optimizer.zero_grad(set_to_none=True)
        if stays:
            terms = evaluator.terms(self.pictures)
        else:
            terms, gradient = evaluator(self.pictures)
            ones = [torch.ones_like(loss) for loss in losses.values()]
            torch.autograd.backward([pictures, *losses.values()], [gradient.to(pictures), *ones])
        terms = self._all_terms(terms, losses)
        return terms, self._duels(batch, pictures, lessons), self._step(terms, rate, stays=stays)

    def _step(self, terms: Terms, rate: float, *, stays: bool) -> bool:
        """Move by the gradients, if all is finite."""
        limit = torch.inf if self._max_gradient_norm is None else self._max_gradient_norm
        norm = nn.utils.clip_grad_norm_(self._trained, limit)
        # Summed up, because the total may be infinite in one process alone, and all must do the same.
        strange = (~(norm.isfinite() & terms.total.isfinite())).float()
        processes().add_up([strange])
        if not (stays or bool(strange)):
            for group, usual in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = usual * rate
            self.optimizer.step()
            self._average.update_parameters(self._painting)
        return not bool(strange)

    def _count(self, terms: Terms, seconds: Callable[[], float], *, fine: bool) -> None:
        """Write the step down, or that it was left out."""
        if not fine:
            self.skipped += 1
            self._skipped_in_a_row += 1
            return
        self._skipped_in_a_row = 0
        self.record.append({"total": terms.total, **terms, **self.signals}, seconds())

    def _painted(self, batch: Batch, phase: Phase) -> tuple[Tensor, dict[str, Lesson]]:
        styles = batch.contents if batch.styles is None else batch.styles
        off = switched_off(phase)
        active = [] if phase.identity else [name for name in self._tasks if name not in off]
        pictures, lessons = self._paint(batch.contents, styles, active)
        return pictures, lessons

    def _duels(self, batch: Batch, pictures: Tensor, lessons: Mapping[str, Lesson]) -> Duels:
        """Real images and painted ones for all discriminators."""
        own = [
            name for name, loss in self.criterion.named_losses.items() if isinstance(loss, AdversarialLoss)
        ]
        found: dict[str, tuple[Tensor, Tensor]] = {}
        if isinstance(batch.styles, Tensor):
            found.update(dict.fromkeys(own, (batch.styles, pictures)))
        for name, lesson in lessons.items():
            found.update({f"{name}.{duel}": images for duel, images in lesson.duels.items()})
        return found

    def _losses(self, lessons: Mapping[str, Lesson], phase: Phase) -> dict[str, Tensor]:
        """The weighted losses of the tasks."""
        return {
            f"{name}.{term}": phase.weights.get(name, 1.0) * self._tasks[name].weight * at_least_float32(loss)
            for name, lesson in lessons.items()
            for term, loss in lesson.terms.items()
        }

    def _all_terms(self, terms: Terms, losses: Mapping[str, Tensor]) -> Terms:
        """The terms of the criterion and of the tasks; zeros for what does not count in this step."""
        names = [f"{name}.{term}" for name, task in self._tasks.items() for term in task.terms]
        found = {**terms, **{name: loss.detach().to(terms.total) for name, loss in losses.items()}}
        return Terms(found).with_zeros([*self.criterion.term_names, *names])
