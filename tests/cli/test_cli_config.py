"""`--config` and `--save-config`: a whole run in a file, and again from it."""

import inspect
import tomllib
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.images import write_image
from pystyle.parametrizations import Fourier

TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--steps", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    for name in ("content.png", "style.png", "other.png", "third.png"):
        write_image(torch.rand(1, 3, 40, 60, generator=generator), name)
    return tmp_path


def write(text: str, path: str = "run.toml") -> None:
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def _error(capsys, *argv):
    assert main(["stylize", *argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err.removeprefix("pystyle: error: ").rstrip("\n")


def test_a_saved_run_gives_the_same_picture_again():
    options = ["--init", "uniform", "--loss", "sliced-wasserstein", "--layers", "relu1", "image", "--quiet"]
    files = ["content.png", "style.png", "other.png", "--style-weights", "2,1", "-o", "out.png"]
    assert main(["stylize", *files, *TINY, *options, "--save-config", "run.toml"]) == 0
    assert main(["stylize", "--config", "run.toml", "-o", "again.png", "--quiet"]) == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()
    # The seed is what makes them the same.
    assert main(["stylize", "--config", "run.toml", "-o", "third.png", "--seed", "1", "--overwrite"]) == 0
    assert Path("third.png").read_bytes() != Path("out.png").read_bytes()


def test_a_saved_run_with_sizes_of_its_own_gives_the_same_picture_again():
    options = ["--pyramid", "24", "32", "--steps", "2,1", "--parametrization", "fourier", "--seed", "3"]
    tiny = ["--encoder", "alexnet", "--weights", "none", "--device", "cpu", "--quiet"]
    assert (
        main(
            [
                "stylize",
                "content.png",
                "style.png",
                "-o",
                "out.png",
                *options,
                *tiny,
                "--save-config",
                "run.toml",
            ]
        )
        == 0
    )
    saved = tomllib.loads(Path("run.toml").read_text())
    assert saved["pyramid"] == [24, 32]
    assert saved["steps"] == [2, 1]
    assert saved["seed"] == 3
    assert main(["stylize", "--config", "run.toml", "-o", "again.png", "--quiet"]) == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_a_saved_file_has_every_option_that_was_used(calls):
    argv = ["stylize", "content.png", "style.png", "-o", "out.png", "--strength", "2", "--quiet"]
    assert main([*argv, "--save-config", "run.toml"]) == 0
    saved = tomllib.loads(Path("run.toml").read_text())
    seed = saved.pop("seed")
    assert isinstance(seed, int)
    assert calls[0]["seed"] == seed
    assert saved == {
        "content": "content.png",
        "style": ["style.png"],
        "output": "out.png",
        "size": 512,
        "strength": 2.0,
        "steps": "standard",
        "loss": "wasserstein",
        "style-scale": 1.0,
        "content-weight": 1.0,
        "smoothness-weight": 6.0,
        "colors": "style",
        "init": "recoloured",
        "optimizer": "lbfgs",
        "parametrization": "pixels",
        "precision": "auto",
        "tile": "auto",
        "quality": inspect.signature(write_image).parameters["quality"].default,
        "bits": 8,
        "keep-metadata": False,
        "max-pixels": 89_478_485,
    }


def test_options_of_a_file_reach_stylize_and_those_of_the_command_line_win(calls):
    write(
        """
        content = "content.png"
        style = ["style.png", "other.png"]
        output = "out.png"
        size = 77
        strength = 2.5
        style-weights = [3, 1]
        steps = [9]
        parametrization = "fourier"
        layers = ["relu1_1", "relu3_1"]
        quiet = true
        json = false
        """
    )
    assert main(["stylize", "--config", "run.toml", "--strength", "4"]) == 0
    call = calls[0]
    assert (call["edge_size"], call["strength"], call["num_steps"]) == (77, 4.0, 9)
    assert call["style_weights"] == [3.0, 1.0]
    assert call["style_layers"] == ["relu1_1", "relu3_1"]
    assert call["parametrization"] is Fourier
    assert len(call["style"]) == 2
    assert len(call["callbacks"]) == 1  # No progress bar.
    assert Path("out.png").exists()


@pytest.mark.parametrize(
    ("text", "argv", "expected"),
    [
        ("pyramid = [20, 30]", ["--size", "64"], 64),
        ("size = 64", ["--pyramid", "20", "30"], [20, 30]),
        ("size = 64", ["--pyramid=20,30"], [20, 30]),
        ('device = "nonsense"\nsize = 64', ["--device", "cpu"], 64),
    ],
)
def test_an_option_replaces_what_the_file_says_about_the_same(calls, text, argv, expected):
    write(text)
    assert main(["stylize", "content.png", "style.png", "-o", "out.png", "--config=run.toml", *argv]) == 0
    assert calls[0]["edge_size"] == expected


def test_files_of_the_command_line_replace_those_of_the_file(calls):
    write('content = "content.png"\nstyle = "style.png"\noutput = "out.png"')
    assert main(["stylize", "other.png", "--config", "run.toml"]) == 0
    assert (
        main(["stylize", "other.png", "third.png", "content.png", "--config", "run.toml", "-obest.png"]) == 0
    )
    assert [len(call["style"]) for call in calls] == [1, 2]
    assert Path("out.png").exists()
    assert Path("best.png").exists()
    write('style = ["style.png"]\noutput = "out.png"')
    assert main(["stylize", "other.png", "--config", "run.toml", "--overwrite"]) == 0
    assert torch.equal(calls[2]["content"], calls[0]["content"])
    assert torch.equal(calls[2]["style"][0], calls[0]["style"][0])


def test_paths_are_relative_to_the_folder_of_the_file(calls):
    write(
        'content = "../content.png"\nstyle = ["../style.png"]\noutput = "out.png"\ninit = "../other.png"',
        "runs/run.toml",
    )
    assert main(["stylize", "--config", "runs/run.toml"]) == 0
    assert Path("runs/out.png").exists()
    assert calls[0]["init"].shape == calls[0]["content"].shape


def test_paths_are_saved_relative_to_the_folder_of_the_file(calls, folder):
    Path("runs").mkdir()
    argv = [
        "stylize",
        "content.png",
        str(folder / "style.png"),
        "-o",
        "runs/out.png",
        "--init",
        "./other.png",
    ]
    assert main([*argv, "--save-config", "runs/run.toml"]) == 0
    saved = tomllib.loads(Path("runs/run.toml").read_text())
    assert [Path(saved[key]) for key in ("content", "output", "init")] == [
        Path("../content.png"), Path("out.png"), Path("../other.png"),
    ]  # fmt: skip
    assert [Path(path) for path in saved["style"]] == [Path("../style.png")]
    assert main(["stylize", "--config", "runs/run.toml", "-o", "again.png"]) == 0
    assert torch.equal(calls[0]["content"], calls[1]["content"])
    assert torch.equal(calls[0]["init"], calls[1]["init"])


def test_names_with_quotes_and_other_letters_come_back(calls):
    name = 'a "fine" \\ bild ünd 絵\x7f.png'
    Path("content.png").rename(name)
    assert main(["stylize", name, "style.png", "-o", "out.png", "--save-config", "run.toml"]) == 0
    assert tomllib.loads(Path("run.toml").read_text(encoding="utf-8"))["content"] == name
    assert main(["stylize", "--config", "run.toml", "--overwrite"]) == 0
    assert torch.equal(calls[0]["content"], calls[1]["content"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sizes = 3", "In 'run.toml' there is an option 'sizes', which does not exist. Did you mean 'size'?"),
        ("style_weights = [1]", "Did you mean 'style-weights'?"),
        ('config = "other.toml"', "there is an option 'config', which does not exist."),
        ('size = "big"', "In 'run.toml': `--size` must be an integer of at least 1, got 'big'."),
        ("size = [1, 2]", "In 'run.toml': `--size` must be an integer of at least 1, got '1,2'."),
        ("size = true", "the option 'size' must be a text, a number, or a list of them, got True."),
        (
            "[size]\nedge = 3",
            "the option 'size' must be a text, a number, or a list of them, got {'edge': 3}.",
        ),
        ("layers = []", "In 'run.toml' 'layers' must have one value, got 0."),
        ('quiet = "yes"', "the option 'quiet' must be true or false, got 'yes'."),
        ("content = 3", "'content' must be a path in quotes, got 3."),
        ('content = ["a.png", "b.png"]', "'content' must have one value, got 2."),
        ('loss = "gramm"', "In 'run.toml': `--loss` must be one of wasserstein, gram"),
        ("size = ", "`--config` must be a TOML file, got 'run.toml': "),
    ],
)
def test_a_file_that_makes_no_sense_is_explained_in_one_line(capsys, text, message):
    write(text)
    argv = ["content.png", "style.png", "-o", "out.png", "--config", "run.toml"]
    assert message in _error(capsys, *argv)


def test_bytes_that_are_no_text_are_explained(capsys):
    Path("run.toml").write_bytes(b"\xff\xfe\x00")
    assert "`--config` must be a TOML file" in _error(capsys, "--config", "run.toml")


def test_a_file_that_is_not_there_is_explained(capsys):
    message = _error(capsys, "content.png", "style.png", "-o", "out.png", "--config", "none.toml")
    assert message.startswith("`--config` must be a file that can be read, got 'none.toml': ")


def test_what_neither_the_file_nor_the_command_line_says_is_missing(capsys):
    write('content = "content.png"\noutput = "out.png"')
    assert "required: STYLE" in _error(capsys, "--config", "run.toml")
    write('content = "content.png"\nstyle = "style.png"')
    assert "required: -o/--output" in _error(capsys, "--config", "run.toml")
    assert "--config: expected one argument" in _error(capsys, "content.png", "style.png", "--config")


def test_a_file_that_exists_is_only_replaced_with_overwrite(capsys, calls):
    write("size = 3")
    argv = ["content.png", "style.png", "-o", "out.png", "--save-config", "run.toml"]
    assert "The file 'run.toml' exists already." in _error(capsys, *argv)
    assert calls == []
    assert main(["stylize", *argv, "--overwrite"]) == 0
    assert tomllib.loads(Path("run.toml").read_text())["size"] == 512
    assert "overwrite" not in tomllib.loads(Path("run.toml").read_text())


def test_pictures_from_standard_input_cannot_be_saved_for_later(capsys, monkeypatch):
    class NoTerminal:
        def isatty(self):
            return False

    monkeypatch.setattr("sys.stdin", NoTerminal())
    argv = ["-", "style.png", "-o", "out.png", "--save-config", "run.toml"]
    assert "`--save-config` needs pictures in files" in _error(capsys, *argv)


def test_a_run_without_a_file_to_save_draws_no_seed(calls):
    assert main(["stylize", "content.png", "style.png", "-o", "out.png"]) == 0
    assert calls[0]["seed"] is None
