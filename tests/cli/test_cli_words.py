"""`pystyle stylize --text`: words in the place of paintings."""

import json
import os
import signal

import pytest
import torch
from torch import nn

from pystyle.cli import main
from pystyle.encoders import SequentialEncoder
from pystyle.images import read_image
from pystyle.text import text_encoder

MODEL = ["--text", "red", "--text-model", "model"]
WORDS = ["stylize", "content.png", *MODEL]
TINY = ["--size", "24", "--device", "cpu", "--text-crops", "2"]


class Colours(nn.Module):
    """Knows the mean colour of an image, and what is red."""

    def encode_images(self, images):
        return nn.functional.normalize(images.mean((2, 3)), dim=1)

    def encode_texts(self, texts):
        red, grey = torch.tensor([1.0, 0.1, 0.1]), torch.tensor([1.0, 1.0, 1.0])
        return nn.functional.normalize(torch.stack([red if "red" in text else grey for text in texts]), dim=1)


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    monkeypatch.setattr("pystyle.cli._words.text_encoder", lambda _: Colours())
    stages = {"relu4_2": nn.ReLU(), "relu5_2": nn.AvgPool2d(2)}
    monkeypatch.setattr("pystyle.cli._words.vgg19", lambda _: SequentialEncoder(stages))
    return pictures


def error(capsys, *argv, code=2):
    assert main([*argv]) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err.removeprefix("pystyle: error: ")


def test_words_make_a_picture_with_its_facts(capsys):
    options = ["--steps", "3", "--seed", "1", "--json", "--log", "log.csv", "--save-every", "2"]
    assert main([*WORDS, "-o", "out.png", *TINY, *options]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    facts = json.loads(captured.out)
    assert (facts["width"], facts["height"], facts["steps"], facts["seed"]) == (36, 24, 3, 1)
    terms = ["patches.image", "direction.image", "content.relu4_2", "content.relu5_2", "smoothness.image"]
    assert list(facts["terms"]) == terms
    assert read_image("out.png").shape == (1, 3, 24, 36)
    assert os.path.exists("out-00002.png")
    with open("log.csv") as log:
        assert len(log.readlines()) == 4


def test_the_steps_of_words_have_names_of_their_own(monkeypatch):
    seen = []

    def optimize(*_, num_steps, **__):
        seen.append(num_steps)
        raise KeyboardInterrupt

    monkeypatch.setattr("pystyle.cli._words.optimize_image", optimize)
    for options in ([], ["--steps", "draft"], ["--steps", "best"], ["--steps", "7"]):
        assert main([*WORDS, "-o", "out.png", *TINY, *options]) == 130
    assert seen == [200, 50, 400, 7]


def test_a_run_is_resumed_to_the_same_picture(capsys):
    run = [*WORDS, *TINY, "--quiet"]
    assert main([*run, "-o", "whole.png", "--steps", "4"]) == 0
    assert main([*run, "-o", "out.png", "--steps", "2", "--checkpoint", "kept"]) == 0
    assert main([*run, "-o", "out.png", "--steps", "4", "--checkpoint", "kept", "--resume"]) == 0
    assert torch.equal(read_image("out.png"), read_image("whole.png"))
    assert capsys.readouterr().err == ""


def test_ctrl_c_saves_the_picture_so_far(monkeypatch, capsys):
    encode, count = Colours.encode_images, []

    def interrupted(self, images):
        count.append(1)
        if len(count) == 8:
            signal.raise_signal(signal.SIGINT)
        return encode(self, images)

    monkeypatch.setattr(Colours, "encode_images", interrupted)
    assert main([*WORDS, "-o", "out.png", *TINY, "--steps", "50", "--quiet"]) == 130
    assert "The picture so far is in 'out.png'" in capsys.readouterr().err
    assert read_image("out.png").shape == (1, 3, 24, 36)


def test_a_file_of_options_has_words(tmp_path, capsys):
    assert main([*WORDS, "-o", "out.png", *TINY, "--steps", "2", "--quiet", "--save-config", "run.toml"]) == 0
    text = (tmp_path / "run.toml").read_text()
    assert 'text = "red"' in text
    assert 'text-model = "model"' in text
    assert main(["stylize", "--config", "run.toml", "-o", "again.png", "--quiet"]) == 0
    assert torch.equal(read_image("again.png"), read_image("out.png"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["style.png", *MODEL], "`--text` stands in the place of STYLE. Leave out 'style.png'"),
        (["--text", "red"], "`--text` needs a model of words and pictures. Name its folder"),
        (["--text", " ", "--text-model", "m"], "`--text` must say what the picture becomes"),
        (["style.png", "--text-model", "m"], "`--text-model` is for `--text`."),
        (["style.png", "--text-crops", "4"], "`--text-crops` is for `--text`."),
        ([*MODEL, "--loss", "gram"], "`--loss` does not go with `--text`"),
        ([*MODEL, "--mask", "a.png"], "`--mask` does not go with `--text`"),
        ([*MODEL, "--encoder", "vgg16"], "`--encoder` does not go with `--text`"),
        ([*MODEL, "--wrap", "both"], "`--wrap` does not go with `--text`"),
        ([*MODEL, "--tile", "16"], "`--tile` does not go with `--text`"),
        ([*MODEL, "--steps", "3,4"], "`--text` paints at one size"),
        ([*MODEL, "--pyramid", "32", "64"], "`--text` paints at one size"),
        ([*MODEL, "--text-crops", "0"], "`--text-crops` must be an integer"),
    ],
)
def test_what_does_not_go_with_words_is_refused_before_anything_is_computed(options, message, capsys):
    assert message in error(capsys, "stylize", "content.png", *options, "-o", "out.png")
    assert not os.path.exists("out.png")


def test_a_folder_is_no_place_for_words(capsys):
    argv = ["stylize", "--batch", ".", "--text", "red", "--text-model", "m", "--output-dir", "out"]
    assert "`--batch` does not go with `--text`" in error(capsys, *argv)


def test_a_model_that_is_not_there_is_named(capsys, monkeypatch):
    monkeypatch.setattr("pystyle.cli._words.text_encoder", text_encoder)
    argv = ["stylize", "content.png", "--text", "red", "--text-model"]
    os.mkdir("empty")
    message = error(capsys, *argv, "empty", "-o", "out.png", code=1)
    assert "`--text-model` must be a folder with config.json or open_clip_config.json, got 'empty'" in message
