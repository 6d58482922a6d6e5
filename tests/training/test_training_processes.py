"""Trainings in processes of their own: two that share a batch, and one that is killed."""

import signal
import subprocess
import sys

import pytest
import torch

from pystyle.networks import Stylizer

pytestmark = pytest.mark.slow

COMMON = """
import sys
from functools import partial
import torch
from torch import nn
from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.encoders import SequentialEncoder
from pystyle.networks import AnyStyleNetwork
from pystyle.training import train

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(0)
photos, paintings = (torch.rand(count, 3, 24, 28, generator=generator) for count in (6, 2))
torch.manual_seed(0)
encoder = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3, padding=1), "relu": nn.ReLU()})
criterion = Criterion(encoder, {"content": ContentLoss("conv"), "style": GramLoss("relu", relative=True)})
network = AnyStyleNetwork(width=2)
data = {"contents": photos, "styles": paintings, "crop_size": 16, "batch_size": 4}
"""

SHARED = """
rank, folder = int(sys.argv[1]), sys.argv[2]
if rank >= 0:
    import torch.distributed as distributed
    store = f"file://{folder}/store"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
optimizer = partial(torch.optim.SGD, lr=0.1)
train(network, criterion, **data, num_steps=4, averaging=0, optimizer=optimizer)
network.save(f"{folder}/{rank}.safetensors")
"""

STOPPED = """
rank, folder, stopping = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
import torch.distributed as distributed
distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)

def stop(step):
    if step.index == 2:
        step.stop("it is enough")

callbacks = [stop] if rank == stopping else []
result = train(network, criterion, **data, num_steps=6, callbacks=callbacks)
print(result.stop_reason, len(result.history["total"]))
"""

KILLED = """
import time
from pystyle.checkpoints import Checkpoints

folder, slow, steps = sys.argv[1], sys.argv[2] == "slow", int(sys.argv[3])

def wait(step):
    print(step.index, flush=True)
    time.sleep(0.2 if slow else 0)

checkpoint = Checkpoints(folder, steps=steps)
result = train(
    network, criterion, **data, num_steps=12, callbacks=[wait], checkpoint=checkpoint, resume=True
)
result.network.save(f"{folder}.safetensors")
"""


def weights(path):
    return torch.cat([value.flatten() for value in Stylizer.load(path).state_dict().values()])


def started(program, *arguments):
    argv = [sys.executable, "-c", COMMON + program, *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stopping", [0, 1])
def test_a_callback_of_one_process_stops_all(stopping, tmp_path):
    processes = [started(STOPPED, rank, tmp_path, stopping) for rank in (0, 1)]
    for process in processes:
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert output == "it is enough 2\n"


def test_two_processes_move_the_weights_of_a_network_for_any_style_as_one_does(tmp_path):
    processes = [started(SHARED, rank, tmp_path) for rank in (0, 1, -1)]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    first, second, alone = (weights(tmp_path / f"{rank}.safetensors") for rank in (0, 1, -1))
    assert torch.equal(first, second)
    assert torch.allclose(first, alone, atol=1e-5)


@pytest.mark.parametrize(("number", "steps"), [(signal.SIGKILL, 2), (signal.SIGTERM, 1000)])
def test_a_training_that_is_ended_by_a_signal_goes_on_to_the_same_bytes(number, steps, tmp_path):
    process = started(KILLED, tmp_path / "killed", "slow", steps)
    while process.stdout.readline().strip() != "5":
        assert process.poll() is None, process.stderr.read()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (tmp_path / "killed.safetensors").exists()
    for name in ("killed", "whole"):
        process = started(KILLED, tmp_path / name, "fast", steps)
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        if name == "killed":
            # The step whose callback was interrupted is taken again; SIGTERM writes what was accepted.
            assert output.split()[0] == "5"
    assert torch.equal(*(weights(tmp_path / f"{name}.safetensors") for name in ("killed", "whole")))
