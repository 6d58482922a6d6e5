"""Networks that are small enough to go wrong many times in a second, and programs that come to harm."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder

LAYERS = ("1_1", "2_1", "3_1", "4_1", "4_2", "5_1")

PREAMBLE = """
import json, os, signal, sys, time, traceback
import torch

os.chdir(sys.argv[1])
torch.set_num_threads(1)
report = {}

def forked(function):
    process = os.fork()
    if process == 0:
        try:
            function()
        except SystemExit as end:
            os._exit(end.code)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException:
            traceback.print_exc()
            os._exit(70)
        os._exit(0)
    return process

def wait(process):
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

"""


@pytest.fixture
def small_vgg():
    """Makes an encoder with the layers that `stylize` looks at, without most of the poolings."""

    def make(seed=0):
        generator = torch.Generator().manual_seed(seed)
        modules, channels = {}, 3
        for name in LAYERS:
            conv = nn.Conv2d(channels, 4, 3, padding=1)
            with torch.no_grad():
                conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator) / 4)
                conv.bias.zero_()
            modules |= {f"conv{name}": conv, f"relu{name}": nn.ReLU()}
            if name == "1_1":
                modules["pool1"] = nn.MaxPool2d(2)
            channels = 4
        return SequentialEncoder(modules)

    return make


@pytest.fixture
def reported(tmp_path):
    """Runs a program that imports once and starts the processes that come to harm, and gives its report."""

    def run(definitions, code):
        # Workers import the definitions, and only the process that starts them runs the code.
        main = textwrap.indent(f"{code}\nprint(json.dumps(report))\n", "    ")
        program = tmp_path / "program.py"
        program.write_text(f'{PREAMBLE}{definitions}\nif __name__ == "__main__":\n{main}', encoding="utf-8")
        process = subprocess.run(
            [sys.executable, program, tmp_path],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=250,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])

    return run


@pytest.fixture(params=[torch.float64, torch.bfloat16, torch.float16], ids=["float64", "bfloat16", "float16"])
def dtype(request):
    """Another default type of torch."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


@pytest.fixture
def no_device():
    """Whatever is made on the default device has no values; what is made on the CPU has."""
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)
