"""`pystyle texture`: a mesh in, a painted mesh out, and whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pystyle.checkpoints import CheckpointFolder
from pystyle.cli import main
from pystyle.images import read_image, write_image
from pystyle.surfaces import read_mesh, sphere, write_mesh

pytest.importorskip("trimesh")

TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "96", "--device", "cpu", "--steps", "2"]
FILES = ["ball.glb", "style.png"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    write_image(torch.rand(1, 3, 40, 60, generator=generator), "style.png")
    write_mesh(sphere(8, texture=torch.rand(1, 3, 16, 32, generator=generator)), "ball.glb")
    return tmp_path


def texture(*options, output="out.glb"):
    return main(["texture", *FILES, "-o", output, *TINY, *options])


def error(capsys, *options, code=2, **output):
    assert texture(*options, **output) == code
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("pystyle: error: ").rstrip("\n")


def test_a_mesh_is_painted_and_shown(folder, capsys, monkeypatch):
    monkeypatch.setattr("pystyle.cli._texture._VIEW_SIZE", 48)
    assert texture("--json", "--sheet", "sheet.png", "--log", "log.csv") == 0
    found = read_mesh("out.glb")
    assert found.texture.shape == (1, 3, 96, 192)
    assert not torch.equal(found.texture, read_mesh("ball.glb").texture)
    assert torch.allclose(found.vertices, read_mesh("ball.glb").vertices)
    facts = json.loads(capsys.readouterr().out)
    assert facts["output"] == str(folder / "out.glb")
    assert (facts["width"], facts["height"], facts["steps"], facts["faces"]) == (192, 96, 2, 48)
    assert facts["stop_reason"] == "finished"
    sheet = read_image("sheet.png")
    # Two rows of four views on white.
    assert sheet.shape[2] * 1.9 < sheet.shape[3] < sheet.shape[2] * 2.1
    assert float(sheet[0, :, 0, 0].min()) == 1
    assert len(Path("log.csv").read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_clip_turns_once(monkeypatch):
    pytest.importorskip("av")
    from pystyle.video import read_clip

    monkeypatch.setattr("pystyle.cli._texture._CLIP_FRAMES", 4)
    monkeypatch.setattr("pystyle.cli._texture._VIEW_SIZE", 32)
    assert texture("--quiet", "--clip", "turn.gif") == 0
    frames = [frame.image for frame in read_clip("turn.gif")]
    assert len(frames) == 4
    assert frames[0].shape == (1, 3, 32, 32)
    assert not torch.equal(frames[0], frames[2])


def test_another_texture_is_painted_if_one_is_named():
    write_image(torch.zeros(1, 3, 30, 20), "black.png")
    assert texture("--quiet", "--texture", "black.png", "--content-weight", "0", output="out.obj") == 0
    assert read_mesh("out.obj").texture.shape == (1, 3, 144, 96)
    assert sorted(path.name for path in Path().glob("out.*")) == ["out.mtl", "out.obj", "out.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--elevations=50,-30"], "`--elevations` must be two angles from -90 to 90, the lower first"),
        (["--elevations=5"], "`--elevations` must be two angles"),
        (["--loss", "gramm"], "Did you mean 'gram'?"),
        (["--size", "0"], "`--size` must be an integer of at least 1"),
        (["--size", "20"], "must be at least"),
        (["--style-weights", "1,2"], "`--style-weights` must have one weight for each of the 1 styles"),
        (["--sheet", "sheet.txt"], "The extension of `--sheet` must be one of"),
        (["--sheet", "style.png"], "The file 'style.png' exists already"),
        (["--clip", "turn.txt"], "turn.txt"),
        (["--clip", "none/turn.gif"], "'none'"),
        (["--resume"], "`--resume` needs the folder of the checkpoints"),
        (["--checkpoint-every", "5"], "`--checkpoint-every` needs the folder of the checkpoints"),
        (["--log", "log.txt"], "`--log` must end in .csv or .jsonl"),
    ],
)
def test_a_wrong_option_is_explained_in_one_line(capsys, options, message):
    if "--clip" in options:
        pytest.importorskip("av")
    assert message in error(capsys, *options)
    assert not Path("out.glb").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("out.stl", "`--output` must end in one of .glb, .obj, .ply, got 'out.stl'."),
        ("none/out.glb", "`--output` needs the folder 'none', which does not exist"),
        ("ball.glb", "The file 'ball.glb' exists already"),
        ("style.obj", "The file 'style.png' exists already"),
    ],
)
def test_an_impossible_output_is_refused_before_the_computation(capsys, output, message):
    assert message in error(capsys, output=output)


def test_what_is_no_mesh_is_a_failure(capsys):
    Path("ball.glb").write_bytes(b"no mesh")
    assert "Cannot read the mesh 'ball.glb'" in error(capsys, code=1)
    Path("ball.glb").unlink()
    assert "there is no such file" in error(capsys, code=1)


def test_a_mesh_that_cannot_be_written_leaves_its_texture(capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pystyle.cli._texture.write_mesh", full)
    assert texture("--quiet") == 1
    message = capsys.readouterr().err
    assert "could not be written to 'out.glb', so this is its texture: No space left on device." in message
    assert read_image("out.png").shape == (1, 3, 96, 192)


@pytest.mark.slow
def test_a_killed_command_goes_on_with_the_same_bytes(folder):
    command = [sys.executable, "-m", "pystyle", "texture", *FILES, *TINY[:-1], "12", "--seed", "3"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "-o", "whole.glb", "--quiet"], check=True, env=environment, timeout=250)
    kept = ["--checkpoint", "run", "--checkpoint-every", "0.01"]
    running = subprocess.Popen([*command, "-o", "out.glb", "--quiet", *kept], env=environment)
    checkpoints = CheckpointFolder("run")
    while running.poll() is None and (checkpoints.steps() or [0])[-1] < 3:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (folder / "out.glb").exists()
    assert 3 <= checkpoints.steps()[-1] < 12
    again = [*command, "-o", "out.glb", "--quiet", *kept, "--resume"]
    subprocess.run(again, check=True, env=environment, timeout=250)
    assert (folder / "out.glb").read_bytes() == (folder / "whole.glb").read_bytes()


def test_ctrl_c_saves_the_mesh_so_far(capsys, monkeypatch):
    from pystyle.runner import CSVLogger

    written = CSVLogger.__call__

    def interrupted(self, step):
        written(self, step)
        if step.index == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(CSVLogger, "__call__", interrupted)
    assert texture("--quiet", "--log", "log.csv") == 130
    assert "Interrupted. The mesh so far is in 'out.glb'" in capsys.readouterr().err
    assert read_mesh("out.glb").texture.shape == (1, 3, 96, 192)
