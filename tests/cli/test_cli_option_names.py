"""An error of the command line names options of the command, and no argument of the library."""

import contextlib
import importlib
import inspect
import io
import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from PIL import Image

import pystyle
from pystyle.cli import main
from pystyle.images import write_image
from pystyle.networks import AnyStyleNetwork
from pystyle.surfaces import sphere, write_mesh

ARGUMENT = re.compile(r"`([a-z][a-z_0-9]*)(?:=[^`]*|\[[^`]*\])?`")
NEEDED = {"texture": "trimesh", "video": "av", "export": "onnxscript", "serve": "starlette"}
"""Packages of extras without which a command says nothing but that."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
TINY = ["--encoder", "alexnet", "--weights", "none", "--device", "cpu", "--steps", "1", "--size", "32"]
PICTURE = ["stylize", "content.png", "style.png", "-o", "out.png", *TINY]
BATCH = ["stylize", "--batch", "photos", "--style", "style.png", "--output-dir", "out", *TINY]
DEMO = ["demo", *TINY]
TRAIN = [
    "train",
    "style.png",
    "--contents",
    "photos",
    "-o",
    "out.safetensors",
    "--crop-size",
    "32",
    *TINY[:-2],
]
RECIPE = [
    *("train", "photos", "--recipe", "cut", "--contents", "photos", "-o", "out.safetensors"),
    *("--crop-size", "32", "--width", "1", "--device", "cpu", "--steps", "1"),
]
PAINT = ["paint", "content.png", "style.png", "-o", "out.png", "--network", "any.safetensors", *TINY[-2:]]
VIDEO = ["video", "clip.gif", "style.png", "-o", "out.gif", "--network", "any.safetensors", *TINY[-2:]]
EXPORT = ["export", "style.png", "-o", "out.onnx", "--network", "any.safetensors"]
TEXTURE = ["texture", "ball.glb", "style.png", "-o", "out.glb", *TINY[:-2], "--size", "64"]
COMPRESS = [
    *("compress", "any.safetensors", "-o", "out.safetensors"),
    *("--content", "content.png", "--style", "style.png", "--size", "32"),
]
JUDGE = ["judge", "content.png", "--content", "content.png", "--style", "style.png", "--network", "none"]
WRONG_PICTURE = """
--size 3
--size 640x480
--pyramid 64 32
--pyramid 64 --steps 1,2
--steps 0
--strength 0
--layers relu9
--layers=
--content-layer relu9
--content-weight -1
--smoothness-weight nan
--loss none
--loss mrf --tile 16
--text red
--text-model missing
--style-weights 1,2
--style-scale 0
--style-scale 0.001
--colors none
--encoder none
--encoder timm:none
--weights missing.pth
--weights cafe
--weights notes.pth
--encoder resnet18 --weights IMAGENET9
--encoder resnet18 --pooling l2
--encoder vgg16 --weights torchvision
--encoder resnet18 --weights IMAGENET1K_V1
--pooling none
--init missing.png
--init contnet
--mask missing.png
--mask content.png
--mask small.png
--mask white.png --style-mask white.png white.png
--style-mask white.png
--device mps
--device none
--precision float8
--tile 0
--bits 12
--bits 16 -o out.jpg
--quality 0
--keep-metadata -o out.bmp
--max-pixels 10
--resume
--checkpoint content.png
--checkpoint-every 0
--config missing.toml
--save-config none/run.toml
--save-config out.png
--log log.txt
--save-every 0
--seed -1
-o content.png --overwrite
-o content.png
-o out.webp --size 20000
-o out
--optimizer none
--parametrization none
--wrap none
--wrap both --mask white.png
--workers 2
--output-dir out
--format png
--style style.png
"""
WRONG_BATCH = """
--size 3
--max-pixels 10
--layers relu9
--workers 0
--format gif
--format bmp --keep-metadata
--bits 16 --format jpg
--mask white.png
--output-dir photos
--style missing.png
--content-layer relu9
--steps 1,2,3
--init missing.png
"""
WRONG_DEMO = """
--size 3
--encoder none
--weights missing.pth
--encoder resnet18 --pooling l2
-o none/out.png
-o out
-o out.webp --size 20000
--steps 1,2,3
--layers relu1
--tile 0
"""
WRONG_TRAINING = """
--contents none
--contents content.png
--style-size 8
--crop-size 30
--crop-size 16
--crop-size 0
--batch-size 0
--workers -1
--width 0
--names a,b
--names=
--any-style
--learning-rate nan
--strength 0
--loss none
--layers relu9
--content-layer relu9
--smoothness-weight -1
--encoder none
--weights missing.pth
--encoder resnet18 --pooling l2
--precision float8
--device none
--preview none.txt
--preview style.png
--preview-every 0
--checkpoint content.png
--resume
--log log.txt
--save-config none/run.toml
--config missing.toml
-o out.png
-o none/out.safetensors
--max-pixels 10
"""
WRONG_RECIPE = """
--recipe none
--styles photos
--styles none
--crop-size 20
--crop-size 30
--batch-size 0
--width 0
--names a,b
--any-style
--start any-style
--strength 1
--style-size 64
--loss gram
--encoder none
--contents none
--learning-rate 0
--resume
-o out.png
"""
WRONG_PAINTING = """
--network missing.safetensors
--network ./content.png
--network other
--size 3
--strength 2
--style-size 3
--style-weights 1,2
--colors none
--device none
--format jpg
--retry-failed
--bits 16 -o out.jpg
--keep-metadata -o out.bmp
-o style.png
-o out.webp --size 20000
-o none/out.png
--max-pixels 10
--background none
--save-config out.png
--config missing.toml
"""
WRONG_CLIP = """
--network missing.safetensors
--network other
--size 3
--strength 2
--style-size 3
--style-weights 1,2
--colors none
--mask white.png white.png
--mask small.png
--steps 5
--encoder vgg16
--optimise
--keyframes missing.toml
--sound missing.flac
--sound content.png
--follow onsets
--rate 5
--quality 5
--quality 60 -o out.mp4
--batch-size 0
--device none
-o out.txt
-o style.png
-o none/out.mp4
-o photos
--checkpoint content.png
--max-pixels 10
--save-config out.gif
--config missing.toml
"""
WRONG_SERVICE = """
--port 70000
--port -1
--host 256.0.0.1
--network missing.safetensors
--network none
--network any.safetensors ./any.safetensors
--api-keys missing.txt
--api-keys notes.pth
--folder notes.pth
--max-upload 0
--max-pixels 0
--max-picture none
--queue-length 0
--batch-size 0
--max-jobs 0
--job-seconds 0
--memory 0
--device none
--precision float8
"""
WRONG_EXPORT = """
--network missing.safetensors
--network other
--network ./content.png
--style-size 3
--style-weights 1,2
--style-output out.onnx
--style-output style.png
-o out.pt
-o none/out.onnx
-o photos
--max-pixels 10
"""
WRONG_TEXTURE = """
--size 3
--size 0
--steps 0
--strength 0
--steps 1,2,3
--loss none
--style-weights 1,2
--style-scale 0
--style-scale 0.001
--content-weight -1
--smoothness-weight nan
--elevations=9
--seed -1
--parametrization none
--encoder none
--weights missing.pth
--precision float8
--device none
--texture missing.png
--texture photos
--sheet sheet.txt
--sheet none/sheet.png
--clip turn.txt
--clip style.png
--checkpoint content.png
--resume
--log log.txt
--max-pixels 10
-o out.stl
-o ball.glb
-o style.obj
-o none/out.glb
"""
WRONG_COMPRESSION = """
--prune 1
--prune 0.2
--bits 1
--int8
--calibration content.png
--style-name waves
--style missing.png
--content missing.png
--size 8
--size 640x480
--max-pixels 10
-o out.onnx
-o any.safetensors --overwrite
-o none/out.safetensors
"""
WRONG_BENCH = """
mastres
missing.safetensors
./content.png
--sizes 0
--sizes 640x480
--quick --sizes 64
--threads 0
--device none
--precision float8
"""
WRONG_JUDGEMENT = """
--content missing.png
--content photos
--style missing.png
--network vgg19
--size 3
--size 8
--style-size 640x480
--device none
--max-pixels 10
--json --csv
--sheet sheet.txt
--sheet content.png
--sheet style.png --overwrite
--sheet none/sheet.png
"""
COMMAND_LINES = [
    # Found by an estimate of the memory, which takes its time.
    pytest.param([*PICTURE, "--memory", "0.001"], marks=pytest.mark.slow),
    *(
        pytest.param([*command, "--memory", "0.001"], marks=[pytest.mark.slow, pytest.mark.long])
        for command in (BATCH, DEMO)
    ),
    *([*PICTURE, *options.split()] for options in WRONG_PICTURE.strip().splitlines()),
    *([*BATCH, *options.split()] for options in WRONG_BATCH.strip().splitlines()),
    *([*DEMO, *options.split()] for options in WRONG_DEMO.strip().splitlines()),
    *([*TRAIN, *options.split()] for options in WRONG_TRAINING.strip().splitlines()),
    *([*RECIPE, *options.split()] for options in WRONG_RECIPE.strip().splitlines()),
    *([*PAINT, *options.split()] for options in WRONG_PAINTING.strip().splitlines()),
    *([*VIDEO, *options.split()] for options in WRONG_CLIP.strip().splitlines()),
    *(["serve", *options.split()] for options in WRONG_SERVICE.strip().splitlines()),
    *([*EXPORT, *options.split()] for options in WRONG_EXPORT.strip().splitlines()),
    *([*TEXTURE, *options.split()] for options in WRONG_TEXTURE.strip().splitlines()),
    *([*COMPRESS, *options.split()] for options in WRONG_COMPRESSION.strip().splitlines()),
    *(["bench", *options.split()] for options in WRONG_BENCH.strip().splitlines()),
    *([*JUDGE, *options.split()] for options in WRONG_JUDGEMENT.strip().splitlines()),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("names")
    (found / "photos").mkdir()
    for name in ("content.png", "style.png", "photos/a.png"):
        write_image(torch.rand(1, 3, 40, 60), found / name)
    write_image(torch.ones(1, 3, 40, 60), found / "white.png")
    write_image(torch.ones(1, 3, 4, 6), found / "small.png")
    (found / "notes.pth").write_text("no weights")
    AnyStyleNetwork(width=1).save(found / "any.safetensors")
    if find_spec("trimesh"):
        write_mesh(sphere(8), found / "ball.glb")
    frames = [Image.new("RGB", (60, 40), color) for color in ("red", "green")]
    frames[0].save(found / "clip.gif", save_all=True, append_images=frames[1:])
    return found


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of each command, by its help."""
    found = {}
    commands = ("stylize", "demo", "train", "paint", "video", "export", "compress", "judge", "serve")
    for command in (*commands, "texture", "bench"):
        with contextlib.redirect_stdout(io.StringIO()) as stream:
            assert main([command, "--help"]) == 0
        found[command] = set(OPTION.findall(stream.getvalue()))
    return found


@pytest.fixture(scope="module")
def arguments() -> set[str]:
    """What public functions of the library have for arguments."""
    found = set[str]()
    for info in pkgutil.walk_packages(pystyle.__path__, "pystyle."):
        if not any(part.startswith("_") for part in info.name.split(".")) and "cli" not in info.name:
            module = importlib.import_module(info.name)
            things = [getattr(module, name) for name in getattr(module, "__all__", ())]
            for thing in filter(callable, things):
                with contextlib.suppress(TypeError, ValueError):
                    found |= set(inspect.signature(thing).parameters)
    return found


@pytest.mark.parametrize("argv", COMMAND_LINES, ids=lambda argv: " ".join(argv))
def test_an_error_of_the_command_line_names_options_of_the_command(
    argv: list[str],
    folder: Path,
    options: dict[str, set[str]],
    arguments: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if argv[0] in NEEDED and not find_spec(NEEDED[argv[0]]):
        pytest.skip(f"needs the package {NEEDED[argv[0]]}")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYSTYLE_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(folder))
    assert main(argv) in (1, 2)
    error = capsys.readouterr().err
    assert error.count("pystyle: error: ") == 1
    quoted = re.findall(r"`(--[a-z-]+)", error)
    assert set(quoted) <= options[argv[0]], error
    assert not set(ARGUMENT.findall(error)) & arguments, error
