"""`pystyle stylize --batch`: a whole folder; what ends a job is in `tests/jobs` and `tests/faults`."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, write_image

TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--steps", "2", "--device", "cpu"]
TINY_FILE = 'size = 32\nsteps = 2\nencoder = "alexnet"\nweights = "none"\ndevice = "cpu"\n'
FOLDERS = ["--batch", "photos", "--style", "style.png", "--output-dir", "out"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for index, name in enumerate(("photos/a.png", "photos/b.jpg", "style.png", "other.png")):
        generator = torch.Generator().manual_seed(index)
        write_image(torch.rand(1, 3, 40, 60, generator=generator), name)
    return tmp_path


def batch(*options):
    return main(["stylize", *FOLDERS, *TINY, *options])


def error(capsys, *argv):
    assert main(["stylize", *argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("pystyle: error: ").rstrip("\n")


def test_a_folder_is_painted_with_a_line_for_each_image(capsys):
    assert batch() == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("pystyle: a.png is painted in a.png, ")
    assert lines[1].startswith("pystyle: b.jpg is painted in b.png, ")
    assert lines[2:] == [
        "pystyle: 2 images painted, 0 were done before or by others, 0 failed; the pictures are in 'out'."
    ]
    assert read_image("out/b.png").shape == (1, 3, 32, 48)
    assert batch() == 0
    assert capsys.readouterr().err.splitlines() == [
        "pystyle: 0 images painted, 2 were done before or by others, 0 failed; the pictures are in 'out'."
    ]


def test_a_picture_is_that_of_the_command_for_one_image(folder):
    options = ["--loss", "gram", "--colors", "content", "--optimizer", "adam", "--strength", "2", "--quiet"]
    assert batch(*options) == 0
    assert main(["stylize", "photos/b.jpg", "style.png", "-o", "one.png", *TINY, *options]) == 0
    assert (folder / "one.png").read_bytes() == (folder / "out" / "b.png").read_bytes()


def test_bad_images_are_an_exit_code_and_a_sentence(folder, capsys):
    (folder / "photos" / "bad.png").write_bytes(b"no image")
    assert batch() == 1
    lines = capsys.readouterr().err.splitlines()
    place = os.path.join(os.getcwd(), "photos/bad.png")
    assert lines[2].startswith(f"pystyle: bad.png failed: Cannot read the image '{place}': ")
    assert lines[-1] == (
        "pystyle: error: 1 image failed; the reasons are in 'out/manifest.jsonl'. `--retry-failed` tries "
        "them again."
    )
    assert batch("--quiet") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("pystyle: error: ") for line in lines] == [True, True]
    write_image(torch.rand(1, 3, 40, 60), "photos/bad.png")
    assert batch("--retry-failed", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_one_object_of_json_tells_programs_what_became_of_the_images(folder, capsys):
    (folder / "photos" / "bad.png").write_bytes(b"")
    assert batch("--json", "--format", "jpg", "--quality", "80") == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["painted"] == ["a.jpg", "b.jpg"]
    assert facts["kept"] == []
    assert "it is empty" in facts["failed"]["bad.png"]
    assert facts["output"] == str(folder / "out")


@pytest.mark.slow
def test_several_styles_and_options_of_a_file(folder):
    (folder / "run.toml").write_text(
        'content = "photos/a.png"\nstyle = ["style.png", "other.png"]\noutput = "never.png"\n'
        f"style-weights = [2, 1]\n{TINY_FILE}"
    )
    argv = ["stylize", "--config", "run.toml", "--batch", "photos", "--output-dir", "out", "--quiet"]
    assert main(argv) == 0
    weights = ["--style-weights", "2,1", "--quiet"]
    assert main(["stylize", "photos/a.png", "style.png", "other.png", "-o", "one.png", *weights, *TINY]) == 0
    assert (folder / "out" / "a.png").read_bytes() == (folder / "one.png").read_bytes()
    assert not (folder / "never.png").exists()
    (folder / "job.toml").write_text(
        'batch = "photos"\nstyle = ["style.png", "other.png"]\noutput-dir = "again"\nretry-failed = true\n'
        f"style-weights = [2, 1]\n{TINY_FILE}"
        "quiet = true\n"
    )
    assert main(["stylize", "--config", "job.toml"]) == 0
    assert (folder / "again" / "a.png").read_bytes() == (folder / "one.png").read_bytes()


@pytest.mark.slow
def test_other_options_need_another_folder_or_leave_to_overwrite(capsys):
    assert batch("--quiet") == 0
    message = error(capsys, *FOLDERS, *TINY, "--strength", "2")
    assert "has 2 pictures of a job with other options: `--strength` was 1.0 and is 2.0." in message
    assert message.endswith("or replace them with `--overwrite`.")
    assert batch("--strength", "2", "--overwrite", "--quiet") == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["photos/a.png", *FOLDERS], "With `--batch` the images are those of its folder, got the file"),
        ([*FOLDERS, "-o", "x.png"], "`-o` must be left out with `--batch`"),
        ([*FOLDERS, "--mask", "m.png"], "`--mask` must be left out with `--batch`"),
        ([*FOLDERS, "--checkpoint", "run"], "`--checkpoint` must be left out with `--batch`"),
        ([*FOLDERS, "--checkpoint-every", "5"], "`--checkpoint-every` must be left out with `--batch`"),
        ([*FOLDERS, "--log", "x.csv"], "`--log` must be left out with `--batch`"),
        ([*FOLDERS, "--save-config", "x.toml"], "`--save-config` must be left out with `--batch`"),
        (FOLDERS[:4], "`--batch` needs a folder for the pictures. Name it with `--output-dir`."),
        ([*FOLDERS[:2], *FOLDERS[4:]], "`--batch` needs at least one painting. Name it with `--style`."),
        (["--batch=style.png", *FOLDERS[2:]], "`--batch` must be a folder of images, got 'style.png'."),
        ([*FOLDERS[:4], "--output-dir", "style.png"], "`--output-dir` must be a folder, got the file"),
        ([*FOLDERS[:2], "--style", "-", *FOLDERS[4:]], "`--batch` needs paintings in files"),
        ([*FOLDERS, "--style-weights", "1,2"], "`--style-weights` must have one weight for each of the 1"),
        ([*FOLDERS, "--init", "start.png"], "`--init` must be one of content, "),
        ([*FOLDERS, "--workers", "0"], "`--workers` must be an integer of at least 1, got '0'."),
        ([*FOLDERS, "--on", "dask"], "`--on` must be one of processes, ray, got 'dask'."),
        (["photos/a.png", "style.png", "-o", "x.png", "--on", "ray"], "`--on` is for a folder of"),
        ([*FOLDERS, "--format", "gif"], "`--format` must be one of png, jpg"),
        ([*FOLDERS, "--format", "jpg", "--bits", "16"], "`--bits 16` needs the format PNG, got JPEG."),
        ([*FOLDERS, "--steps", "1,2,3,4"], "`--steps` must be one number or one for each of"),
        (["photos/a.png", "style.png", "-o", "x.png", "--workers", "2"], "`--workers` is for a folder of"),
        (["photos/a.png", "style.png", "-o", "x.png", "--style", "b.png"], "`--style` is for a folder of"),
    ],
)
def test_what_cannot_be_carried_out_is_said_before_anything_is_written(capsys, folder, argv, message):
    assert message in error(capsys, *argv)
    assert not (folder / "out").exists()


def test_a_painting_that_cannot_be_read_is_a_failure(capsys):
    argv = ["stylize", "--batch", "photos", "--style", "none.png", "--output-dir", "out", *TINY]
    assert main(argv) == 1
    assert capsys.readouterr().err.startswith("pystyle: error: Cannot read the image 'none.png': ")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), pytest.param("SIGTERM", 143, marks=pytest.mark.slow)]
)
def test_an_interrupted_command_is_started_again_and_does_the_rest(folder, name, code):
    for index in range(6):
        write_image(torch.rand(1, 3, 40, 60), f"photos/{index}.png")
    argv = [
        sys.executable,
        "-m",
        "pystyle",
        "stylize",
        *FOLDERS,
        *TINY[:-4],
        "--steps",
        "8",
        "--device",
        "cpu",
    ]
    with subprocess.Popen(
        argv,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(getattr(signal, name))
        rest = process.communicate(timeout=120)[1].splitlines()
    assert (process.returncode, " is painted in " in first) == (code, True)
    last = "pystyle: Interrupted. What is done stays in 'out'; the same command does the rest."
    assert [line for line in rest if " is painted in " not in line] == [last]
    assert not list(folder.glob("out/**/*.tmp"))
    lines = (folder / "out" / "manifest.jsonl").read_text().splitlines()
    done = [json.loads(line).get("output") for line in lines]
    before = {name: (folder / "out" / name).stat().st_mtime_ns for name in done if name}
    assert 1 <= len(before) < 8
    assert main(["stylize", *FOLDERS, *TINY[:-4], "--steps", "8", "--device", "cpu", "--quiet"]) == 0
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("out/*.png")}
    assert len(after) == 8
    assert before.items() <= after.items()


def test_files_that_are_no_images_are_named_and_the_exit_code_tells(folder, capsys):
    (folder / "photos" / "notes.txt").write_text("no image")
    assert batch() == 3
    assert "pystyle: notes.txt was left out: Neither its name nor its" in capsys.readouterr().err
    assert batch("--quiet") == 3
    assert capsys.readouterr().err.startswith("pystyle: error: A file was left out; the first is 'notes.txt'")
    assert batch("--json") == 3
    assert list(json.loads(capsys.readouterr().out)["left_out"]) == ["notes.txt"]
    (folder / "photos" / "bad.png").write_bytes(b"no image")
    assert batch("--quiet") == 1


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_a_batch_that_finds_nothing_fails(folder, capsys, options):
    for path in (folder / "photos").iterdir():
        path.unlink()
    (folder / "photos" / "notes.txt").write_text("no image")
    assert batch(*options) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "notes.txt" in lines[0]
    assert lines[-1] == (
        "pystyle: error: There is no image in 'photos' that can be read. Nothing was painted."
    )


def test_larger_images_are_painted_if_they_are_allowed(capsys):
    assert batch("--max-pixels", "2399") == 1
    assert "If you trust the file, pass `--max-pixels 2400`." in capsys.readouterr().err
    assert batch("--max-pixels", "2400", "--retry-failed") == 0


def test_a_batch_keeps_sizes():
    assert batch("--size", "original", "--steps", "1") == 0
    assert read_image("out/a.png").shape == (1, 3, 40, 60)
