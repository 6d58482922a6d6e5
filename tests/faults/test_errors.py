"""Errors of code that users write: nothing is left behind, no step is lost, and the traceback is theirs."""

import gc
import traceback

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, Loss, Pyramid, optimize_image
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation


class OfUser(Exception):  # noqa: N818
    pass


def image(seed, height=16, width=12):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": image(0), "style": image(1)}


class FailsBackwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx, features):
        del ctx
        return features.clone()

    @staticmethod
    def backward(ctx, gradient):
        del ctx
        return fails_on_purpose(gradient)


def fails_on_purpose(*_):
    raise OfUser("a mistake of the user")


class Fails(Loss):
    """A loss that raises at one of its evaluations with a graph, in its value or in its gradient."""

    reference, spatial = None, "pooled"

    def __init__(self, call, place):
        super().__init__("relu")
        self._call, self._place, self._calls = call, place, 0

    def represent(self, features):
        if features.requires_grad and self._place != "compare":
            self._calls += 1
            if self._calls == self._call:
                features = FailsBackwards.apply(features) if self._place == "backward" else fails_on_purpose()
        return features.mean((2, 3))

    def compare(self, representation, target):
        del target
        if representation.requires_grad and self._place == "compare":
            self._calls += 1
            if self._calls == self._call:
                fails_on_purpose()
        return representation.square().mean()


def criterion(call=0, place="compare"):
    conv = nn.Conv2d(3, 4, 3, padding=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter.uniform_(-0.5, 0.5, generator=generator)
    losses = {"content": ContentLoss("conv"), "style": GramLoss("relu"), "own": Fails(call, place)}
    return Criterion(SequentialEncoder({"conv": conv, "relu": nn.ReLU()}), losses)


def hooks(module):
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    parameters = [parameter._backward_hooks for parameter in module.parameters()]
    found = [getattr(child, name) for child in module.modules() for name in names] + parameters
    return sum(len(hook or ()) for hook in found)


def live_tensors():
    gc.collect()
    return sum(issubclass(type(item), torch.Tensor) for item in gc.get_objects())


RUNS = {
    "at once": lambda *a, **k: optimize_image(*a, num_steps=8, **k),
    "strips": lambda *a, **k: optimize_image(*a, num_steps=8, evaluation=StripEvaluation(4), **k),
    "bfloat16": lambda *a, **k: optimize_image(*a, num_steps=8, evaluation=EagerEvaluation("bfloat16"), **k),
    "pyramid": lambda *a, **k: Pyramid([8, 12], num_steps=4).optimize(*a, **k),
}


def last_lines(error):
    return traceback.extract_tb(error.__traceback__)[-1].name


@pytest.mark.parametrize("place", ["compare", "represent", "backward"])
@pytest.mark.parametrize("name", RUNS)
def test_an_error_in_a_loss_leaves_no_hook_loses_no_step_and_shows_its_line(name, place, tmp_path):
    run, failing, accepted = RUNS[name], criterion(5, place), []
    with pytest.raises(OfUser, match="a mistake of the user") as caught:
        run(failing, REFERENCES, callbacks=[lambda s: accepted.append(s.index)], checkpoint=tmp_path)
    assert last_lines(caught.value) == "fails_on_purpose"
    assert hooks(failing) == 0
    assert CheckpointFolder(tmp_path).steps()[-1] == max(accepted, default=0)
    assert accepted or name == "strips"
    resumed = run(criterion(), REFERENCES, checkpoint=tmp_path, resume=True)
    assert torch.equal(resumed.image, run(criterion(), REFERENCES).image)


@pytest.mark.parametrize("step", [1, 4, 8])
@pytest.mark.parametrize("name", RUNS)
def test_an_error_in_a_callback_leaves_no_hook_loses_no_step_and_shows_its_line(name, step, tmp_path):
    def callback(seen):
        if seen.index == step:
            fails_on_purpose()

    run, used = RUNS[name], criterion()
    with pytest.raises(OfUser) as caught:
        run(used, REFERENCES, callbacks=[callback], checkpoint=tmp_path)
    assert last_lines(caught.value) == "fails_on_purpose"
    assert caught.value.__cause__ is None
    assert hooks(used) == 0
    assert CheckpointFolder(tmp_path).steps()[-1] == step - 1
    resumed = run(criterion(), REFERENCES, checkpoint=tmp_path, resume=True)
    assert torch.equal(resumed.image, run(criterion(), REFERENCES).image)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["compare", "represent", "backward"])
def test_a_run_that_failed_leaves_no_tensor_behind(place):
    used = criterion(3, place)

    def fail():
        with pytest.raises(OfUser):
            optimize_image(used, REFERENCES, num_steps=6)
        used.losses["own"]._calls = 0

    fail()
    before = live_tensors()
    for _ in range(5):
        fail()
    assert live_tensors() == before


def test_a_value_error_of_a_loss_is_named_and_its_traceback_is_the_cause():
    class Wrong(GramLoss):
        def compare(self, representation, target):
            del representation, target
            raise ValueError("Mine.")

    used = Criterion(criterion().encoder, {"mine": Wrong("relu")})
    with pytest.raises(ValueError, match=r"The loss 'mine.relu' cannot be computed\. Mine\.") as caught:
        optimize_image(used, REFERENCES, num_steps=2)
    assert last_lines(caught.value.__cause__) == "compare"
