"""SIGTERM and SIGHUP end a run as Ctrl-C does, where that is wanted."""

import os
import signal
import threading

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, Pyramid, optimize_image
from pystyle.checkpoints import CheckpointFolder
from pystyle.encoders import SequentialEncoder
from pystyle.runner import RunInterrupted, interrupt_on_signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

PHOTO = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
SIGNALS = ["SIGTERM", "SIGHUP"]


class Sends:
    """A callback that sends a signal after a step, so many times."""

    def __init__(self, name, step=3, times=1):
        self.number, self.step, self.times = getattr(signal, name), step, times

    def __call__(self, step):
        if step.index == self.step:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)


@pytest.fixture(autouse=True)
def handlers():
    """As a program has them when it begins, and afterwards those of the tests again."""
    before = {name: signal.signal(getattr(signal, name), signal.SIG_DFL) for name in SIGNALS}
    yield
    assert all(
        signal.getsignal(getattr(signal, name)) in (signal.SIG_DFL, signal.SIG_IGN) for name in SIGNALS
    )
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


def by_pixels():
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})


def run(*callbacks, **arguments):
    return optimize_image(
        by_pixels(), {"content": PHOTO}, init="grey", num_steps=5, callbacks=callbacks, **arguments
    )


def climb(*callbacks, **arguments):
    pyramid = Pyramid([8, 16, 24], num_steps=2)
    return pyramid.optimize(by_pixels(), {"content": PHOTO}, init="grey", callbacks=callbacks, **arguments)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("start", [run, climb])
def test_a_signal_gives_the_picture_so_far(start, name):
    with interrupt_on_signals() as interruption:
        result = start(Sends(name))
    assert (result.interrupted, result.steps) == (True, 2)
    assert interruption.signal == getattr(signal, name)
    assert interruption.exit_code(130) == {"SIGTERM": 143, "SIGHUP": 129}[name]


def test_a_signal_ends_a_loop_over_images():
    begun = []

    def work():
        for index in range(3):
            begun.append(index)
            run(Sends("SIGTERM"), on_interrupt="raise")

    with interrupt_on_signals() as interruption, pytest.raises(RunInterrupted):
        work()
    assert begun == [0]
    assert interruption.signal == signal.SIGTERM


def test_the_same_signal_from_the_terminal_and_from_its_shell_is_one():
    with interrupt_on_signals():
        assert run(Sends("SIGHUP", times=3)).steps == 2


def test_a_signal_between_two_runs_interrupts_the_program():
    with interrupt_on_signals(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


def test_without_a_signal_nothing_is_said():
    with interrupt_on_signals() as interruption:
        assert run().stop_reason == "finished"
    assert interruption.signal is None
    assert interruption.exit_code(0) == 0


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_loses_no_step_of_a_checkpoint(name, tmp_path):
    with pytest.raises(SystemExit) as caught:
        climb(Sends(name, step=4), checkpoint=tmp_path)
    assert caught.value.code == {"SIGTERM": 143, "SIGHUP": 129}[name]
    assert CheckpointFolder(tmp_path).steps()[-1] == 3
    with interrupt_on_signals():
        assert climb(Sends(name, step=5), checkpoint=tmp_path, resume=True).interrupted
    assert CheckpointFolder(tmp_path).steps()[-1] == 4
    assert torch.equal(climb(checkpoint=tmp_path, resume=True).image, climb().image)


def test_a_signal_that_the_program_ignores_is_ignored():
    # As under `nohup`.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interrupt_on_signals() as interruption:
        assert run(Sends("SIGHUP")).stop_reason == "finished"
    assert interruption.signal is None


def test_a_handler_of_the_program_is_left_alone():
    handled = []
    signal.signal(signal.SIGTERM, lambda *_: handled.append(True))
    with interrupt_on_signals():
        assert run(Sends("SIGTERM")).stop_reason == "finished"
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert handled == [True]


def test_another_thread_than_the_main_one_is_no_problem():
    results = []

    def work():
        with interrupt_on_signals():
            results.append(run())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results[0].stop_reason == "finished"
