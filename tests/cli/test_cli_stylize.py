"""What `pystyle stylize` passes on, computes and writes."""

import csv
import inspect
import io
import json
import random

import numpy as np
import pytest
import torch

import pystyle
from pystyle.cli import main
from pystyle.evaluation import fastest_precision
from pystyle.images import read_image, write_image
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels

FILES = ["content.png", "style.png"]
TINY = ["--encoder", "alexnet", "--weights", "none", "--size", "32", "--steps", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(pictures):
    return pictures


def _stylize(*options):
    return main(["stylize", *FILES, "-o", "out.png", *options])


def test_without_options_the_defaults_of_stylize_are_used(calls):
    assert _stylize() == 0
    parameters = inspect.signature(pystyle.stylize).parameters
    for name, value in calls[0].items():
        if name not in ("content", "style", "callbacks"):
            assert value == parameters[name].default, name
    assert torch.equal(calls[0]["content"], read_image("content.png"))
    assert torch.equal(calls[0]["style"][0], read_image("style.png"))


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (["--size", "77"], "edge_size", 77),
        (["--size", "77px"], "edge_size", 77),
        (["--size", "77 PX"], "edge_size", 77),
        (["--size", "77.0"], "edge_size", 77),
        (["--size", "original"], "edge_size", "original"),
        (["--pyramid", "128px", "256px"], "edge_size", [128, 256]),
        (["--memory", "2"], "memory_budget", 2**31),
        (["--memory", "4GB"], "memory_budget", 4 * 10**9),
        (["--memory", "4 GiB"], "memory_budget", 2**32),
        (["--memory", "512M"], "memory_budget", 2**29),
        (["--tile", "36 rows"], "tile", 36),
        (["--strength", "2.5"], "strength", 2.5),
        (["--strength", "strong"], "strength", "strong"),
        (["--style-scale", "0.5"], "style_scale", 0.5),
        (["--colors", "luminance"], "colors", "luminance"),
        (["--style-weights", "3"], "style_weights", [3.0]),
        (["--steps", "9"], "num_steps", 9),
        (["--steps", "9,4"], "num_steps", [9, 4]),
        (["--pyramid", "128", "181", "256"], "edge_size", [128, 181, 256]),
        (["--pyramid=128,181"], "edge_size", [128, 181]),
        (["--loss", "relaxed-emd"], "style_loss", "relaxed-emd"),
        (["--layers", "relu1_1", "relu3_1"], "style_layers", ["relu1_1", "relu3_1"]),
        (["--layers=image,relu3_1"], "style_layers", ["image", "relu3_1"]),
        (["--layers=image, relu3_1"], "style_layers", ["image", "relu3_1"]),
        (["--parametrization", "pixels"], "parametrization", Pixels),
        (["--parametrization", "laplacian"], "parametrization", LaplacianPyramid),
        (["--parametrization", "fourier"], "parametrization", Fourier),
        (["--parametrization", "low-resolution"], "parametrization", LowResolution),
        (["--content-layer", "relu3_1"], "content_layer", "relu3_1"),
        (["--content-weight", "0.5"], "content_weight", 0.5),
        (["--smoothness-weight", "0"], "smoothness_weight", 0.0),
        (["--seed", "5"], "seed", 5),
        (["--device", "cpu"], "device", "cpu"),
        (["--init", "style_colours"], "init", "style_colours"),
        (["--optimizer", "adam"], "averaging", 0.97),
    ],
)
def test_an_option_reaches_the_argument_it_is_for(calls, options, name, value):
    assert _stylize(*options) == 0
    assert calls[0][name] == value


def test_the_default_optimizer_is_that_of_stylize(calls):
    assert _stylize("--optimizer", "lbfgs") == 0
    assert not {"optimizer", "averaging"} & set(calls[0])
    assert _stylize("--optimizer", "adam", "--overwrite") == 0
    assert calls[1]["optimizer"].func is torch.optim.Adam


def test_a_picture_to_start_from_gets_the_shape_of_the_content(calls):
    write_image(torch.zeros(1, 3, 10, 10), "start.png")
    assert _stylize("--init", "start.png") == 0
    assert calls[0]["init"].shape == (1, 3, 40, 60)


def test_the_encoder_is_that_of_the_options(calls):
    assert _stylize("--encoder", "alexnet", "--weights", "random") == 0
    assert "relu5" in calls[0]["encoder"].layers
    assert _stylize("--encoder", "vgg13_bn", "--weights", "none", "--pooling", "l2", "--overwrite") == 0
    assert "bn1_1" in calls[1]["encoder"].layers
    assert isinstance(calls[1]["encoder"].stages["pool1"], pystyle.encoders.ScaledL2Pool2d)


def test_a_pooling_alone_keeps_the_default_network_and_weights(calls):
    assert _stylize("--pooling", "average") == 0
    assert "relu5_4" in calls[0]["encoder"].layers
    assert isinstance(calls[0]["encoder"].stages["pool1"], pystyle.encoders.ScaledAveragePool2d)


def test_several_styles_are_blended_with_their_weights(calls):
    argv = ["stylize", *FILES, "other.png", "-o", "out.png", "--style-weights", "0.7,0.3"]
    assert main(argv) == 0
    assert len(calls[0]["style"]) == 2
    assert calls[0]["style_weights"] == [0.7, 0.3]


def test_a_run_writes_the_picture_and_says_so_on_stderr(capsys, folder):
    assert _stylize(*TINY) == 0
    captured = capsys.readouterr()
    assert read_image("out.png").shape == (1, 3, 32, 48)
    assert captured.out == ""
    assert "2/2" in captured.err
    assert " left, loss " in captured.err
    assert "pystyle: The picture is in 'out.png': 48 x 32 pixels, 2 steps in " in captured.err
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "other.png", "out.png"])


def test_the_picture_is_that_of_stylize(capsys):
    assert _stylize(*TINY, "--quiet") == 0
    encoder = pystyle.encoders.alexnet(weights=None, padding="replicate", ceil_mode=True)
    result = pystyle.stylize(*FILES, edge_size=32, num_steps=2, encoder=encoder, device="cpu")
    assert torch.equal(read_image("out.png"), pystyle.images.quantise(result.image))
    assert capsys.readouterr() == ("", "")


def test_json_tells_about_the_run(capsys, folder):
    assert _stylize(*TINY, "--seed", "4", "--json", "--optimizer", "lbfgs") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    facts = json.loads(captured.out)
    assert facts.pop("seconds") > 0
    terms = facts.pop("terms")
    assert facts.pop("loss") == pytest.approx(sum(terms.values()))
    assert {name.partition(".")[0] for name in terms} == {"content", "style", "smoothness"}
    assert facts == {
        "output": str(folder / "out.png"),
        "width": 48,
        "height": 32,
        "steps": 2,
        "stop_reason": "finished",
        "seed": 4,
        "device": "cpu",
        "precision": fastest_precision("cpu"),
        "version": pystyle.__version__,
    }


def test_previews_and_logs_are_written_beside_the_picture(folder):
    (folder / "sub").mkdir()
    argv = ["stylize", *FILES, "-o", "sub/out.jpg", *TINY, "--steps", "3", "--quiet", "--save-every", "2"]
    assert main([*argv, "--log", "log.csv"]) == 0
    assert sorted(path.name for path in (folder / "sub").iterdir()) == ["out-00002.jpg", "out.jpg"]
    rows = list(csv.DictReader((folder / "log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert main([*argv, "--log", "log.jsonl", "--overwrite"]) == 0
    lines = (folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]
    assert [json.loads(line)["total"] for line in lines] == [float(row["total"]) for row in rows]


def test_overwrite_replaces_the_picture(calls, folder):
    (folder / "out.png").write_text("old")
    assert _stylize("--overwrite") == 0
    assert torch.equal(read_image("out.png"), calls[0]["content"])


@pytest.mark.usefixtures("calls")
def test_quality_and_bits_reach_the_file(folder):
    for quality in ("10", "95"):
        assert main(["stylize", *FILES, "-o", f"{quality}.jpg", "--quality", quality]) == 0
    assert (folder / "10.jpg").stat().st_size < (folder / "95.jpg").stat().st_size
    assert _stylize("--bits", "16") == 0
    assert (folder / "out.png").read_bytes()[24] == 16  # the bit depth in the header


@pytest.mark.parametrize("argv", [["-", "style.png"], ["style.png", "-"], ["style.png", "other.png", "-"]])
def test_any_one_picture_can_come_from_standard_input(calls, folder, monkeypatch, argv):
    stream = io.TextIOWrapper(io.BytesIO((folder / "content.png").read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert main(["stylize", *argv, "-o", "out.png"]) == 0
    pictures = [calls[0]["content"], *calls[0]["style"]]
    assert torch.equal(pictures[argv.index("-")], read_image("content.png"))


@pytest.mark.parametrize("bits", [8, 16])
def test_standard_output_gets_the_picture_and_nothing_else(calls, capsysbinary, bits):
    assert main(["stylize", *FILES, "-o", "-", "--bits", str(bits)]) == 0
    captured = capsysbinary.readouterr()
    assert torch.equal(read_image(io.BytesIO(captured.out)), calls[0]["content"])
    assert captured.out[24] == bits
    assert captured.out.endswith(b"IEND\xaeB`\x82")
    assert b"The picture is in standard output" in captured.err


def test_random_states_and_settings_of_the_caller_stay():
    before = _state()
    assert _stylize(*TINY, "--quiet", "--init", "uniform") == 0
    assert _state() == before


def _state():
    return (
        torch.get_rng_state().tolist(),
        random.getstate(),
        str(np.random.get_state()),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.get_float32_matmul_precision(),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "1,2"], "`--steps` must be one number or one for each of 1 levels, got (1, 2)."),
        (
            ["--pyramid", "64", "48"],
            "`--pyramid` must be positive and grow from level to level, got (64, 48).",
        ),
        (["--layers", "relu9"], "`--layers` must be some of conv1, relu1, "),
        (["--loss", "mrf", "--tile", "16"], "MRFLoss at 'relu3' needs all positions at once"),
    ],
)
def test_what_only_the_run_can_know_is_said_in_the_words_of_the_command_line(
    capsys, folder, options, message
):
    assert (
        _stylize("--encoder", "alexnet", "--weights", "none", "--size", "32", "--device", "cpu", *options)
        == 2
    )
    assert message in capsys.readouterr().err
    assert not (folder / "out.png").exists()


def test_previews_of_all_steps_of_all_sizes_are_checked(capsys, folder):
    (folder / "out-00003.png").touch()
    assert _stylize(*TINY, "--steps", "2,1", "--pyramid", "32", "40", "--save-every", "3") == 2
    assert "out-00003.png" in capsys.readouterr().err


def test_a_run_with_another_loss_and_sizes_of_its_own_writes_a_picture():
    options = ["--loss", "histogram", "--layers=relu1,relu2", "--parametrization", "laplacian", "--json"]
    assert _stylize(*TINY, "--pyramid", "32", "40", "--steps", "2,1", *options) == 0
    assert read_image("out.png").shape == (1, 3, 40, 60)
