"""`pystyle stylize --checkpoint`: whatever ends a run, `--resume` goes on with the same bytes."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from pystyle.checkpoints import CheckpointFolder
from pystyle.cli import main
from pystyle.images import write_image
from pystyle.runner import Preview

FILES = ["content.png", "style.png"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "192", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for index, name in enumerate(FILES):
        generator = torch.Generator().manual_seed(index)
        write_image(torch.rand(1, 3, 40, 60, generator=generator), name)
    return tmp_path


def stylize(output, *options, steps="6"):
    return main(["stylize", *FILES, "-o", output, *TINY, "--steps", steps, *options])


@pytest.fixture
def interrupt_at(monkeypatch):
    """Makes the preview of a step raise as Ctrl-C does, once."""
    steps = []
    preview = Preview.__call__

    def interrupted(self, step):
        if steps and step.index == steps[0]:
            steps.pop()
            raise KeyboardInterrupt
        preview(self, step)

    monkeypatch.setattr(Preview, "__call__", interrupted)
    return steps.append


@pytest.mark.slow
@pytest.mark.parametrize("step", [2, 5])
def test_an_interrupted_command_goes_on_with_the_same_bytes(folder, capsys, interrupt_at, step):
    assert stylize("whole.png", "--quiet") == 0
    options = ["--checkpoint", "run", "--log", "log.csv", "--save-every", "5"]
    interrupt_at(step)
    assert stylize("out.png", *options, "--quiet") == 130
    assert (folder / "out.png").read_bytes() != (folder / "whole.png").read_bytes()
    assert CheckpointFolder("run").steps()[-1] == step - 1
    capsys.readouterr()
    assert stylize("out.png", *options, "--resume") == 0
    place = folder.resolve() / "run"
    assert f"pystyle: The run goes on after step {step - 1}, from '{place}'." in capsys.readouterr().err
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()
    rows = (folder / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "1", "2", "3", "4", "5", "6"]


@pytest.mark.slow
def test_a_finished_command_writes_its_picture_again(folder, capsys):
    assert stylize("first.png", "--checkpoint", "run", "--quiet") == 0
    assert stylize("second.png", "--checkpoint", "run", "--resume", "--json") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 6
    assert (folder / "first.png").read_bytes() == (folder / "second.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("size", [["--size", "128"], ["--pyramid", "130,182"]])
def test_a_finished_command_goes_on_with_the_bytes_of_more_steps_at_once(folder, capsys, size):
    # Of several sizes only the last may get more.
    first, more = ("3", "5") if len(size[1]) == 3 else ("2,2", "2,4")
    assert stylize("out.png", "--checkpoint", "run", "--quiet", *size, steps=first) == 0
    capsys.readouterr()
    assert stylize("out.png", "--checkpoint", "run", "--resume", *size, steps=more) == 0
    assert "steps had been asked for at once." in capsys.readouterr().err
    assert stylize("whole.png", "--quiet", *size, steps=more) == 0
    assert (folder / "out.png").read_bytes() == (folder / "whole.png").read_bytes()


@pytest.mark.slow
def test_a_finished_command_goes_on_from_its_picture_and_says_so(folder, capsys):
    assert stylize("out.png", "--checkpoint", "run", "--quiet", steps="4") == 0
    assert stylize("out.png", "--checkpoint", "run", "--resume", "--json", steps="7") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 7
    assert stylize("out.png", "--checkpoint", "run", "--resume", steps="9") == 0
    place = folder.resolve() / "run"
    assert f"goes on after step 7, from the picture in '{place}', to step 9." in capsys.readouterr().err
    assert stylize("out.png", "--checkpoint", "run", "--resume", steps="5") == 2
    assert "has 9 steps behind it, and `--steps` asks for 5 only." in capsys.readouterr().err


@pytest.mark.slow
def test_what_cannot_be_carried_out_is_said_with_the_options(folder, capsys):
    assert stylize("out.png", "--resume") == 2
    assert (
        "`--resume` needs the folder of the checkpoints. Name it with `--checkpoint`"
        in capsys.readouterr().err
    )
    assert stylize("out.png", "--checkpoint", "style.png") == 2
    assert "`--checkpoint` must be a folder, got the file 'style.png'." in capsys.readouterr().err
    assert stylize("out.png", "--checkpoint", "run", "--quiet") == 0
    assert stylize("other.png", "--checkpoint", "run") == 2
    error = capsys.readouterr().err
    place = folder.resolve() / "run"
    assert f"`--checkpoint` is the folder '{place}', which has the checkpoints of a run." in error
    assert "Go on with `--resume`, or name another folder." in error
    assert stylize("other.png", "--checkpoint", "run", "--resume", "--strength", "2") == 2
    assert "losses.style.weight` was 18.0 and is 36.0" in capsys.readouterr().err
    with CheckpointFolder("run").locked():
        assert stylize("other.png", "--checkpoint", "run", "--resume") == 2
    assert f"The folder '{place}' is in use by another run, in process {os.getpid()}." in (
        capsys.readouterr().err
    )
    assert not os.path.exists("other.png")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_queue_that_terminates_the_command_can_start_it_again(folder):
    argv = [sys.executable, "-m", "pystyle", "stylize", *FILES, "-o", "out.png", *TINY, "--steps", "100000"]
    with subprocess.Popen(
        [*argv, "--log", "log.csv", "--checkpoint", "run", "--resume", "--quiet"], stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None and not (os.path.exists("log.csv") and os.path.getsize("log.csv")):
            signal.sigtimedwait([], 0.05)
        process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=120)[1]
    assert process.returncode == 143
    assert error.startswith(b"pystyle: Interrupted. The picture so far is in 'out.png': ")
    last = int((folder / "log.csv").read_text().splitlines()[-1].split(",")[0])
    # The row of a step is written before the step is accepted.
    assert last - CheckpointFolder("run").steps()[-1] in (0, 1)
    assert not [name for name in os.listdir("run") if name.endswith(".tmp")]
