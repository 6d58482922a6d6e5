"""One number of a gradient that is not finite, and runs of several levels in which a loss stops being so."""

from functools import partial

import pytest
import torch
from torch import nn

from pystyle import Criterion, Loss, Pyramid, optimize_image, stylize
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier, LaplacianPyramid, Pixels

OPTIMIZERS = {
    "LBFGS": LBFGS,
    "Adam": partial(torch.optim.Adam, lr=0.02),
    "LBFGS of torch": partial(torch.optim.LBFGS, lr=0.2, max_iter=1),
    "line search": partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe"),
}
NUMBERS = {"infinity": torch.inf, "minus infinity": -torch.inf, "NaN": torch.nan}


class OneNumber(torch.autograd.Function):
    """The features as they are, with a gradient of which one number is another."""

    @staticmethod
    def forward(ctx, features, number):
        ctx.number = number
        return features.clone()

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.clone()
        gradient[0, 1, 2, 3] = ctx.number
        return gradient, None


class BreaksAt(Loss):
    """A smooth loss of which one number of the gradient, or the value, goes wrong at one evaluation."""

    reference, spatial = None, "dense"

    def __init__(self, call, number, *, in_value=False):
        super().__init__("image")
        self.call, self.number, self.in_value, self.calls, self.images = call, number, in_value, 0, []

    def represent(self, features):
        self.calls += 1
        self.images.append(features.detach().clone())
        wrong = self.calls == self.call
        if wrong and not self.in_value:
            features = OneNumber.apply(features, self.number)
        value = (features - 0.3).square().mean()
        return value + self.number if wrong and self.in_value else value


def image(seed, height=12, width=10):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def criterion(loss):
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"loss": loss})


def is_finite(result):
    columns = [torch.tensor(column) for column in result.history.values()]
    return bool(result.image.isfinite().all()) and all(column.isfinite().all() for column in columns)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("call", [1, 3, 5])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_number_of_the_gradient_ends_the_run_with_an_iterate_that_was_good(optimizer, call, number):
    loss = BreaksAt(call, NUMBERS[number])
    result = optimize_image(criterion(loss), {}, init=image(0), optimizer=OPTIMIZERS[optimizer], num_steps=12)
    assert is_finite(result)
    assert result.failed
    assert "non-finite" in result.stop_reason
    assert any(torch.equal(result.image, seen) for seen in loss.images[: max(call - 1, 1)])
    assert loss.calls <= call + 12


@pytest.mark.parametrize("parametrization", [Pixels, LaplacianPyramid, Fourier])
@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(4), EagerEvaluation("bfloat16")])
def test_one_infinite_number_is_found_with_every_evaluation_and_parametrization(evaluation, parametrization):
    result = optimize_image(
        criterion(BreaksAt(4, torch.inf)),
        {},
        init=image(0, 16, 16),
        num_steps=8,
        evaluation=evaluation,
        parametrization=parametrization,
        averaging=0.5,
    )
    assert is_finite(result)
    assert result.failed
    assert len(result.history["step"]) in (3, 4)


@pytest.mark.parametrize("in_value", [False, True])
@pytest.mark.parametrize("call", [2, 7, 9])
def test_a_pyramid_ends_at_the_level_at_which_something_is_not_finite(call, in_value):
    loss = BreaksAt(call, torch.inf, in_value=in_value)
    result = Pyramid([8, 16], num_steps=4).optimize(criterion(loss), {}, init=image(0, 16, 16))
    assert is_finite(result)
    assert result.failed
    assert "non-finite" in result.stop_reason
    # Four steps of the first level and the evaluation of its picture are five evaluations.
    assert result.image.shape[2:] == ((8, 8) if call <= 5 else (16, 16))


@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_stylize_gives_the_last_good_picture(small_vgg, colors):
    result = stylize(
        image(0, 16, 20),
        image(1, 16, 16),
        encoder=small_vgg(),
        style_loss=BreaksAt(3, torch.nan),
        colors=colors,
        edge_size=16,
        num_steps=8,
    )
    assert is_finite(result)
    assert result.failed
    assert "non-finite at step 3" in result.stop_reason
