"""Runs that diverge or are interrupted still end in a picture."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import Criterion, Loss, Runner, optimize_image
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluator
from pystyle.optim import LBFGS
from pystyle.runner import Result

OPTIMIZERS = {
    "LBFGS": LBFGS,
    "damped LBFGS": partial(LBFGS, damping=0.2),
    "Adam": partial(torch.optim.Adam, lr=0.02),
    "LBFGS of torch": partial(torch.optim.LBFGS, lr=0.2, max_iter=1),
}
LINE_SEARCH = partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe")

START = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(0))
GOAL = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(1))


class BreaksAt(Loss):
    """A smooth loss whose evaluation number `call` goes wrong."""

    reference, spatial = None, "dense"

    def __init__(self, call: int, failure: Callable[[Tensor], Tensor]) -> None:
        super().__init__("pixels")
        self.call, self.failure = call, failure
        self.images: list[Tensor] = []

    def represent(self, features: Tensor) -> Tensor:
        self.images.append(features.detach().clone())
        weights = torch.linspace(0.2, 2, 30, dtype=features.dtype).reshape(1, 1, 6, 5)
        value = (weights * (features - GOAL).square()).mean()
        return self.failure(value) if len(self.images) == self.call else value


class InfiniteGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value):
        del ctx
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        del ctx
        return gradient * torch.inf


def raise_interrupt(value: Tensor) -> Tensor:
    del value
    raise KeyboardInterrupt


FAILURES = {
    "NaN": lambda value: value * torch.nan,
    "infinite": lambda value: value / 0,
    "infinite gradient": InfiniteGradient.apply,
}


def run(loss: BreaksAt, optimizer, num_steps: int = 12, **arguments) -> Result:
    criterion = Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"loss": loss})
    return optimize_image(criterion, {}, init=START, optimizer=optimizer, num_steps=num_steps, **arguments)


def is_finite(result: Result) -> bool:
    return bool(result.image.isfinite().all()) and all(
        torch.tensor(column).isfinite().all() for column in result.history.values()
    )


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", [1, 2, 3, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loss_that_is_not_finite_ends_the_run_with_the_last_good_iterate(optimizer, call, failure):
    loss = BreaksAt(call, FAILURES[failure])
    result = run(loss, OPTIMIZERS[optimizer])
    good = loss.images[max(call - 2, 0)]
    assert len(loss.images) == call
    assert is_finite(result)
    assert torch.equal(result.image, good)
    assert (
        f"became non-finite at step {len(result.history['step'])}; the last good iterate"
        in result.stop_reason
    )
    assert len(result.history["step"]) == call - (failure != "infinite gradient")


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", [1, 3, 4, 9])
def test_a_line_search_that_meets_a_loss_that_is_not_finite_ends_the_run(call, failure):
    loss = BreaksAt(call, FAILURES[failure])
    result = run(loss, LINE_SEARCH)
    assert is_finite(result)
    assert "non-finite" in result.stop_reason
    assert any(torch.equal(result.image, image) for image in loss.images[: max(call - 1, 1)])
    if len(result.history["total"]) > 1:
        assert result.history["total"][-1] < result.history["total"][0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loss_that_is_not_finite_after_the_last_step_gives_the_iterate_before(optimizer):
    loss = BreaksAt(6, FAILURES["NaN"])
    result = run(loss, OPTIMIZERS[optimizer], num_steps=5)
    assert torch.equal(result.image, loss.images[4])
    assert len(result.history["total"]) == 5
    assert "non-finite at step 5" in result.stop_reason


def test_a_loss_that_is_not_finite_after_a_callback_stopped_gives_the_iterate_before():
    loss = BreaksAt(4, FAILURES["NaN"])
    result = run(loss, LBFGS, callbacks=[lambda step: step.stop("enough") if step.index == 3 else None])
    assert torch.equal(result.image, loss.images[2])
    assert "non-finite" in result.stop_reason


def test_an_average_of_a_run_that_diverged_is_finite():
    result = run(BreaksAt(5, FAILURES["NaN"]), OPTIMIZERS["Adam"], averaging=0.9)
    assert is_finite(result)
    assert "non-finite" in result.stop_reason


class Jumps(torch.optim.SGD):
    """One that leaves for infinity with its third step."""

    steps = 0

    def step(self, closure):
        self.steps += 1
        loss = super().step(closure)
        if self.steps == 3:
            self.param_groups[0]["params"][0].data.fill_(torch.nan)
        return loss


def test_an_image_that_is_not_finite_is_never_shown_or_given_back():
    seen = []
    loss = BreaksAt(0, FAILURES["NaN"])
    result = run(loss, partial(Jumps, lr=0.1), callbacks=[lambda step: seen.append(step.image)])
    assert is_finite(result)
    assert torch.equal(result.image, loss.images[2])
    assert len(seen) == 2
    assert all(image.isfinite().all() for image in seen)


@pytest.mark.parametrize("call", [1, 2, 5])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS.values(), LINE_SEARCH])
def test_an_interrupt_during_an_evaluation_gives_the_picture_so_far(optimizer, call):
    loss = BreaksAt(call, raise_interrupt)
    result = run(loss, optimizer)
    assert result.stop_reason == "interrupted"
    assert is_finite(result)
    # Not a point that a line search only tries: the row of the history is that of the picture.
    index = len(result.history["total"]) - 1
    if index < 0:
        assert torch.equal(result.image, START)
    else:
        weights = torch.linspace(0.2, 2, 30).reshape(1, 1, 6, 5)
        value = float((weights * (result.image - GOAL).square()).mean())
        assert value == pytest.approx(result.history["total"][index], rel=1e-5)


def test_an_interrupt_in_a_callback_gives_the_picture_so_far_and_closes_all():
    closed = []

    class Closing:
        def __call__(self, step):
            if step.index == 4:
                raise KeyboardInterrupt

        def close(self):
            closed.append(True)

    result = run(BreaksAt(0, raise_interrupt), LBFGS, callbacks=[Closing(), Closing()])
    assert result.stop_reason == "interrupted"
    assert closed == [True, True]
    assert len(result.history["total"]) == 4
    assert result.history["total"][-1] < result.history["total"][0]


def test_an_error_in_a_loss_or_an_optimizer_reaches_the_caller():
    def fail(value):
        del value
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        run(BreaksAt(3, fail), LBFGS)


@pytest.mark.parametrize(("failure", "failed"), [("NaN", True), ("interrupt", True), (None, False)])
def test_a_result_tells_whether_the_run_failed(failure, failed):
    failures = {**FAILURES, "interrupt": raise_interrupt}
    loss = BreaksAt(3 if failure else 0, failures[failure or "NaN"])
    objective = Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"loss": loss}).bind({})
    assert Runner(EagerEvaluator(objective), START).run(4).failed is failed


def test_pictures_are_finite_between_two_looks_at_the_flag_as_on_an_accelerator():
    images = []
    objective = Criterion(
        SequentialEncoder({"pixels": nn.Identity()}), {"loss": BreaksAt(3, FAILURES["NaN"])}
    ).bind({})
    runner = Runner(EagerEvaluator(objective), START, callbacks=[lambda step: images.append(step.image)])
    # What a device other than the CPU gets, where a look at the flag in every step would be slow.
    runner._loop.poll_interval = 25
    result = runner.run(10)
    assert len(images) == 9
    assert all(image.isfinite().all() for image in images)
    assert result.failed
    assert torch.equal(result.image, images[2])
