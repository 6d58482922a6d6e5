"""Runs that do not come to their end: the picture so far is saved, and it is said why."""

import json
import os
import signal

import pytest
import torch

from pystyle import Criterion, Runner
from pystyle.checkpoints import CheckpointFolder
from pystyle.cli import main
from pystyle.images import read_image, write_image
from pystyle.runner import Preview

FILES = ["content.png", "style.png"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--steps", "4", "--device", "cpu", "--quiet"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYSTYLE_TRACEBACK", raising=False)
    for name in FILES:
        write_image(torch.rand(1, 3, 40, 60), name)
    return tmp_path


@pytest.fixture
def default_signals():
    """The suite itself may run under `nohup`."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def fail_at(monkeypatch):
    """Makes the preview of a step raise."""

    def set_up(step_index, error):
        def preview(self, step):
            del self
            if step.index != step_index:
                return
            if not isinstance(error, Signals):
                raise error
            for number in error.numbers:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(Preview, "__call__", preview)

    return set_up


def _stylize(*options, size="32"):
    return main(["stylize", *FILES, "-o", "out.png", *TINY, "--size", size, "--save-every", "9", *options])


def test_ctrl_c_saves_the_picture_so_far(capsys, fail_at):
    fail_at(2, KeyboardInterrupt())
    assert _stylize() == 130
    error = capsys.readouterr().err
    assert error.startswith(
        "pystyle: Interrupted. The picture so far is in 'out.png': 48 x 32 pixels, 2 of 4 steps"
    )
    assert error.count("\n") == 1
    assert read_image("out.png").shape == (1, 3, 32, 48)


class Signals(Exception):  # noqa: N818
    """Not raised: a signal that the preview of a step sends to its own process."""

    def __init__(self, *names):
        super().__init__(*names)
        self.numbers = [getattr(signal, name) for name in names]


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize(
    ("names", "code"),
    [(["SIGTERM"], 143), (["SIGHUP"], 129), (["SIGHUP", "SIGHUP"], 129), (["SIGTERM", "SIGHUP"], 143)],
)
@pytest.mark.parametrize("options", [[], ["--checkpoint", "run"]])
@pytest.mark.usefixtures("default_signals")
def test_a_signal_saves_the_picture_so_far(capsys, fail_at, names, code, options):
    fail_at(2, Signals(*names))
    assert _stylize(*options) == code
    error = capsys.readouterr().err
    assert error.startswith("pystyle: Interrupted. The picture so far is in 'out.png': 48 x 32 pixels, ")
    assert error.count("\n") == 1
    assert read_image("out.png").shape == (1, 3, 32, 48)
    if options:
        assert CheckpointFolder("run").steps()[-1] == 1


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_signal_that_is_ignored_ends_nothing(fail_at):
    # As under `nohup`.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fail_at(2, Signals("SIGHUP"))
        assert _stylize() == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("names", [["SIGINT"], ["SIGTERM"], ["SIGHUP", "SIGTERM"]])
@pytest.mark.usefixtures("default_signals")
def test_a_signal_while_the_picture_is_written_does_not_lose_it(names, monkeypatch):
    def slow(*arguments, **options):
        for name in names:
            os.kill(os.getpid(), getattr(signal, name))
        write_image(*arguments, **options)

    monkeypatch.setattr("pystyle.cli._picture.write_image", slow)
    assert _stylize() == 0
    assert read_image("out.png").shape == (1, 3, 32, 48)


def test_ctrl_c_at_a_small_size_saves_the_picture_at_that_size(capsys, fail_at):
    fail_at(1, KeyboardInterrupt())
    assert _stylize("--json", size="192") == 130
    facts = json.loads(capsys.readouterr().out)
    assert (facts["steps"], facts["stop_reason"]) == (1, "interrupted")
    assert facts["height"] < 192
    assert read_image("out.png").shape == (1, 3, facts["height"], facts["width"])


def test_ctrl_c_during_an_evaluation_saves_the_picture_so_far(monkeypatch):
    evaluations = []
    evaluate = Runner.evaluate

    def interrupted(self, image):
        evaluations.append(1)
        if len(evaluations) == 3:
            raise KeyboardInterrupt
        return evaluate(self, image)

    monkeypatch.setattr(Runner, "evaluate", interrupted)
    assert _stylize() == 130
    assert read_image("out.png").shape == (1, 3, 32, 48)


def test_ctrl_c_between_two_sizes_saves_the_picture_so_far(capsys, monkeypatch):
    bindings = []
    bind = Criterion.bind

    def interrupted(self, references):
        bindings.append(1)
        if len(bindings) == 2:
            raise KeyboardInterrupt
        return bind(self, references)

    monkeypatch.setattr(Criterion, "bind", interrupted)
    assert _stylize(size="192") == 130
    assert "of 4 steps" in capsys.readouterr().err
    assert read_image("out.png").shape[2] < 192


@pytest.mark.parametrize("where", ["pystyle.cli._painting.stylize", "pystyle.Runner.evaluate"])
def test_ctrl_c_before_the_first_step_writes_nothing(capsys, folder, monkeypatch, where):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupted)
    assert _stylize() == 130
    assert capsys.readouterr().err == "pystyle: Interrupted; no picture was written.\n"
    assert not (folder / "out.png").exists()


def test_a_failure_during_the_run_saves_the_picture_so_far(capsys, fail_at):
    fail_at(3, OSError(28, "No space left on device"))
    assert _stylize() == 1
    error = capsys.readouterr().err
    assert error.startswith(
        "pystyle: error: [Errno 28] No space left on device The picture so far is in 'out.png'"
    )
    assert error.count("\n") == 1
    assert read_image("out.png").shape == (1, 3, 32, 48)


def test_a_picture_that_cannot_be_saved_after_a_failure_hides_no_error(capsys, fail_at, monkeypatch):
    def full(*_, **__):
        raise OSError("the disk is full")

    fail_at(3, RuntimeError("the device is gone"))
    for module in ("_picture", "_rescue"):
        folder = "cli" if module == "_picture" else "images"
        monkeypatch.setattr(f"pystyle.{folder}.{module}.write_image", full)
    assert _stylize() == 1
    error = capsys.readouterr().err
    assert "Unexpected RuntimeError: the device is gone." in error
    assert "The picture so far could not be written either: the disk is full" in error


def test_lack_of_memory_gets_an_advice(capsys, fail_at):
    fail_at(1, MemoryError())
    assert _stylize() == 1
    error = capsys.readouterr().err
    assert "Choose a smaller `--size`, `--precision bfloat16` or `--optimizer adam`." in error
    assert "The picture so far is in 'out.png'" in error


def test_a_run_that_diverges_saves_its_last_good_picture(capsys, monkeypatch):
    evaluate = Runner.evaluate
    evaluations = []

    def diverging(self, image):
        evaluations.append(1)
        terms, gradient = evaluate(self, image)
        return terms, gradient * (float("nan") if len(evaluations) == 3 else 1)

    monkeypatch.setattr(Runner, "evaluate", diverging)
    assert _stylize("--json") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(
        "pystyle: error: The run ended early: the loss or its gradient became non-finite"
    )
    assert "The picture so far is in 'out.png': 48 x 32 pixels, 2 of 4 steps" in captured.err
    assert captured.err.count("\n") == 1
    assert "non-finite" in json.loads(captured.out)["stop_reason"]
    assert bool(read_image("out.png").isfinite().all())


def test_a_run_that_diverges_at_once_writes_nothing(capsys, folder, monkeypatch):
    evaluate = Runner.evaluate
    monkeypatch.setattr(
        Runner, "evaluate", lambda self, image: (evaluate(self, image)[0], torch.full_like(image, torch.nan))
    )
    assert _stylize() == 1
    assert "No picture was written." in capsys.readouterr().err
    assert not (folder / "out.png").exists()


def test_a_size_that_is_too_small_for_the_encoder_is_a_usage_error(capsys, folder):
    assert _stylize(size="8") == 2
    error = capsys.readouterr().err
    assert "The content at this `--size` must be at least 19 pixels" in error
    assert not (folder / "out.png").exists()


def test_an_unexpected_error_is_one_line_with_its_type(capsys, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a\nsurprise")

    monkeypatch.setattr("pystyle.cli._painting.stylize", broken)
    assert _stylize() == 1
    assert capsys.readouterr().err == (
        "pystyle: error: Unexpected ZeroDivisionError: a surprise. "
        "Set PYSTYLE_TRACEBACK=1 in the environment to see where it came from.\n"
    )
    monkeypatch.setenv("PYSTYLE_TRACEBACK", "1")
    assert _stylize() == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback (most recent call last):")
    assert error.splitlines()[-1].startswith("pystyle: error: ")


def test_a_failure_to_write_the_result_is_reported(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr("pystyle.cli._picture.write_image", full)
    monkeypatch.setattr("pystyle.images._rescue.write_image", full)
    assert _stylize("--json") == 1
    assert capsys.readouterr() == ("", "pystyle: error: the disk is full\n")
