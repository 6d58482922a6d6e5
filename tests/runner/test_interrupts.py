"""Ctrl-C ends a run with its picture so far, and a loop over images if that is wanted."""

import pickle
from contextlib import suppress
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, Pyramid, Result, optimize_image, stylize
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation
from pystyle.runner import RunInterrupted

PHOTO = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))


def interrupt(step, index=3):
    if step.index == index:
        raise KeyboardInterrupt


def by_pixels():
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})


def run(**arguments):
    return optimize_image(by_pixels(), {"content": PHOTO}, init="grey", num_steps=5, **arguments)


def climb(**arguments):
    pyramid = Pyramid([8, 16, 24], num_steps=2)
    return pyramid.optimize(by_pixels(), {"content": PHOTO}, init="grey", **arguments)


def paint(**arguments):
    sizes = {"edge_size": (36, 48), "num_steps": (2, 2), "colors": "luminance"}
    return stylize(PHOTO, PHOTO.flip(2), encoder=vgg11(weights=None), device="cpu", **sizes, **arguments)


@pytest.mark.parametrize("start", [run, climb, paint])
def test_an_interrupt_can_be_raised_with_the_picture_that_is_given_back_otherwise(start):
    result = start(callbacks=[interrupt])
    assert result.interrupted
    with pytest.raises(RunInterrupted, match=r"interrupted after 2 steps; the picture so far is in `result`"):
        start(callbacks=[interrupt], on_interrupt="raise")
    with pytest.raises(KeyboardInterrupt) as caught:
        start(callbacks=[interrupt], on_interrupt="raise")
    assert torch.equal(caught.value.result.image, result.image)
    assert caught.value.result.history["total"] == result.history["total"]


@pytest.mark.parametrize(("on_interrupt", "painted"), [("return", 3), ("raise", 1)])
def test_an_interrupt_ends_a_loop_over_images_or_one_of_its_runs(on_interrupt, painted):
    begun = []
    with suppress(RunInterrupted):
        for index in range(3):
            begun.append(index)
            run(callbacks=[interrupt], on_interrupt=on_interrupt)
    assert len(begun) == painted


def test_an_interrupt_that_is_raised_loses_no_step_of_the_checkpoint(tmp_path):
    with pytest.raises(RunInterrupted):
        climb(callbacks=[partial(interrupt, index=4)], on_interrupt="raise", checkpoint=tmp_path)
    assert CheckpointFolder(tmp_path).steps()[-1] == 3
    # What Ctrl-C does is no part of what the picture depends on.
    assert torch.equal(climb(checkpoint=tmp_path, resume=True).image, climb().image)


@pytest.mark.parametrize("start", [run, climb, paint])
def test_what_ends_a_run_otherwise_is_not_raised(start):
    result = start(callbacks=[lambda step: step.stop("interrupted")], on_interrupt="raise")
    assert not result.interrupted


@pytest.mark.parametrize("start", [run, climb, paint])
def test_what_cannot_be_done_at_ctrl_c_is_named(start):
    with pytest.raises(ValueError, match=r"`on_interrupt` must be 'return'.* or 'raise'.*got 'stop'"):
        start(on_interrupt="stop")


def test_an_interrupt_can_be_sent_to_another_process():
    with pytest.raises(RunInterrupted) as caught:
        run(callbacks=[interrupt], on_interrupt="raise")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert torch.equal(copy.result.image, caught.value.result.image)


class Interrupting:
    """An evaluation that is interrupted while the references of a level are represented."""

    def __init__(self, level):
        self.levels_before = level

    def bind(self, criterion, references):
        if not self.levels_before:
            raise KeyboardInterrupt
        self.levels_before -= 1
        return EagerEvaluation().bind(criterion, references)


@pytest.mark.parametrize("on_interrupt", ["return", "raise"])
@pytest.mark.parametrize("start", [run, climb])
def test_before_the_first_step_there_is_no_picture_to_give_back(start, on_interrupt):
    with pytest.raises(KeyboardInterrupt) as caught:
        start(evaluation=Interrupting(0), on_interrupt=on_interrupt)
    assert type(caught.value) is KeyboardInterrupt


def test_between_two_levels_there_is_the_picture_of_the_first():
    result = climb(evaluation=Interrupting(1))
    assert result.interrupted
    assert result.steps == 2
    assert result.image.shape == (1, 3, 8, 11)


def test_a_run_that_goes_on_and_takes_no_step_has_no_picture(tmp_path, monkeypatch):
    climb(callbacks=[partial(interrupt, index=4)], checkpoint=tmp_path)
    monkeypatch.setattr(EagerEvaluation, "bind", lambda _, *given: Interrupting(0).bind(*given))
    with pytest.raises(KeyboardInterrupt):
        climb(checkpoint=tmp_path, resume=True)


def test_a_picture_without_a_history_took_no_steps():
    result = Result(PHOTO, {}, "finished", 0.0)
    assert result.steps == 0
    assert repr(result) == "Result(24 x 32 pixels, 0 steps in 0.0 s, loss unknown, finished)"
