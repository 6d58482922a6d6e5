"""Nothing that the library does on its own warns, not even while it is imported."""

import os
import subprocess
import sys

import pytest

IMPORTS = """
import importlib, pkgutil
import pystyle

for found in pkgutil.walk_packages(pystyle.__path__, "pystyle."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""

RUNS = """
from functools import partial
import torch
from pystyle import Pyramid, stylize
from pystyle.encoders import torchvision_encoder, vgg11
from pystyle.parametrizations import Fourier

image = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
paint = partial(stylize, image, image.flip(1), num_steps=2)
paint(encoder=vgg11(weights=None), edge_size=[16, 24], checkpoint="run", tile=16)
paint(encoder=vgg11(weights=None), edge_size=24, precision="bfloat16", colors="luminance")
paint(encoder=vgg11(weights=None), edge_size=24, parametrization=Fourier, style_loss="sliced-wasserstein")
for optimizer in (torch.optim.LBFGS, partial(torch.optim.Adam, lr=0.1)):
    paint(encoder=vgg11(weights=None), edge_size=24, optimizer=optimizer)
torchvision_encoder("resnet18", weights=None)(image, ["layer1"])
"""

HELP = """
from pystyle.cli import main

for command in ([], ["stylize"], ["demo"], ["info"]):
    assert main([*command, "--help"]) == 0
assert main(["info"]) == 0
"""


@pytest.mark.slow
@pytest.mark.parametrize("code", [IMPORTS, RUNS, HELP], ids=["imports", "runs", "help"])
def test_a_program_in_which_warnings_are_errors_runs(code, tmp_path):
    # Not the warnings of pytest: here they are errors from the first import on, of others as well.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
