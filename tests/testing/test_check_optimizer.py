from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from pystyle.optim import LBFGS
from pystyle.testing import check_optimizer

Closure = Callable[[], Tensor]


class GoodOptimizer(Optimizer):
    """Gradient descent with momentum."""

    def __init__(self, params: Iterable[Tensor], **defaults: Any) -> None:
        super().__init__(params, {"lr": 0.05, **defaults})

    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        loss = closure()
        for parameter in self.param_groups[0]["params"]:
            self.move(parameter, parameter.grad)
        return loss

    @torch.no_grad()
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        state = self.state[parameter]
        state["velocity"] = gradient + 0.5 * state.get("velocity", torch.zeros_like(gradient))
        parameter -= self.param_groups[0]["lr"] * state["velocity"]


class GoodBoundedOptimizer(GoodOptimizer):
    def __init__(self, params: Iterable[Tensor]) -> None:
        super().__init__(params, bounds=None)

    @torch.no_grad()
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        super().move(parameter, gradient)
        if self.param_groups[0]["bounds"]:
            parameter.clamp_(*self.param_groups[0]["bounds"])


class IgnoresTheClosure(GoodOptimizer):
    def step(self, closure: Closure | None = None) -> None:  # type: ignore[override]
        del closure


class ReturnsTheLossAfterwards(GoodOptimizer):
    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        super().step(closure)
        return closure()


class ReplacesTheImage(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        parameter.data = parameter.data - 0.05 * gradient


class SwapsTwoImages(GoodOptimizer):
    """Lies where it lay after every second step."""

    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        other = self.state[parameter].setdefault("other", torch.empty_like(parameter).detach())
        other.copy_(parameter.detach() - 0.05 * gradient)
        self.state[parameter]["other"], parameter.data = parameter.data, other


class StandsStill(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        pass


class Ascends(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        super().move(parameter, -0.01 * gradient)


class NeedsContiguousImages(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        parameter.data.view(-1).sub_(0.05 * gradient.view(-1))


class FollowsTheMemory(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        order = torch.linspace(0.5, 1.0, gradient.numel()).as_strided(gradient.shape, gradient.stride())
        super().move(parameter, gradient * order)


class ForgetsItsState(GoodOptimizer):
    def __init__(self, params: Iterable[Tensor]) -> None:
        super().__init__(params)
        self.velocity: Tensor | float = 0.0

    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        self.velocity = gradient + 0.5 * self.velocity
        parameter.data -= 0.05 * self.velocity


class DividesByTheGradient(GoodOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        super().move(parameter, gradient / gradient.norm() * min(1.0, float(gradient.norm())))


class IgnoresItsBounds(GoodBoundedOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        GoodOptimizer.move(self, parameter, gradient)


class StopsBeforeItsBounds(GoodBoundedOptimizer):
    def move(self, parameter: Tensor, gradient: Tensor) -> None:
        before = parameter.detach().clone()
        super().move(parameter, gradient)
        if self.param_groups[0]["bounds"] and parameter.amax() == self.param_groups[0]["bounds"][1]:
            parameter.data.copy_(before)


GOOD = [
    GoodOptimizer,
    GoodBoundedOptimizer,
    partial(torch.optim.Adam, lr=0.05),
    partial(torch.optim.SGD, lr=0.1, momentum=0.5),
    LBFGS,
    partial(LBFGS, bounds=(0.0, 1.0)),
]
BROKEN = [
    (IgnoresTheClosure, "`step` calls the closure and returns its loss"),
    (ReturnsTheLossAfterwards, "`step` returns the loss that it started from"),
    (ReplacesTheImage, "the image is changed in place"),
    (StandsStill, "a quadratic falls to half in 100 steps"),
    (Ascends, "a quadratic falls to half in 100 steps"),
    (NeedsContiguousImages, "channels_last images take the same path. view size is not compatible"),
    (FollowsTheMemory, "channels_last images take the same path"),
    (torch.optim.LBFGS, "channels_last images take the same path"),
    (ForgetsItsState, "goes on from its `state_dict` as if nothing had happened"),
    (DividesByTheGradient, "a gradient of zero leaves the image finite"),
    (IgnoresItsBounds, "an optimizer with `bounds` keeps to them"),
    (StopsBeforeItsBounds, "an optimizer with `bounds` still reaches a minimum at a bound"),
]


@pytest.mark.parametrize("factory", GOOD)
def test_a_good_optimizer_passes(factory: Callable[[Iterable[Tensor]], Optimizer]) -> None:
    check_optimizer(factory)


@pytest.mark.parametrize(("factory", "promise"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_optimizer_is_caught(factory: Callable[[Iterable[Tensor]], Optimizer], promise: str) -> None:
    with pytest.raises(AssertionError, match=f"A promise is broken: .*{promise}"):
        check_optimizer(factory)


def test_an_image_that_lies_in_the_end_where_it_lay_is_caught() -> None:
    with pytest.raises(AssertionError, match="the image is changed in place"):
        check_optimizer(SwapsTwoImages, num_steps=99)


def test_what_is_no_optimizer_is_caught() -> None:
    class Nothing:
        def __init__(self, params: Iterable[Tensor]) -> None:
            self.params = params

    with pytest.raises(AssertionError, match=r"an optimizer is a `torch\.optim\.Optimizer`"):
        check_optimizer(Nothing)  # type: ignore[arg-type]


def test_the_number_of_steps_is_up_to_the_caller() -> None:
    check_optimizer(partial(GoodOptimizer, lr=0.02), num_steps=60)
    with pytest.raises(AssertionError, match="a quadratic falls to half in 2 steps"):
        check_optimizer(partial(torch.optim.Adam, lr=0.01), num_steps=2)
