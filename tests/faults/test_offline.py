"""Without a network, and with a cache that cannot be written: what is there is used, what is not is said."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]

PROGRAM = """
import json, os, sys

refused, read_only = [], sys.argv[1]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")

def audit(event, arguments):
    if event.startswith("socket."):
        refused.append(event)
        raise OSError(101, "Network is unreachable")
    writes = event == "open" and bool((arguments[2] or 0) & WRITES)
    if (writes or event in CHANGES) and str(arguments[0]).startswith(read_only):
        refused.append(f"{event} {arguments[0]}")
        raise OSError(30, "Read-only file system", str(arguments[0]))

sys.addaudithook(audit)
report = {}
"""


def reported(code, folder, **environment):
    variables = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    variables |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-W", "error", "-c", f"{PROGRAM}\n{code}\nprint(json.dumps(report))"]
    process = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, env=variables, cwd=ROOT, timeout=250
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
def test_import_random_weights_and_installed_weights_need_no_network(tmp_path):
    report = reported(
        """
import importlib, pkgutil, torch
import pystyle
for module in pkgutil.walk_packages(pystyle.__path__, "pystyle."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from pystyle import stylize
from pystyle.encoders import vgg11, vgg19
photo, painting = torch.rand(1, 3, 32, 40), torch.rand(1, 3, 32, 32)
for encoder in (vgg11(weights=None), vgg19(), vgg19(weights="caffe_normalized")):
    result = stylize(photo, painting, edge_size=32, num_steps=1, encoder=encoder, device="cpu")
    assert result.stop_reason == "finished"
report["refused"] = refused
""",
        tmp_path / "none",
    )
    assert report["refused"] == []


@pytest.mark.slow
def test_the_examples_of_the_docs_need_no_network(tmp_path):
    report = reported(
        """
import doctest
from pathlib import Path

options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
pages = [path for path in (Path("README.md"), *Path("docs").rglob("*.md")) if ">>> " in path.read_text()]
report["results"] = {
    str(page): list(doctest.testfile(str(page), module_relative=False, optionflags=options)) for page in pages
}
report["refused"] = refused
""",
        tmp_path / "none",
    )
    assert report["refused"] == []
    assert len(report["results"]) >= 3
    assert all(failed == 0 and tried > 0 for failed, tried in report["results"].values())


@pytest.mark.slow
def test_weights_in_a_cache_that_cannot_be_written_are_used_without_a_network(tmp_path):
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save({"features.0.bias": torch.arange(3.0)}, cache / "net.pth")
    digest = hashlib.sha256((cache / "net.pth").read_bytes()).hexdigest()
    (cache / "net.pth").rename(cache / f"net-{digest[:8]}.pth")
    report = reported(
        f"""
from pystyle.encoders import WeightsError, vgg11
from pystyle.encoders._weights import published_state_dict
tensors = published_state_dict("https://download.pytorch.org/models/net-{digest[:8]}.pth")
report["values"] = tensors["features.0.bias"].tolist()
report["refused before"] = list(refused)
try:
    vgg11(weights="torchvision")
except WeightsError as error:
    report["error"] = str(error)
report["refused"] = refused
""",
        tmp_path,
        TORCH_HOME=str(tmp_path),
    )
    assert report["values"] == [0.0, 1.0, 2.0]
    assert report["refused before"] == []
    # What is not there cannot be downloaded into it, which is found before the network is asked.
    assert report["error"].startswith(f"The weights cannot be written to `{cache}`")
    assert "weights=<path>" in report["error"]
    assert not [event for event in report["refused"] if event.startswith("socket")]


@pytest.mark.slow
@pytest.mark.parametrize("offline", ["0", "1"])
def test_missing_weights_without_a_network_are_an_error_that_says_how_to_help(tmp_path, offline):
    report = reported(
        """
from pystyle.encoders import WeightsError, vgg16
try:
    vgg16(weights="torchvision")
except WeightsError as error:
    report["error"] = str(error)
report["refused"] = refused
""",
        tmp_path / "none",
        TORCH_HOME=str(tmp_path),
        PYSTYLE_OFFLINE=offline,
    )
    reason = "PYSTYLE_OFFLINE is set" if offline == "1" else "Network is unreachable"
    assert reason in report["error"]
    for needed in (
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        str(tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"),
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        "TORCH_HOME",
    ):
        assert needed in report["error"]
    assert bool(report["refused"]) == (offline == "0")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder in which nobody can make another")
def test_a_cache_that_nobody_can_make_is_an_error_that_names_the_other_places(tmp_path):
    code = """
from pystyle.encoders import WeightsError, vgg16
try:
    vgg16(weights="torchvision")
except WeightsError as error:
    report["error"] = str(error)
report["refused"] = refused
"""
    report = reported(code, tmp_path, TORCH_HOME="/proc/x")
    assert report["error"].startswith("The weights cannot be written to `/proc/x/hub/checkpoints`")
    assert "Set TORCH_HOME or XDG_CACHE_HOME" in report["error"]
    assert report["refused"] == []
    # Without HOME the home of the user is that of the password file.
    report = reported(code, tmp_path, PYSTYLE_OFFLINE="1")
    assert "/.cache/torch/hub/checkpoints/vgg16-397923af.pth`" in report["error"]
