"""`pystyle train`: a network of paintings in a file, whatever ends the training."""

import csv
import io
import json
import os
import signal
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.cli._train_inputs import styles_of
from pystyle.images import read_image, write_image
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pruned
from pystyle.runner import CSVLogger

TINY = [
    *("--encoder", "alexnet", "--weights", "none", "--device", "cpu", "--steps", "4"),
    *("--batch-size", "1", "--crop-size", "32"),
]
STYLE_SIZE = ["--style-size", "40"]
WIDTH = ["--width", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    generator = torch.Generator().manual_seed(0)
    for name in ("waves.png", "wheat.jpg", "photos/a.png", "photos/below/b.png", "paintings/c.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_image(torch.rand(1, 3, 40, 60, generator=generator), name)
    return tmp_path / "here"


@pytest.fixture
def default_signals():
    """The suite itself may run under `nohup`."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def at_step(patch, index, act):
    """Let the log of a step do something."""
    log = CSVLogger.__call__

    def logged(self, step):
        log(self, step)
        if step.index == index:
            act()

    patch.setattr(CSVLogger, "__call__", logged)


def train(*options, styles=("waves.png",)):
    width = () if "--start" in options else WIDTH
    size = () if "--any-style" in options else STYLE_SIZE
    command = ["train", *styles, "--contents", "photos", "-o", "out.safetensors", *TINY, *size, *width]
    return main([*command, *options])


def interrupt():
    raise KeyboardInterrupt


def test_a_network_learns_the_styles_of_files_by_their_names(capsys):
    styles = ["waves.png", "wheat.jpg"]
    assert train("--preview", "preview-{step}.png", "--preview-every", "2", styles=styles) == 0
    network = Stylizer.load("out.safetensors")
    assert isinstance(network, TransformNetwork)
    assert (network.styles, network.width) == (("waves", "wheat"), 1)
    assert network.card["styles"] == {"waves": "waves.png", "wheat": "wheat.jpg"}
    assert network.card["steps"] == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "images/s" in captured.err
    count = sum(parameter.numel() for parameter in network.parameters())
    place = (
        f"pystyle: The network is in 'out.safetensors': a TransformNetwork with {count:,} numbers, 4 steps"
    )
    assert captured.err.splitlines()[-1].startswith(place)
    # Contents in one row, what is painted of them in the other.
    assert read_image("preview-00002.png").shape[2] == 2 * 192 + 12
    assert Path("preview-00004.png").exists()


def test_one_object_tells_programs_about_the_training(capsys):
    assert train("--json", "--seed", "3", "--names", "sea", "--log", "log.jsonl") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = json.loads(captured.out)
    assert (facts["network"], facts["styles"], facts["steps"]) == ("TransformNetwork", ["sea"], 4)
    assert (facts["stop_reason"], facts["skipped"], facts["seed"]) == ("finished", 0, 3)
    assert facts["output"] == str(Path("out.safetensors").absolute())
    assert {name.partition(".")[0] for name in facts["terms"]} == {"content", "style", "smoothness"}
    assert facts["factors"]["style"] > 0
    rows = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["total"] == pytest.approx(facts["loss"])


def test_the_balance_of_style_and_content_grows_with_the_strength(capsys):
    factors = []
    for strength in ("1", "strong"):
        assert train("--json", "--steps", "1", "--strength", strength, "--overwrite") == 0
        factors.append(json.loads(capsys.readouterr().out)["factors"]["style"])
    assert factors[1] == pytest.approx(2 * factors[0])


def test_steadiness_is_a_loss_beside_the_others(capsys):
    assert train("--json", "--steady", "30") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["terms"]["steady.difference"] > 0
    assert Stylizer.load("out.safetensors").card["steady"] == 30
    assert train("--json", "--overwrite") == 0
    assert "steady.difference" not in json.loads(capsys.readouterr().out)["terms"]


def test_the_seed_decides_the_bytes():
    files = []
    for seed in ("1", "1", "2"):
        assert train("--quiet", "--overwrite", "--seed", seed) == 0
        weights = Stylizer.load("out.safetensors").state_dict().values()
        files.append(torch.cat([value.flatten() for value in weights]))
    assert torch.equal(files[0], files[1])
    assert not torch.equal(files[0], files[2])


@pytest.mark.slow
def test_a_network_for_any_style_is_trained_with_a_folder_of_paintings():
    options = ["--any-style", "--preview", "preview.png", "--preview-every", "4", "--quiet"]
    assert train(*options, styles=["paintings"]) == 0
    network = Stylizer.load("out.safetensors")
    assert isinstance(network, AnyStyleNetwork)
    assert (network.styles, network.card["styles"]) == ((), ["paintings"])
    # Content, style and picture.
    assert read_image("preview.png").shape[2] == 3 * 192 + 16


def test_a_network_for_any_style_may_learn_its_own_features(capsys):
    assert train("--any-style", "--features", "light", "--quiet", styles=["paintings"]) == 0
    assert Stylizer.load("out.safetensors").configuration["features"] == "light"
    for options, styles in ((["--any-style", "--start", "any-style"], ["paintings"]), ([], ["waves.png"])):
        assert train(*options, "--features", "light", "--overwrite", styles=styles) == 2
        assert "`--features` is for `--any-style` without `--start`" in capsys.readouterr().err


def test_a_network_for_any_style_goes_on_from_another():
    torch.manual_seed(1)
    AnyStyleNetwork(width=2).save("first.safetensors")
    options = ["--any-style", "--start", "first.safetensors", "--learning-rate", "1e-9", "--quiet"]
    assert train(*options, "--log", "log.csv", styles=["paintings"]) == 0
    first, last = Stylizer.load("first.safetensors"), Stylizer.load("out.safetensors")
    for name, value in first.state_dict().items():
        assert torch.allclose(last.state_dict()[name], value, atol=1e-6)
    assert last.card["started_from"] == "first.safetensors"
    # It paints already, so no step is one of identity, in which the style would not be compared.
    rows = Path("log.csv").read_text().splitlines()
    style = rows[0].split(",").index("style.relu1")
    assert all(float(row.split(",")[style]) > 0 for row in rows[1:])


def test_a_network_of_named_styles_goes_on_from_another_whatever_the_order():
    torch.manual_seed(1)
    pruned(TransformNetwork(width=4, styles=["wheat", "waves"]), 0.25).save("first.safetensors")
    options = [
        "--start",
        "first.safetensors",
        "--learning-rate",
        "1e-9",
        "--quiet",
        "--preview",
        "preview.png",
    ]
    assert train(*options, "--preview-every", "4", styles=["waves.png", "wheat.jpg"]) == 0
    first, last = Stylizer.load("first.safetensors"), Stylizer.load("out.safetensors")
    assert last.styles == ("wheat", "waves")
    assert last.configuration == first.configuration
    for name, value in first.state_dict().items():
        assert torch.allclose(last.state_dict()[name], value, atol=1e-6)
    assert last.card["started_from"] == "first.safetensors"
    assert last.card["styles"] == {"waves": "waves.png", "wheat": "wheat.jpg"}


def test_each_style_of_a_network_learns_from_the_painting_of_its_name():
    write_image(torch.zeros(1, 3, 40, 40), "night.png")
    write_image(torch.ones(1, 3, 40, 40), "day.png")
    options = Namespace(
        styles=["night.png", "day.png"],
        names=None,
        recipe=None,
        any_style=False,
        max_pixels=10_000,
        style_size=20,
    )
    day, night = styles_of(options, TransformNetwork(width=1, styles=["day", "night"]))
    assert (day.min(), night.max()) == (1, 0)


def test_what_a_training_cannot_go_on_from_is_refused(capsys):
    TransformNetwork(width=1, styles=["waves", "wheat"]).save("named.safetensors")
    AnyStyleNetwork(width=1).save("any.safetensors")
    both = ["waves.png", "wheat.jpg"]
    for name, options, styles, words in (
        ("named", ["--any-style"], ["paintings"], "must be a network for any style with `--any-style`, got"),
        ("any", [], both, "must be a TransformNetwork without `--any-style`, got"),
        ("named", WIDTH, both, "`--width` must be left out with `--start`"),
        (
            "named",
            [],
            ["waves.png"],
            "must be those of the styles of 'named.safetensors', waves, wheat, got waves.",
        ),
    ):
        assert train(*options, "--start", f"{name}.safetensors", styles=styles) == 2
        assert words in capsys.readouterr().err
    assert train("--any-style", "--start", "missing.safetensors", styles=["paintings"]) == 1
    assert "`--start` must be a file that can be read, got 'missing" in capsys.readouterr().err


def test_a_painting_comes_from_standard_input(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(Path("waves.png").read_bytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert train("--quiet", "--steps", "1", styles=["-"]) == 0
    assert Stylizer.load("out.safetensors").styles == ("style",)


def test_ctrl_c_saves_the_network_so_far(capsys, monkeypatch):
    at_step(monkeypatch, 2, interrupt)
    assert train("--quiet", "--log", "log.csv") == 130
    error = capsys.readouterr().err
    assert error.startswith("pystyle: Interrupted. The network so far is in 'out.safetensors': a Transform")
    assert "2 of 4 steps" in error
    assert error.count("\n") == 1
    assert Stylizer.load("out.safetensors").card["steps"] == 2


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("options", [[], ["--checkpoint", "run"]])
@pytest.mark.usefixtures("default_signals")
def test_a_signal_saves_the_network_so_far(capsys, monkeypatch, name, code, options):
    at_step(monkeypatch, 2, lambda: os.kill(os.getpid(), getattr(signal, name)))
    assert train("--quiet", "--log", "log.csv", *options) == code
    assert "Interrupted. The network so far is in 'out.safetensors'" in capsys.readouterr().err
    assert Stylizer.load("out.safetensors").styles == ("waves",)


def test_ctrl_c_before_the_first_step_writes_nothing(capsys, monkeypatch):
    monkeypatch.setattr("pystyle.cli._training.train", lambda *_, **__: interrupt())
    assert train() == 130
    assert capsys.readouterr().err == "pystyle: Interrupted; no network was written.\n"
    assert not Path("out.safetensors").exists()


def test_a_training_that_goes_on_ends_with_the_bytes_of_one_that_was_not_interrupted():
    assert train("--quiet", "--log", "whole.csv") == 0
    whole = Path("out.safetensors").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 3, interrupt)
        options = ["--quiet", "--checkpoint", "run", "--log", "log.csv", "--overwrite"]
        assert train(*options) == 130
    assert Path("out.safetensors").read_bytes() != whole
    assert train("--quiet", "--checkpoint", "run", "--log", "log.csv", "--resume") == 0
    assert Path("out.safetensors").read_bytes() == whole
    rows = list(csv.DictReader(Path("log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    # Once more: nothing is left to do, and the network is there again.
    Path("out.safetensors").unlink()
    assert train("--quiet", "--checkpoint", "run", "--log", "log.csv", "--resume") == 0
    assert Path("out.safetensors").read_bytes() == whole


def test_a_checkpoint_of_another_training_is_refused_with_what_differs(capsys):
    assert train("--quiet", "--steps", "1", "--checkpoint", "run") == 0
    assert train("--quiet", "--steps", "1", "--checkpoint", "run", "--overwrite") == 2
    assert "Go on with `--resume`" in capsys.readouterr().err
    options = ["--checkpoint", "run", "--resume", "--batch-size", "2", "--learning-rate", "0.01"]
    assert train("--quiet", "--steps", "1", *options) == 2
    error = capsys.readouterr().err
    assert "`--batch-size` was 1 and is 2" in error
    assert "`--learning-rate` was 0.001 and is 0.01" in error


def test_a_failure_during_the_training_saves_the_network_so_far(capsys, monkeypatch):
    def fail():
        raise RuntimeError("the device is gone")

    at_step(monkeypatch, 3, fail)
    assert train("--quiet", "--log", "log.csv") == 1
    error = capsys.readouterr().err
    assert "Unexpected RuntimeError: the device is gone." in error
    assert "The network so far is in 'out.safetensors': a TransformNetwork with" in error
    assert "3 of 4 steps" in error
    assert Stylizer.load("out.safetensors").card["steps"] == 3


def test_a_photograph_that_cannot_be_read_is_named(capsys):
    Path("photos/broken.png").write_bytes(b"no picture")
    assert train("--quiet") == 1
    assert "broken.png" in capsys.readouterr().err


def test_a_network_that_cannot_be_written_is_written_elsewhere(capsys, monkeypatch):
    save = Stylizer.save

    def full(self, path, **options):
        if Path(path).name == "out.safetensors":
            raise OSError(28, "No space left on device", str(path))
        save(self, path, **options)

    monkeypatch.setattr(Stylizer, "save", full)
    assert train("--quiet", "--steps", "1") == 1
    error = capsys.readouterr().err
    assert "No space left on device" in error
    place = Path("pystyle-rescued.safetensors").absolute()
    assert f"The network is in '{place}'" in error
    assert Stylizer.load(place).styles == ("waves",)


def test_a_training_that_diverges_says_so(capsys, monkeypatch):
    monkeypatch.setattr("pystyle.training._trainer._MOST_SKIPPED", 1)
    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", lambda *_: torch.tensor(torch.nan))
    assert train("--quiet") == 1
    error = capsys.readouterr().err
    assert "The training ended early: the loss or its gradient was not finite" in error
    assert "No network was written." in error
    assert not Path("out.safetensors").exists()


def test_a_saved_training_gives_the_same_network_again(folder):
    options = ["--quiet", "--steps", "2", "--layers", "relu1", "relu2", "--names", "sea,field"]
    assert train(*options, "--save-config", "run.toml", styles=["waves.png", "wheat.jpg"]) == 0
    os.chdir(folder.parent)
    assert main(["train", "--config", "here/run.toml", "-o", "again.safetensors", "--quiet"]) == 0
    assert Path("again.safetensors").read_bytes() == Path("here/out.safetensors").read_bytes()
    assert main(["train", "--config", "here/run.toml", "-o", "other.safetensors", "--steps", "1"]) == 0
    assert Stylizer.load("other.safetensors").styles == ("sea", "field")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out.png"], "The extension of `--output` must be .safetensors, got 'out.png'."),
        (["-o", "none/n.safetensors"], "`--output` needs the folder 'none', which does not exist."),
        (["--contents", "none"], "`--contents` must be a folder with images, got 'none', which is none."),
        (["--contents", "."], "is the file 'photos/a.png', which is read as well"),
        (["--contents", "empty"], "`--contents` must have images in it, got 'empty'"),
        (["--names", "a,b"], "`--names` must have one name for each of the 1 styles, got 'a, b'."),
        (["--any-style"], "`--any-style` needs a folder of paintings for STYLE, got 'waves.png'."),
        (["--preview", "p.txt"], "The extension of `--preview` must be one of png"),
        (["--preview", "waves.png", "--overwrite"], "is the file 'waves.png', which is read as well"),
        (["--preview", "log.csv"], "The extension of `--preview`"),
        (["--log", "log.txt"], "`--log` must end in .csv or .jsonl, got 'log.txt'."),
        (["--resume"], "`--resume` needs the folder of the checkpoints."),
        (["--checkpoint-every", "5"], "`--checkpoint-every` needs the folder of the checkpoints."),
        (["--preview-every", "5"], "`--preview-every` needs the file of the previews. Name it with"),
        (["--crop-size", "30"], "`--crop-size` must be a multiple of 4 and at least 16"),
        (["--crop-size", "16"], "A content at this `--crop-size` must be at least"),
        (["--style-size", "8"], "STYLE must have sides of at least 16 pixels"),
        (["--any-style", "--style-size", "40"], "`--style-size` must be left out with `--any-style`"),
        (["--layers", "relu9"], "`--layers` must be"),
        (["--content-layer", "relu9"], "`--content-layer` must be one of"),
        (["--width", "0"], "`--width` must be an integer of at least 1, got '0'."),
        (["--steps", "0"], "`--steps` must be an integer of at least 1, got '0'."),
        (["--learning-rate", "0"], "`--learning-rate` must be a number greater than 0, got '0'."),
        (["--steady", "-1"], "`--steady` must be a number of at least 0, got '-1'."),
        (["--size", "3"], "There is no option '--size'."),
    ],
)
def test_a_wrong_command_line_is_explained_in_one_line(capsys, options, message):
    Path("empty").mkdir()
    if options == ["--contents", "."]:
        options = [*options, "--preview", "photos/a.png", "--overwrite"]
    assert train(*options) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pystyle: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not Path("out.safetensors").exists()


def test_two_styles_of_one_name_need_other_names(capsys):
    Path("more").mkdir()
    Path("waves.png").rename("more/wheat.png")
    assert train(styles=["wheat.jpg", "more/wheat.png"]) == 2
    assert "Each style needs a name of its own, got 'wheat' twice. Add `--names`." in capsys.readouterr().err
    assert train(styles=["paintings"]) == 2
    assert "STYLE must be a painting, got the folder 'paintings'." in capsys.readouterr().err


def test_files_that_exist_are_only_replaced_with_overwrite(capsys):
    for name in ("out.safetensors", "preview.png"):
        Path(name).write_text("mine")
        assert train("--preview", "preview.png") == 2
        assert f"The file '{name}' exists already." in capsys.readouterr().err
        Path(name).rename("away")
