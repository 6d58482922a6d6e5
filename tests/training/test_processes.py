"""Two processes that share each batch train the network of one, and go on from its checkpoint."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = """
import sys
from functools import partial

import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.encoders import SequentialEncoder
from pystyle.networks import TransformNetwork
from pystyle.training import train

rank, num_ranks, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
if num_ranks > 1:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=num_ranks
    )
torch.manual_seed(0)
encoder = SequentialEncoder({"conv": nn.Conv2d(3, 6, 3, padding=1), "relu": nn.ReLU()}).double()
criterion = Criterion(encoder, {"content": ContentLoss("conv"), "style": GramLoss("relu")})
photos, paintings = torch.rand(6, 3, 20, 24).double(), torch.rand(2, 3, 24, 20).double()


def run(**more):
    torch.manual_seed(1)
    return train(
        TransformNetwork(width=2, styles=["a", "b"]).double(),
        criterion,
        contents=photos,
        styles=paintings,
        crop_size=16,
        batch_size=4,
        num_steps=5,
        balance={"style": 2.0},
        optimizer=partial(torch.optim.SGD, lr=0.1),
        **more,
    )


def stop(step):
    if step.index == 3:
        raise RuntimeError("stopped")


straight = run()
torch.save((straight.network.state_dict(), straight.factors), f"{folder}/{num_ranks}-{rank}.pt")
if num_ranks > 1:
    kept = {"checkpoint": f"{folder}/checkpoints"} if rank == 0 else {}
    try:
        run(callbacks=stop, **kept)
    except RuntimeError:
        pass
    resumed = run(**kept, resume=rank == 0)
    torch.save((resumed.network.state_dict(), resumed.factors), f"{folder}/resumed-{rank}.pt")
    torch.distributed.destroy_process_group()
"""


def trained(folder: Path, num_ranks: int):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(rank), str(num_ranks), str(folder)], stderr=subprocess.PIPE
        )
        for rank in range(num_ranks)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors.decode()
    finally:
        for process in processes:
            process.kill()


@pytest.mark.slow
def test_two_processes_train_the_network_of_one_and_go_on_from_the_checkpoint_of_the_first(tmp_path):
    trained(tmp_path, 1)
    trained(tmp_path, 2)

    def found(name):
        weights, factors = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        return torch.cat([value.flatten() for value in weights.values()]), factors

    (one, one_factors), (first, factors), (second, other_factors) = map(found, ("1-0", "2-0", "2-1"))
    assert factors == other_factors
    assert factors == pytest.approx(one_factors, rel=1e-12)
    assert torch.equal(first, second)
    torch.testing.assert_close(first, one, rtol=1e-9, atol=1e-12)
    for rank in (0, 1):
        resumed, resumed_factors = found(f"resumed-{rank}")
        assert torch.equal(resumed, first)
        assert resumed_factors == factors
