import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import callables, whole_number
from pystyle.criterion import Terms
from pystyle.evaluation import Evaluator
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.runner._average import Average
from pystyle.runner._checks import check_kept_bounds, check_parametrization, check_start, checked_bounds
from pystyle.runner._iterate import Iterate
from pystyle.runner._loop import Loop
from pystyle.runner._record import Record
from pystyle.runner._result import Result
from pystyle.runner._step import Callback, close_all
from pystyle.runner._step_graph import CaptureError, StepGraph, can_capture_steps
from pystyle.runner._weights import ScheduledWeights
from pystyle.typing import OptimizerFactory, OptimizerName, Schedule

_LOG = logging.getLogger("pystyle")
_POLL_INTERVAL = 25
"""Steps between two looks at the finite flag on devices where a look makes the host wait."""


class Runner:
    """What takes the steps of :func:`~pystyle.optimize_image`, for those who want to change them.

    One runner does one run, or a level of a pyramid. Override :meth:`evaluate` to change the gradient, or
    :meth:`project` for other constraints than bounds, and give the class as ``runner=``. What a runner of
    yours remembers from step to step belongs into :meth:`state_dict`, as tensors, numbers and texts in
    dictionaries and lists; then checkpoints keep it.

    Args:
        evaluator: What is minimised, and how it is computed.
        image: The initial image; it is copied.
        optimizer: A factory: any optimizer class of torch or pystyle, or a `functools.partial` of
            one. One whose groups have an entry ``bounds`` gets the bounds; after the steps of any
            other the image is clamped.
        parametrization: What is optimised: a factory that makes parameters of the initial image and an
            image of the parameters.
        bounds: The smallest and largest value of a pixel during the run; None for no bounds. Other
            parametrizations than pixels may know (0, 1) only; see
            :class:`~pystyle.parametrizations.Parametrization`.
        averaging: The decay of an exponential average of the iterates, which is then the result.
        callbacks: One or several, called after each step.
        schedules: How weights change, by the names of the losses: any function from the fraction of the
            run, 0 at the first step and 1 at the last, to a factor of the weight; see
            :func:`~pystyle.optimize_image`. The evaluator needs a method ``weighted``.

    Attributes:
        parametrization: The parameters, and how an image is made of them.
        optimizer: The optimizer.

    Raises:
        ValueError: If an argument has an impossible value.
        TypeError: If the image is not a floating tensor, or the evaluator cannot change its weights.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.evaluation import EagerEvaluator
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> Runner(EagerEvaluator(objective), torch.rand(1, 3, 8, 8)).run(3).stop_reason
        'finished'
    """

    def __init__(
        self,
        evaluator: Evaluator,
        image: Tensor,
        *,
        optimizer: OptimizerFactory | OptimizerName = LBFGS,
        parametrization: Callable[[Tensor], Parametrization] = Pixels,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        averaging: float | None = None,
        callbacks: Callback | Sequence[Callback] = (),
        schedules: Mapping[str, Schedule] | None = None,
    ) -> None:
        self.bounds = bounds = checked_bounds(bounds)
        check_start(image)
        image = image.detach()
        self.callbacks = callables(callbacks, "`callbacks`")
        check_parametrization(parametrization)
        self.parametrization = parametrization(image if bounds is None else image.clamp(*bounds))
        check_kept_bounds(bounds, self.parametrization)
        self.optimizer = optimizer_factory(optimizer)(list(self.parametrization.parameters()))
        self._optimizer_projects = "bounds" in self.optimizer.param_groups[0]
        if self._optimizer_projects:
            self.optimizer.param_groups[0]["bounds"] = bounds if self.parametrization.projected else None
        self._weights = ScheduledWeights(schedules, image)
        self.evaluator = self._weights.applied_to(evaluator)
        self._graph: StepGraph | None = None
        if can_capture_steps(self.evaluator, self.optimizer, image.device):
            self._graph = StepGraph(self.evaluator)
            self.evaluator = self.evaluator.evaluator
        average = None if averaging is None else Average(averaging)
        self._iterate = Iterate(self.parametrization, self.optimizer, average=average)
        self._loop = Loop(poll_interval=1 if image.device.type == "cpu" else _POLL_INTERVAL)
        self._record = Record()

    @property
    def image(self) -> Tensor:
        """The current iterate."""
        image: Tensor = self.parametrization().detach()
        return image

    @property
    def picture(self) -> Tensor:
        """What the run would give back now, in [0, 1]."""
        return self._iterate.picture()

    @property
    def stops_all_levels(self) -> bool:
        """Whether a callback ended the run and all levels of a pyramid that come after it."""
        return self._loop.stops_all_levels

    def evaluate(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of an image and the gradient of their total."""
        return self.evaluator(image)

    def project(self, image: Tensor) -> None:
        """Bring the image, or what it is made of, back into its bounds, in place.

        It is called after each step, with each parameter that bounds are for: the pixels, or those of a
        smaller image. Those of an optimizer with bounds are in them already.
        """
        if self.bounds is not None and not self._optimizer_projects:
            image.clamp_(*self.bounds)

    def run(
        self,
        num_steps: int,
        *,
        steps_before: int = 0,
        keep: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> Result:
        """Take the steps.

        Args:
            num_steps: How many, with those before a state that was loaded; 0 gives the initial image back.
            steps_before: Those of runs before this one, for what is said.
            keep: Called with :meth:`state_dict` at the beginning and after the callbacks of each step.

        Returns:
            The picture, the history and why the run stopped. Ctrl-C ends the run without an error,
            and a loss that is not finite ends it with the last good iterate.
        """
        num_steps = whole_number(num_steps, "`num_steps`", least=0)
        self._weights.plan(num_steps)
        self._loop.start()
        failure = ""
        try:
            if not self._take_steps(num_steps, keep):
                failure = self._divergence(steps_before)
        except KeyboardInterrupt:
            failure = "interrupted"
        finally:
            close_all(self.callbacks)
        if failure:
            self._iterate.restore()
        reason = failure or self._loop.stop_reason or "finished"
        return Result(self.picture, self._record.history(), reason, self._loop.seconds(), bool(failure))

    def state_dict(self) -> dict[str, Any]:
        """What the rest of the run depends on beside the arguments; the tensors are the runner's own."""
        return {
            **self._loop.state_dict(),
            "iterate": self._iterate.state_dict(),
            "record": self._record.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another runner with the same arguments."""
        self._loop.load_state_dict(state)
        self._iterate.load_state_dict(copy.deepcopy(state["iterate"]))
        self._record.load_state_dict(state["record"], self._iterate.finite.device)

    def _take_steps(self, num_steps: int, keep: Callable[[Mapping[str, Any]], None] | None) -> bool:
        """Take the rest of the steps and look at what they led to; whether all is finite."""

        def accept() -> None:
            if keep is not None:
                keep(self.state_dict())

        self._weights.set(self._loop.done)
        accept()
        finite = self._loop.take(
            num_steps,
            self._weighted_step,
            is_finite=lambda: bool(self._iterate.finite),
            picture=self._iterate.picture,
            callbacks=self.callbacks,
            accepted=accept,
        )
        if not (finite and self._finish()):
            return False
        if self._loop.done and not bool(self._iterate.moved):
            _LOG.warning(
                "The image did not move in %d steps: the gradient is zero, or too small for this optimizer. "
                "Raise the weights of the losses or the learning rate.",
                self._loop.done,
            )
        return True

    def _weighted_step(self, index: int) -> Terms:
        self._weights.set(index)
        return self._step()

    def _step(self) -> Terms:
        if self._graph is None:
            return self._iterate.step(self.evaluate, self.project, self._note)
        try:
            terms = self._graph(lambda: self._iterate.step(self.evaluate, self.project))
        except CaptureError as error:
            self._graph.graphed.fall_back(str(error))
            self.evaluator, self._graph = self._graph.graphed, None
            return self._step()
        self._note(terms)
        return terms

    def _note(self, terms: Terms) -> None:
        self._record.append({"total": terms.total, **terms}, self._loop.seconds())

    @torch.no_grad()
    def _finish(self) -> bool:
        """Evaluate the picture, which no step has looked at; whether it is finite."""
        # The last gradient has served, and takes the memory of an image.
        self.parametrization.zero_grad()
        terms = self.evaluator.terms(self.picture)
        self._note(terms)
        return bool(self._iterate.finite & terms.total.isfinite())

    def _divergence(self, steps_before: int) -> str:
        step = steps_before + len(self._record.history()["step"])
        return (
            f"the loss or its gradient became non-finite at step {step}; the last good iterate was kept. "
            "Lower the weights or the learning rate."
        )
