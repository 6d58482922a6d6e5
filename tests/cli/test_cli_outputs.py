"""What a run writes: checked before the first step, and not lost if it cannot be written all the same."""

import json
import os
import shutil
from contextlib import contextmanager

import pytest
import torch

from pystyle.cli import main
from pystyle.images import read_image, split_alpha, write_image
from pystyle.runner import Preview

FILES = ["content.png", "style.png"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--steps", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for name in FILES:
        write_image(torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(0)), name)
    return tmp_path / "here"


@pytest.fixture
def no_run(monkeypatch):
    def never(*_, **__):
        raise AssertionError("the computation began")

    monkeypatch.setattr("pystyle.cli._painting.stylize", never)


def _error(capsys, options, code=2):
    assert main(["stylize", *FILES, *options]) == code
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("pystyle: error: ")
    return captured.err


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "x.png", "--save-config", "x.png"], "`--output` and `--save-config` are both 'x.png'"),
        (["-o", "x.png", "--save-config", "./x.png"], "are both 'x.png'"),
        (["-o", "x.png", "--save-config", "../here/X.PNG"], "are both"),
        (["-o", "x.png", "--save-config", "link/x.png"], "are both"),
        (["-o", "x.png", "--log", "l.csv", "--save-config", "l.csv"], "`--log` and `--save-config` are both"),
        (["-o", "x.png", "--save-every", "1", "--save-config", "x-00002.png"], "are both 'x-00002.png'"),
        (["-o", "x.png", "--checkpoint", "x.png"], "`--output` and `--checkpoint` are both 'x.png'"),
        (
            ["-o", "x.png", "--checkpoint", "x.png/run"],
            "`--checkpoint` lies in 'x.png', which is the",
        ),
        (
            ["-o", "content.png", "--overwrite"],
            "`--output` is the file 'content.png', which is read",
        ),
        (["-o", "../here/style.png", "--overwrite"], "(also called 'style.png')"),
        (
            ["-o", "symbolic.png", "--overwrite"],
            "`--output` is the file 'symbolic.png', which is read",
        ),
        (["-o", "hard.png", "--overwrite"], "`--output` is the file 'hard.png', which is read as well"),
        (["-o", "x.png", "--save-config", "content.png", "--overwrite"], "`--save-config` is the file"),
        (["-o", "m.png", "--mask", "m.png", "--overwrite"], "`--output` is the file 'm.png'"),
        (["-o", "i.png", "--init", "i.png", "--overwrite"], "`--output` is the file 'i.png'"),
        (["-o", "x.png", "--save-config", "w.pth", "--weights", "w.pth", "--overwrite"], "the file 'w.pth'"),
        (["-o", f"{'x' * 300}.png"], "File name too long"),
        (["-o", "\ud800.png"], "No file can have the name"),
        (["-o", "x\0.png"], "No file can have the name"),
        (["-o", "content.png/x.png"], "`--output` needs the folder 'content.png', which does not exist."),
        (["-o", "/proc/x.png"], "`--output` cannot be written to '/proc/x.png': "),
        (["-o", "x.png", "--log", "/proc/x.csv"], "`--log` cannot be written to '/proc/x.csv': "),
        (["-o", "x.png", "--checkpoint", "/proc/run"], "`--checkpoint` cannot be written to '/proc/run': "),
        (["-o", "x.png", "--save-config", "/proc/run"], "`--save-config` cannot be written to '/proc/run': "),
        (
            ["-o", "x.webp", "--size", "16000"],
            "at most 16383 pixels on a side, got 24000 x 16000",
        ),
        (
            ["-o", "x.jpg", "--pyramid", "128", "50000"],
            "at most 65500 pixels on a side, got 75000",
        ),
        (
            ["-o", "x.avif", "--size", "30000"],
            "at most 32768 pixels on a side, got 45000 x 30000",
        ),
    ],
)
def test_an_output_that_would_be_lost_is_refused_before_the_first_step(capsys, folder, options, message):
    (folder / "link").symlink_to(folder, target_is_directory=True)
    (folder / "symbolic.png").symlink_to(folder / "content.png")
    os.link(folder / "style.png", folder / "hard.png")
    for name in ("m.png", "i.png", "w.pth"):
        (folder / name).write_bytes(b"mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert message in _error(capsys, options)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.usefixtures("no_run")
def test_a_config_cannot_hold_names_that_are_no_text(capsys):
    name = os.fsdecode(b"caf\xe9.png")
    shutil.copy("style.png", name)
    assert main(["stylize", "content.png", name, "-o", "x.png", "--save-config", "x.toml"]) == 2
    assert "`--save-config` needs files whose names are text" in capsys.readouterr().err


@pytest.mark.usefixtures("_demo", "no_run")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "/proc/x.png"], "`--output` cannot be written to '/proc/x.png'"),
        (["-o", "x.webp", "--size", "6000"], "WEBP must have at most 16383 pixels on a side"),
    ],
)
def test_the_demo_checks_its_output_as_well(capsys, options, message):
    assert main(["demo", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_name_whose_bytes_are_no_letters_is_an_output_like_any_other():
    name = os.fsdecode(b"caf\xe9.png")
    assert main(["stylize", *FILES, "-o", name, *TINY, "--quiet"]) == 0
    assert read_image(name).shape == (1, 3, 32, 48)


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_picture_whose_folder_is_removed_meanwhile_is_written_elsewhere(capsys, folder, monkeypatch, extra):
    (folder / "out").mkdir()

    def remove(self, step):
        del self, step
        shutil.rmtree(folder / "out", ignore_errors=True)

    monkeypatch.setattr(Preview, "__call__", remove)
    options = ["-o", "out/x.png", "--save-every", "1", *TINY, "--quiet", *extra]
    assert main(["stylize", *FILES, *options]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("pystyle: error: The picture could not be written to 'out/x.png': ")
    assert f"The picture is in '{folder / 'x.png'}': 48 x 32 pixels, 2 steps" in captured.err
    assert captured.err.count("\n") == 1
    assert read_image(folder / "x.png").shape == (1, 3, 32, 48)
    if extra:
        assert json.loads(captured.out)["output"] == str(folder / "x.png")


def test_a_rescued_picture_is_as_transparent_as_the_photograph(folder, monkeypatch):
    alpha = torch.zeros(1, 1, 40, 60)
    alpha[..., 30:] = 1
    write_image(torch.rand(1, 3, 40, 60), "content.png", alpha=alpha)
    (folder / "out").mkdir()
    monkeypatch.setattr(Preview, "__call__", lambda *_: shutil.rmtree(folder / "out", ignore_errors=True))
    options = ["-o", "out/x.png", "--save-every", "1", *TINY, "--quiet"]
    assert main(["stylize", *FILES, *options]) == 1
    opacity = split_alpha(folder / "x.png")[1]
    assert float(opacity[..., :20].max()) == 0
    assert float(opacity[..., 28:].min()) == 1


def test_a_rescued_picture_replaces_nothing_and_may_go_home(capsys, folder, monkeypatch):
    def move(self, step):
        del self, step
        shutil.rmtree(folder, ignore_errors=True)

    (folder.parent / "home" / "x.png").write_bytes(b"mine")
    monkeypatch.setattr(Preview, "__call__", move)
    assert main(["stylize", *FILES, "-o", "x.png", "--save-every", "1", *TINY, "--quiet"]) == 1
    rescued = folder.parent / "home" / "x-2.png"
    assert f"The picture is in '{rescued}'" in capsys.readouterr().err
    assert read_image(rescued).shape == (1, 3, 32, 48)
    assert (folder.parent / "home" / "x.png").read_bytes() == b"mine"


def test_a_config_that_cannot_be_written_costs_no_picture(capsys, folder, monkeypatch):
    (folder / "out").mkdir()

    def remove(self, step):
        del self, step
        shutil.rmtree(folder / "out", ignore_errors=True)

    monkeypatch.setattr(Preview, "__call__", remove)
    options = ["-o", "x.png", "--save-config", "out/run.toml", "--save-every", "1", *TINY, "--quiet"]
    assert main(["stylize", *FILES, *options]) == 1
    error = capsys.readouterr().err
    assert "Cannot write the config" in error
    assert "The picture is in 'x.png': 48 x 32 pixels, 2 steps" in error
    assert read_image("x.png").shape == (1, 3, 32, 48)


def test_a_preview_that_cannot_be_written_costs_no_run_and_is_told(capsys, monkeypatch):
    write = write_image

    def full(image, path, **options):
        if "00001" in str(path):
            raise OSError(28, f"Cannot write the image '{path}': No space left on device")
        write(image, path, **options)

    monkeypatch.setattr("pystyle.runner._preview.write_image", full)
    assert main(["stylize", *FILES, "-o", "x.png", "--save-every", "1", *TINY, "--quiet"]) == 1
    error = capsys.readouterr().err
    assert "Cannot write the image '" in error
    assert "x-00001.png': No space left on device" in error
    assert "The picture is in 'x.png': 48 x 32 pixels, 2 steps" in error
    assert read_image("x-00002.png").shape == (1, 3, 32, 48)


@contextmanager
def small_files(size):
    """No file gets larger; Python ignores SIGXFSZ."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_run")
def test_a_limit_below_what_any_picture_takes_is_found_before_the_run(capsys):
    with small_files(4096):
        assert main(["stylize", *FILES, "-o", "x.png", "--size", "200"]) == 2
    assert "Cannot write the picture 'x.png': File too large" in capsys.readouterr().err


def test_a_picture_that_is_too_large_for_a_limit_is_written_with_some_loss(capsys, folder):
    with small_files(64 * 96 * 2):
        assert main(["stylize", *FILES, "-o", "x.bmp", *TINY, "--size", "64", "--quiet"]) == 1
    error = capsys.readouterr().err
    assert "The picture could not be written to 'x.bmp': " in error
    assert f"The picture is in '{folder / 'x.'}" in error
    assert read_image(next(iter(folder.glob("x.*")))).shape == (1, 3, 64, 96)
