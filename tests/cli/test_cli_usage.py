"""Command lines that cannot be carried out: one line on stderr, exit code 2, nothing computed."""

import io

import pytest
import torch

from pystyle.cli import main
from pystyle.images import write_image

FILES = ["content.png", "style.png"]


@pytest.fixture(autouse=True)
def _pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        write_image(torch.rand(1, 3, 32, 40), name)
    monkeypatch.setattr("pystyle.cli._painting.stylize", _never)


def _never(*_, **__):
    raise AssertionError("the computation began")


def _error(capsys, argv, code=2):
    assert main(argv) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("pystyle: error: ")
    return captured.err.removeprefix("pystyle: error: ").rstrip("\n")


def _stylize_error(capsys, *options, code=2):
    return _error(capsys, ["stylize", *FILES, "-o", "out.png", *options], code)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "0"], "`--size` must be an integer of at least 1, got '0'."),
        (["--size", "big"], "`--size` must be an integer of at least 1, got 'big'."),
        (["--steps", "0"], "`--steps` must be an integer of at least 1, got '0'."),
        (["--steps", "1.5"], "`--steps` must be an integer of at least 1, got '1.5'."),
        (
            ["--strength", "-1"],
            "greater than 0 or one of subtle, balanced, strong, got '-1'.",
        ),
        (
            ["--strength", "nan"],
            "greater than 0 or one of subtle, balanced, strong, got 'nan'.",
        ),
        (["--style-scale", "inf"], "`--style-scale` must be a number greater than 0, got 'inf'."),
        (
            ["--style-weights", "1,2"],
            "`--style-weights` must have one weight for each of the 1 styles, got 2.",
        ),
        (["--style-weights", "0"], "`--style-weights` must be numbers between commas"),
        (["--style-weights", "1;2"], "`--style-weights` must be numbers between commas"),
        (["--seed", "-3"], "`--seed` must be an integer from 0 to 9223372036854775807, got '-3'."),
        (["--device", "gpu"], "`--device` must be a device such as"),
        (["--device", "cud"], "Did you mean 'cuda'?"),
        (["--device", "meta"], "`--device` must be a device of this machine, got 'meta': "),
        (["--device", "cpu:3"], "`--device` must be a device of this machine, got 'cpu:3': torch finds "),
        (["--device", "nonsense:0"], "`--device` must be a device such as"),
        (["--size", "640x480"], "got '640x480'. Name the short edge alone: 480."),
        (["--size", "512em"], "`--size` must be an integer of at least 1, got '512em'."),
        (
            ["--size", "orginal"],
            "of at least 1, got 'orginal'. Did you mean 'original'?",
        ),
        (["--strength", "1,5"], "got '1,5'. Write a point for the comma."),
        (["--strength", "stong"], "got 'stong'. Did you mean 'strong'?"),
        (["--memory", "4 apples"], "must be a number greater than 0, such as 5 or 5gb, got '4 apples'."),
        (["--memory=-4GB"], "`--memory` must be a number greater than 0"),
        (
            ["--max-pixels", "many"],
            "must be a number greater than 0, such as 5 or 5mp, got 'many'",
        ),
        (["--checkpoint-every", "soon"], "`--checkpoint-every` must be a number greater than 0"),
        (
            ["--checkpoint-every", "5min"],
            "`--checkpoint-every` needs the folder of the checkpoints. Name it with `--checkpoint`.",
        ),
        (["--memory", "4GB", "--tile", "16"], "`--memory` is for `--tile auto`"),
        (["--init", "contnet"], "or a file, got 'contnet'. Did you mean 'content'?"),
        (
            ["--optimizer", "adma"],
            "`--optimizer` must be one of lbfgs, adam, got 'adma'. Did you mean 'adam'?",
        ),
        (["--loss", "gramm"], "`--loss` must be one of wasserstein, gram, "),
        (["--loss", "gramm"], "got 'gramm'. Did you mean 'gram'?"),
        (["--wrap", "sideways"], "`--wrap` must be one of both, horizontal, got 'sideways'."),
        (["--parametrization", "fourrier"], "got 'fourrier'. Did you mean 'fourier'?"),
        (["--pyramid", "64", "0"], "`--pyramid` must be an integer of at least 1, got '0'."),
        (["--pyramid"], "Argument --pyramid: expected at least one argument."),
        (["--steps", "3,x"], "`--steps` must be an integer of at least 1, got 'x'."),
        (
            ["--save-config", "none/run.toml"],
            "`--save-config` needs the folder 'none', which does not exist.",
        ),
        (["--save-every", "0"], "`--save-every` must be an integer of at least 1, got '0'."),
        (["--log", "log.txt"], "`--log` must end in .csv or .jsonl, got 'log.txt'."),
        (["--log", "none/log.csv"], "`--log` needs the folder 'none', which does not exist."),
        (["--encoder", "vgg20"], "got 'vgg20'. Did you mean 'vgg"),
        (["--weights", "cafe"], "got 'cafe'. Did you mean 'caffe'?"),
        (["--encoder", "vgg16", "--weights", "caffe"], "`--weights` = 'caffe' exists for vgg19 only"),
        (["--pooling", "avrage"], "`--pooling` must be one of max, average, l2, got 'avrage'. Did you mean"),
        (["--quality", "101"], "`--quality` must be an integer from 1 to 100, got '101'."),
        (["--bits", "12"], "`--bits` must be one of 8, 16, got '12'."),
        (["--sizes", "3"], "There is no option '--sizes'. Did you mean '--size'?"),
        (["--strenght=3"], "There is no option '--strenght'. Did you mean '--strength'?"),
        (["--workrs"], "There is no option '--workrs'. Did you mean '--workers'?"),
        (["--siz", "3"], "There is no option '--siz'. Did you mean '--size'?"),
        (["--size"], "Argument --size: expected one argument. Try 'pystyle stylize --help'."),
    ],
)
def test_a_wrong_option_is_explained_in_one_line(capsys, options, message):
    assert message in _stylize_error(capsys, *options)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["stylise"],
            "must be one of stylize, train, paint, texture, video, live, serve, export, compress, judge, "
            "demo, info, bench, got 'stylise'. Did you mean 'stylize'?",
        ),
        (["inof"], "Did you mean 'info'?"),
        (["--verison"], "There is no option '--verison'. Did you mean '--version'?"),
        (["stylize"], "The following arguments are required: CONTENT, STYLE, -o/--output."),
        (["stylize", "content.png", "-o", "out.png"], "The following arguments are required: STYLE."),
        (["info", "now"], "The argument 'now' is one too many where it stands."),
        (["stylize", *FILES, "-o", "out.png", "style.png"], "The argument 'style.png' is one too many"),
        (
            ["compress", "masters", "-o", "o.onnx", "--content", "c.png", "--style", "s.png", "--int"],
            "There is no option '--int'. Did you mean '--int8'?",
        ),
        (["demo", "--stpes", "3"], "There is no option '--stpes'. Did you mean '--steps'?"),
    ],
)
def test_a_wrong_command_line_is_explained_in_one_line(capsys, argv, message):
    assert message in _error(capsys, argv)


@pytest.mark.parametrize("name", ["mps", "xpu", "cuda", "cuda:7"])
def test_a_device_that_is_not_here_is_named_in_one_line_with_those_that_are(capsys, monkeypatch, name):
    monkeypatch.setattr("torch.accelerator.current_accelerator", lambda **_: None)
    message = _stylize_error(capsys, "--device", name)
    assert message == (f"`--device` must be a device of this machine, got {name!r}: torch finds cpu here.")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["-o", "o.png", "--layers", "relu1_1", "relu2_1", *FILES],
            "`--layers` took 'content.png', 'style.png' as well, since it takes all that follows it. Name "
            "the pictures before it, or write `--layers=relu1_1,relu2_1`.",
        ),
        (["--pyramid", "128", "256", *FILES, "-o", "o.png"], "or write `--pyramid=128,256`."),
        (["-o", "o.png", "--mask", "m.png", *FILES], "`--mask` took 'content.png', 'style.png' as well"),
        (["-o", "o.png", "--mask", "m.png", *FILES], "or write `--mask=m.png`."),
        (["-o", "o.png", "content.png", "--layers", "a", "style.png"], "`--layers` took 'style.png' as well"),
        (["-o", "o.png", "--layers", "a", "-", "style.png"], "`--layers` took '-', 'style.png' as well"),
        (["content.png", "--mask", "m.png", "-o", "o.png"], "`--mask` took 'm.png', since"),
        (
            [*FILES, "-o", "o.png", "--layers", "relu1_1", "m.png"],
            "`--layers` took the file 'm.png' for",
        ),
    ],
)
def test_what_swallowed_the_pictures_is_named(capsys, tmp_path, argv, message):
    (tmp_path / "m.png").write_bytes(b"")
    assert message in _error(capsys, ["stylize", *argv])


@pytest.mark.parametrize(
    "argv",
    [
        ["content.png", "--style", "style.png", "-o", "o.png"],
        ["content.png", "--style=style.png", "-o", "o.png"],
        ["--style", "style.png", "content.png", "-o", "o.png"],
        ["content.png", "--mask", "style.png", "-o", "o.png"],
    ],
)
def test_what_an_error_advises_is_not_refused_again(capsys, argv):
    error = _error(capsys, ["stylize", *argv])
    assert "write `" not in error
    is_style = any(argument.startswith("--style") for argument in argv)
    assert ("stands behind the photograph, with no option: `pystyle stylize" in error) == is_style


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("out.pgn", "The extension of `--output` must be one of png, jpg"),
        ("out", "The extension of `--output` must be one of png, jpg"),
        ("none/out.png", "`--output` needs the folder 'none', which does not exist. Create it first."),
        ("folder.png", "`--output` must be a file, got the folder 'folder.png'."),
        ("style.png", "The file 'style.png' exists already. Choose another name or add `--overwrite`."),
    ],
)
def test_an_impossible_output_is_refused_before_the_computation(capsys, tmp_path, output, message):
    (tmp_path / "folder.png").mkdir()
    assert message in _error(capsys, ["stylize", *FILES, "-o", output])


def test_sixteen_bits_are_refused_for_other_formats_than_png(capsys):
    message = _error(capsys, ["stylize", *FILES, "-o", "out.jpg", "--bits", "16"])
    assert "`--bits 16` needs the format PNG, got JPEG." in message


def test_logs_and_previews_are_not_overwritten_either(capsys, tmp_path):
    for name in ("log.csv", "out-00004.png"):
        (tmp_path / name).write_text("mine")
    assert "'log.csv' exists already" in _stylize_error(capsys, "--log", "log.csv")
    assert "'out-00004.png' exists already" in _stylize_error(capsys, "--save-every", "2", "--steps", "5")
    assert (tmp_path / "log.csv").read_text() == "mine"


def test_a_preview_needs_a_name_without_a_step(capsys):
    message = _error(capsys, ["stylize", *FILES, "-o", "{step}.png", "--save-every", "5"])
    assert "`--save-every` needs an output without '{step}' in its name" in message


@pytest.mark.parametrize("options", [["--json"], ["--save-every", "1"]])
def test_standard_output_is_for_the_picture_alone(capsys, options):
    assert "`--output -` leaves no place" in _error(capsys, ["stylize", *FILES, "-o", "-", *options])


def test_terminals_neither_give_nor_take_pictures(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", _Terminal())
    message = _error(capsys, ["stylize", "-", "style.png", "-o", "out.png"])
    assert message == "'-' reads a picture from standard input, which is a terminal. Redirect a file to it."
    monkeypatch.setattr("sys.stdout", _Terminal())
    assert main(["stylize", *FILES, "-o", "-"]) == 2
    assert "standard output, which is a terminal" in capsys.readouterr().err


def test_only_one_picture_comes_from_standard_input(capsys):
    message = _error(capsys, ["stylize", "-", "style.png", "-", "-o", "out.png"])
    assert message == "Only one picture can come from standard input, got '-' 2 times."


def test_unreadable_pictures_are_failures_and_not_usage_errors(capsys, tmp_path, monkeypatch):
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    for name in ("missing.png", "damaged.png"):
        assert f"'{name}'" in _error(capsys, ["stylize", "content.png", name, "-o", "out.png"], code=1)
    assert "'missing.png'" in _stylize_error(capsys, "--init", "missing.png", code=1)
    for content, message in (
        (b"", "standard input: it is empty"),
        (b"no picture", "Cannot read standard input"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert message in _error(capsys, ["stylize", "-", "style.png", "-o", "out.png"], code=1)


def test_missing_weights_are_failures_and_not_usage_errors(capsys):
    assert "`missing.pth` is missing" in _stylize_error(capsys, "--weights", "missing.pth", code=1)


def test_a_line_break_in_a_name_does_not_break_the_line(capsys):
    assert "two names\\x1b" in _error(
        capsys, ["stylize", "two\nnames\x1b", "style.png", "-o", "out.png"], code=1
    )


def test_pystyle_alone_prints_its_help(capsys):
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: pystyle")
    assert "exit codes:" in captured.err


@pytest.mark.parametrize("argv", [["--help"], ["stylize", "--help"], ["demo", "-h"], ["info", "-h"]])
def test_help_goes_to_standard_output(capsys, argv):
    assert main(argv) == 0
    assert capsys.readouterr().out.startswith("usage: pystyle")


@pytest.mark.parametrize("width", [80, 133])
def test_the_width_of_the_terminal_makes_no_options(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    message = _error(capsys, ["train", *FILES, "--contents", ".", "--any-"])
    assert "There is no option '--any-'. Did you mean '--any-style'?" in message


class _Terminal(io.StringIO):
    def isatty(self):
        return True
