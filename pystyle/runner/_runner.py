import copy
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.criterion import Terms
from pystyle.criterion._checks import check_values
from pystyle.evaluation import Evaluator
from pystyle.evaluation._evaluation import weighted
from pystyle.optim import LBFGS
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.runner._average import Average
from pystyle.runner._iterate import Iterate
from pystyle.runner._record import Record
from pystyle.runner._result import Result
from pystyle.runner._schedules import factors_of_steps
from pystyle.runner._step import Callback, Step
from pystyle.runner._step_graph import CaptureError, StepGraph, can_capture_steps
from pystyle.typing import OptimizerFactory, Schedule

_LOG = logging.getLogger("pystyle")
_POLL_INTERVAL = 25
"""Steps between two looks at the finite flag on devices where a look makes the host wait."""


class Runner:
    """The loop behind :func:`~pystyle.optimize_image`, for those who want to change it.

    One runner does one run. Override :meth:`evaluate` to change the gradient, or :meth:`project` for
    other constraints than bounds.

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
        callbacks: Called after each step.
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
        optimizer: OptimizerFactory = LBFGS,
        parametrization: Callable[[Tensor], Parametrization] = Pixels,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        averaging: float | None = None,
        callbacks: Sequence[Callback] = (),
        schedules: Mapping[str, Schedule] | None = None,
    ) -> None:
        if bounds is not None and not bounds[0] < bounds[1]:
            raise ValueError(f"`bounds` must be (smallest, largest) with smallest < largest, got {bounds}.")
        self.schedules = dict(schedules or {})
        self.bounds = bounds
        self.callbacks = tuple(callbacks)
        if not image.is_floating_point():
            raise TypeError(
                f"The initial image must be a floating tensor with values in [0, 1], got {image.dtype}."
            )
        image = image.detach()
        # Tensors that are filled before each step: what reads them may be a graph on the device.
        self._factors = {name: image.new_ones(()) for name in self.schedules}
        self.evaluator = weighted(evaluator, self._factors) if self._factors else evaluator
        check_values(image, "The initial image")
        if not bool(image.isfinite().all()):
            raise ValueError("The initial image must be finite, got one with NaN or infinite values.")
        self.parametrization = parametrization(image if bounds is None else image.clamp(*bounds))
        projected = self.parametrization.projected
        if not projected and bounds is not None and tuple(bounds) != (0, 1):
            raise ValueError(
                f"`bounds` must be (0, 1) for a parametrization that keeps to them itself, got {bounds}."
            )
        self.optimizer = optimizer(list(self.parametrization.parameters()))
        self._optimizer_projects = "bounds" in self.optimizer.param_groups[0]
        if self._optimizer_projects:
            self.optimizer.param_groups[0]["bounds"] = bounds if projected else None
        average = None if averaging is None else Average(averaging)
        self._iterate = Iterate(self.parametrization, self.optimizer, average=average)
        self._graph: StepGraph | None = None
        if can_capture_steps(self.evaluator, self.optimizer, image.device):
            self._graph = StepGraph(self.evaluator)
            self.evaluator = self.evaluator.evaluator
        self._failed = False
        self._done, self._stop_reason, self._seconds = 0, "", 0.0
        self._record = Record()
        self._poll_interval = 1 if image.device.type == "cpu" else _POLL_INTERVAL

    @property
    def image(self) -> Tensor:
        """The current iterate."""
        image: Tensor = self.parametrization().detach()
        return image

    def evaluate(self, image: Tensor) -> tuple[Terms, Tensor]:
        """The terms of an image and the gradient of their total."""
        return self.evaluator(image)

    def project(self, image: Tensor) -> None:
        """Bring the image, or what it is made of, back into its bounds, in place.

        It is called after each step of an optimizer without bounds, with each parameter that bounds are for:
        the pixels, or those of a smaller image.
        """
        if self.bounds is not None and not self._optimizer_projects:
            image.clamp_(*self.bounds)

    def run(self, num_steps: int, *, keep: Callable[[Mapping[str, Any]], None] | None = None) -> Result:
        """Take the steps.

        Args:
            num_steps: How many, with those before a state that was loaded; 0 gives the initial image back.
            keep: Called with :meth:`state_dict` at the beginning and after the callbacks of each step.

        Returns:
            The picture, the history and why the run stopped. Ctrl-C ends the run without an error,
            and a loss that is not finite ends it with the last good iterate.
        """
        if num_steps < 0:
            raise ValueError(f"`num_steps` must not be negative, got {num_steps}.")
        factors = factors_of_steps(self.schedules, num_steps)
        start = time.perf_counter() - self._seconds
        reason = "finished"
        try:
            reason = self._loop(num_steps, factors, start, keep)
        except KeyboardInterrupt:
            self._failed = True
            self._iterate.restore()
            reason = "interrupted"
        finally:
            for callback in self.callbacks:
                getattr(callback, "close", lambda: None)()
        seconds = time.perf_counter() - start
        return Result(self._iterate.picture(), self._record.history(), reason, seconds, self._failed)

    def state_dict(self) -> dict[str, Any]:
        """What the rest of the run depends on beside the arguments; the tensors are the runner's own."""
        return {
            "step": self._done,
            "stop_reason": self._stop_reason,
            "seconds": self._seconds,
            "iterate": self._iterate.state_dict(),
            "record": self._record.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another runner with the same arguments."""
        self._done, self._stop_reason = state["step"], state["stop_reason"]
        self._seconds = state["seconds"]
        self._iterate.load_state_dict(copy.deepcopy(state["iterate"]))
        self._record.load_state_dict(state["record"], self._iterate.finite.device)

    def _loop(
        self,
        num_steps: int,
        factors: Mapping[str, Sequence[float]],
        start: float,
        keep: Callable[[Mapping[str, Any]], None] | None,
    ) -> str:
        self._weigh(factors, max(self._done - 1, 0))
        if keep is not None:
            keep(self.state_dict())
        while self._done < num_steps and not self._stop_reason:
            index = self._done + 1
            self._weigh(factors, index - 1)
            terms = self._step(start)
            if (index % self._poll_interval == 0 or index == num_steps) and not bool(self._iterate.finite):
                return self._give_up()
            step = Step(index, num_steps, terms, time.perf_counter() - start, self._iterate.picture)
            for callback in self.callbacks:
                callback(step)
            self._done, self._stop_reason, self._seconds = index, step.stop_reason or "", step.seconds
            if keep is not None:
                keep(self.state_dict())
        if not self._finish(start):
            return self._give_up()
        if self._done and not bool(self._iterate.moved):
            _LOG.warning(
                "The image did not move in %d steps: the gradient is zero, or too small for this optimizer. "
                "Raise the weights of the losses or the learning rate.",
                self._done,
            )
        return self._stop_reason or "finished"

    def _weigh(self, factors: Mapping[str, Sequence[float]], index: int) -> None:
        for name, factor in self._factors.items():
            factor.fill_(factors[name][index])

    def _step(self, start: float) -> Terms:
        if self._graph is None:

            def seen(terms: Terms) -> None:
                self._record.append(terms, time.perf_counter() - start)

            return self._iterate.step(self.evaluate, self.project, seen)
        try:
            terms = self._graph(lambda: self._iterate.step(self.evaluate, self.project))
        except CaptureError as error:
            self._graph.graphed.fall_back(str(error))
            self.evaluator, self._graph = self._graph.graphed, None
            return self._step(start)
        self._record.append(terms, time.perf_counter() - start)
        return terms

    @torch.no_grad()
    def _finish(self, start: float) -> bool:
        """Evaluate the picture, which no step has looked at; whether it is finite."""
        # The last gradient has served, and takes the memory of an image.
        self.parametrization.zero_grad()
        terms = self.evaluator.terms(self._iterate.picture())
        self._record.append(terms, time.perf_counter() - start)
        return bool(self._iterate.finite & terms.total.isfinite())

    def _give_up(self) -> str:
        self._failed = True
        self._iterate.restore()
        steps = len(self._record.history()["step"])
        return (
            f"the loss or its gradient became non-finite at step {steps}; the last good iterate was kept. "
            "Lower the weights or the learning rate."
        )
