"""`pystyle train --recipe`: a network of a folder of paintings, against a discriminator."""

import csv
import json
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from pystyle.cli import main
from pystyle.functional import differentiable_augmentation
from pystyle.images import read_image, write_image
from pystyle.networks import PatchDiscriminator, ResNetGenerator, Stylizer
from pystyle.runner import CSVLogger
from pystyle.training import ContrastTask, CycleTask

TINY = ["--width", "2", "--steps", "2", "--crop-size", "24", "--device", "cpu", "--precision", "float32"]
RECIPES = ["cut", "fastcut", "cyclegan"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    for name in ("photo.png", "photos/a.png", "photos/below/b.png", "monet/c.png", "monet/d.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_image(torch.rand(1, 3, 28, 40, generator=generator), name)
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """What `train` was given, which ends before its first step."""
    recorded = []

    def record(network, criterion, **arguments):
        recorded.append({"network": network, "criterion": criterion, **arguments})
        raise KeyboardInterrupt

    monkeypatch.setattr("pystyle.cli._training.train", record)
    return recorded


def train(*options, recipe="cut"):
    return main(["train", "--recipe", recipe, "--contents", "photos", *options])


def at_step(patch, index, act):
    """Let the log of a step do something."""
    log = CSVLogger.__call__

    def logged(self, step):
        log(self, step)
        if step.index == index:
            act()

    patch.setattr(CSVLogger, "__call__", logged)


def logged_losses():
    rows = csv.DictReader(Path("log.csv").read_text().splitlines())
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_network_of_a_folder_of_paintings_paints(capsys, recipe):
    assert train("monet/", "--log", "log.csv", *TINY, recipe=recipe) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert lines[0] == (
        "pystyle: The discriminator judges images with other colours, moved and cut, because 2 paintings are "
        "few: it would know fewer than 100 by heart."
    )
    place = "pystyle: The network is in 'network.safetensors': a ResNetGenerator with "
    assert lines[-1].startswith(place)
    card = Stylizer.load("network.safetensors").card
    assert (card["recipe"], card["paintings"], card["photographs"], card["steps"]) == (recipe, 2, 2, 2)
    assert (card["styles"], card["augmented"]) == ({"monet": "monet"}, True)
    assert "encoder" not in card
    accuracies = {name for name in Path("log.csv").read_text().splitlines()[0].split(",") if "accur" in name}
    back = {"cycle.adversarial.accuracy"} if recipe == "cyclegan" else set()
    assert accuracies == {"adversarial.accuracy"} | back
    network = ["--network", "network.safetensors", "--size", "original", "--device", "cpu", "--quiet"]
    assert main(["paint", "photo.png", "monet", *network, "-o", "named.png"]) == 0
    # It has one style, which need not be named.
    assert main(["paint", "photo.png", *network, "-o", "alone.png"]) == 0
    assert main(["paint", "photos", "monet", *network, "-o", "painted"]) == 0
    assert read_image("named.png").shape == (1, 3, 28, 40)
    assert torch.equal(read_image("named.png"), read_image("alone.png"))
    assert Path("painted/below/b.png").exists()


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_trained_is_that_of_the_paper_at_a_smaller_size(calls, recipe):
    assert train("monet", "--quiet", "--device", "cpu", recipe=recipe) == 130
    (call,) = calls
    network, judgement = call["network"], call["criterion"].losses["adversarial"]
    assert isinstance(network, ResNetGenerator)
    assert isinstance(judgement.discriminator, PatchDiscriminator)
    assert (network.width, network.num_blocks, network.styles) == (32, 9, ("monet",))
    assert (network.upsampling, network.border) == ("resize", "zeros")
    antialias = recipe != "cyclegan"
    assert (network.antialias, judgement.discriminator.antialias) == (antialias, antialias)
    assert judgement.discriminator.width == 32
    assert (call["num_steps"], call["batch_size"], call["crop_size"]) == (10_000, 1, 128)
    rates = {adversary.optimizer.keywords["lr"] for adversary in call["adversaries"].values()}
    assert rates == {call["optimizer"].keywords["lr"]} == {2e-4}
    assert call["optimizer"].keywords["betas"] == (0.5, 0.999)
    constant = 0.75 if recipe == "fastcut" else 0.5
    schedule = call["learning_rate"]
    assert [schedule(constant), schedule((1 + constant) / 2), schedule(1.0)] == pytest.approx([1.0, 0.5, 0.0])
    # The average of the weights is that of any other training.
    assert "averaging" not in call
    (task,) = call["tasks"].values()
    assert isinstance(task, CycleTask if recipe == "cyclegan" else ContrastTask)
    assert (task.weight, getattr(task, "flip", None)) == {
        "cut": (1.0, False),
        "fastcut": (10.0, True),
        "cyclegan": (1.0, None),
    }[recipe]


def test_options_replace_what_a_recipe_takes(calls):
    options = ["--width", "3", "--steps", "7", "--batch-size", "2", "--crop-size", "32", "--names", "claude"]
    assert train("--styles", "monet", *options, "--learning-rate", "1e-3", "--quiet") == 130
    (call,) = calls
    assert (call["network"].width, call["network"].styles) == (3, ("claude",))
    assert (call["num_steps"], call["batch_size"], call["crop_size"]) == (7, 2, 32)
    assert call["optimizer"].keywords["lr"] == 1e-3
    assert call["adversaries"]["adversarial"].optimizer.keywords["lr"] == 1e-3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_network_computes_in_the_precision_that_is_wanted(calls, precision):
    assert train("monet", "--quiet", "--device", "cpu", "--precision", precision) == 130
    assert calls[0]["autocast"] is (precision == "bfloat16")


def test_a_discriminator_of_a_hundred_paintings_sees_them_as_they_are(calls, capsys):
    painting = Path("monet/c.png").read_bytes()
    for index in range(97):
        Path(f"monet/{index}.png").write_bytes(painting)
    for augmentation in (differentiable_augmentation, None):
        assert train("monet") == 130
        assert calls[-1]["criterion"].losses["adversarial"].augmentation is augmentation
        assert ("because 99 paintings are few" in capsys.readouterr().err) is (augmentation is not None)
        Path("monet/hundredth.png").write_bytes(painting)


def test_the_seed_decides_the_bytes():
    files = []
    for seed in ("1", "1", "2"):
        assert train("monet", *TINY, "--steps", "1", "--quiet", "--overwrite", "--seed", seed) == 0
        weights = Stylizer.load("network.safetensors").state_dict().values()
        files.append(torch.cat([value.flatten() for value in weights]))
    assert torch.equal(files[0], files[1])
    assert not torch.equal(files[0], files[2])


def test_one_object_tells_programs_about_the_game(capsys):
    assert train("monet", *TINY, "--json", "--log", "log.jsonl", recipe="cyclegan") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = json.loads(captured.out)
    assert (facts["recipe"], facts["network"], facts["styles"]) == ("cyclegan", "ResNetGenerator", ["monet"])
    rows = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    names = ["adversarial", "cycle.adversarial"]
    assert facts["accuracy"] == {name: rows[-1][f"{name}.accuracy"] for name in names}
    assert facts["loss"] == pytest.approx(sum(facts["terms"].values())) == pytest.approx(rows[-1]["total"])
    losses = ["adversarial", "cycle", "cycle_back", "identity", "identity_back"]
    assert set(facts["terms"]) == {"adversarial.image", *(f"cycle.{name}" for name in losses)}


def test_a_game_that_goes_on_ends_with_the_bytes_of_one_that_was_not_interrupted(capsys):
    options = ["monet", *TINY, "--steps", "3", "--log", "log.csv"]
    assert train(*options, "--quiet", recipe="cyclegan") == 0
    whole, rows = Path("network.safetensors").read_bytes(), logged_losses()
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 2, interrupt)
        assert train(*options, "--json", "--checkpoint", "run", "--overwrite", recipe="cyclegan") == 130
    captured = capsys.readouterr()
    assert "Interrupted. The network so far is in 'network.safetensors': a ResNetGen" in captured.err
    facts = json.loads(captured.out)
    assert (facts["stop_reason"], facts["steps"], len(facts["accuracy"])) == ("interrupted", 2, 2)
    assert "adversarial.accuracy" not in facts["terms"]
    assert Path("network.safetensors").read_bytes() != whole
    assert train(*options, "--quiet", "--checkpoint", "run", "--resume", recipe="cyclegan") == 0
    assert Path("network.safetensors").read_bytes() == whole
    assert logged_losses() == rows
    assert [row["step"] for row in rows] == ["1", "2", "3"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_game_goes_on_from_what_a_kill_leaves_behind(recipe):
    options = ["monet", *TINY, "--steps", "3", "--log", "log.csv", "--quiet", "--checkpoint"]
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 3, lambda: shutil.copytree("run", "killed"))
        assert train(*options, "run", "--checkpoint-every", "1e-9", recipe=recipe) == 0
    whole, steps = Path("network.safetensors").read_bytes(), []
    Path("network.safetensors").unlink()
    with pytest.MonkeyPatch.context() as patch:
        for index in (1, 2, 3):
            at_step(patch, index, lambda index=index: steps.append(index))
        assert train(*options, "killed", "--resume", recipe=recipe) == 0
    assert steps == [3]
    assert Path("network.safetensors").read_bytes() == whole


def test_a_checkpoint_at_another_rate_is_refused_in_terms_of_options(capsys):
    options = ["monet", *TINY, "--steps", "1", "--checkpoint", "run", "--quiet"]
    assert train(*options) == 0
    assert train(*options, "--resume", "--learning-rate", "0.1") == 2
    assert (
        "`--learning-rate` was 0.0002 and is 0.1; that of a discriminator was 0.0002 and is 0.1."
        in capsys.readouterr().err
    )


def test_previews_show_photographs_and_what_is_painted_of_them():
    options = ["--preview", "preview-{step}.png", "--preview-every", "1", "--quiet"]
    assert train("monet", *TINY, *options) == 0
    assert read_image("preview-00001.png").shape == read_image("preview-00002.png").shape


def test_what_goes_wrong_with_a_game_is_said(capsys, monkeypatch):
    # At the first look, with numbers that any picture has.
    monkeypatch.setattr("pystyle.training._collapse._EVERY", 1)
    monkeypatch.setattr("pystyle.training._collapse._LEAST_LOOKS", 1)
    monkeypatch.setattr("pystyle.training._collapse._NEAR", 2.0)
    options = ["monet", *TINY, "--steps", "1", "--overwrite"]
    sentence = "Up to step 1: the pictures have nearly one colour. Lower the learning rates, or"
    assert train(*options) == 0
    assert f"pystyle: {sentence}" in capsys.readouterr().err
    assert train(*options, "--json") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out)["warnings"][0].startswith(sentence)


def test_a_saved_game_gives_the_same_network_again():
    options = [*TINY, "--names", "claude", "--quiet", "-o", "out.safetensors"]
    assert train("--styles", "monet/", *options, "--save-config", "run.toml") == 0
    saved = tomllib.loads(Path("run.toml").read_text())
    assert (saved["recipe"], saved["style"], saved["batch-size"]) == ("cut", ["monet"], 1)
    assert not {"styles", "style-folder", "strength", "loss", "smoothness-weight"} & saved.keys()
    assert main(["train", "--config", "run.toml", "-o", "again.safetensors", "--quiet"]) == 0
    assert Path("again.safetensors").read_bytes() == Path("out.safetensors").read_bytes()


def test_the_folder_of_the_command_line_replaces_that_of_a_file(calls):
    for key in ("style", "styles"):
        Path("run.toml").write_text(f'{key} = "none"\nrecipe = "cut"\ncontents = "photos"\n')
        for named in (["monet"], ["--styles", "monet"], ["--styles=monet"]):
            assert main(["train", *named, "--config", "run.toml", "--quiet"]) == 130
            assert calls[-1]["network"].styles == ("monet",)
        Path("run.toml").write_text(f'{key} = "monet"\nrecipe = "cut"\ncontents = "photos"\n')
        assert main(["train", "--config", "run.toml", "--quiet"]) == 130
    assert len(calls) == 8


@pytest.mark.parametrize(
    "option",
    [
        *("--any-style", "--features light", "--start any-style", "--strength balanced", "--style-size 512"),
        *("--loss gram", "--layers relu1_1", "--content-layer relu3_1", "--smoothness-weight 0"),
        *("--encoder vgg19", "--weights none", "--pooling max"),
    ],
)
def test_an_option_of_another_training_is_refused_by_its_name(capsys, option):
    assert train("monet", *TINY, *option.split()) == 2
    assert capsys.readouterr().err == (
        f"pystyle: error: `{option.split()[0]}` does not go with `--recipe`, where a discriminator judges "
        "the pictures. Leave it out.\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "`--recipe` needs a folder of paintings. Name it as STYLE or with `--styles`."),
        (
            ["monet", "--styles", "photos"],
            "must be named once, as STYLE or with `--styles`, got both: 'monet'",
        ),
        (["monet", "photos"], "STYLE must be one folder of paintings of one style with `--recipe`, got 2."),
        (["monet/c.png"], "The folder of paintings must be a folder with images, got 'monet/c.png'"),
        (["--styles", "empty"], "The folder of paintings must have images in it, got 'empty'"),
        (["monet", "--names", "a,b"], "`--names` must have one name with `--recipe`"),
        (["monet", "--names="], "`--names` must have one name with `--recipe`"),
        (["/"], "`--names` must have one name with `--recipe`"),
        (["monet", "--crop-size", "20"], "`--crop-size` must be at least 24 with `--recipe`, got 20."),
        (["monet", "--crop-size", "30"], "`--crop-size` must be a multiple of 4 and at least 8"),
        (["monet", "--recipe", "cutt"], "`--recipe` must be one of cut, fastcut, cyclegan, got 'cutt'."),
        (["monet", "--preview", "monet/c.png", "--overwrite"], "is the file 'monet/c.png', which is read"),
    ],
)
def test_a_wrong_command_line_is_explained_in_one_line(capsys, options, message):
    Path("empty").mkdir()
    assert train("--quiet", *TINY, *options) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not Path("network.safetensors").exists()


def test_the_folder_option_needs_a_recipe(capsys):
    for styles in ([], ["photo.png"]):
        assert main(["train", *styles, "--contents", "photos", "--styles", "monet"]) == 2
        assert "`--styles` is for `--recipe`. Without it" in capsys.readouterr().err
    assert main(["train", "--contents", "photos"]) == 2
    assert "The following arguments are required: STYLE." in capsys.readouterr().err


def test_a_network_that_exists_is_only_replaced_with_overwrite(capsys):
    Path("network.safetensors").write_text("mine")
    assert train("monet", *TINY) == 2
    assert "The file 'network.safetensors' exists already." in capsys.readouterr().err
    assert Path("network.safetensors").read_text() == "mine"
