"""Games in processes of their own: two that share a batch, and one that is killed."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.slow

COMMON = """
import sys
import time
from functools import partial

import torch
from torch import nn

from pystyle import AdversarialLoss, Criterion
from pystyle.checkpoints import Checkpoints
from pystyle.networks import PatchDiscriminator, ResNetGenerator
from pystyle.training import Adversary, ContrastTask, CycleTask, train

torch.set_num_threads(1)
torch.manual_seed(0)
photos, paintings = torch.rand(6, 3, 20, 24).double(), torch.rand(5, 3, 24, 20).double()


def game(optimizer, seed, **more):
    torch.manual_seed(seed)
    network, back = (ResNetGenerator(width=2, num_blocks=1).double() for _ in range(2))
    judges = [PatchDiscriminator(width=2, num_layers=1).double() for _ in range(2)]
    contrast = ContrastTask(network, ["pixels", "block1"], num_samples=9, channels=4)
    result = train(
        network,
        Criterion(None, {"a": AdversarialLoss(judges[0])}),
        contents=photos,
        styles=paintings,
        crop_size=16,
        batch_size=4,
        num_steps=8,
        optimizer=optimizer,
        adversaries={
            "a": Adversary(optimizer, num_steps=2, memory=3, real_penalty=1.0),
            "cycle.adversarial": Adversary(optimizer),
        },
        tasks={"contrast": contrast, "cycle": CycleTask(back, AdversarialLoss(judges[1]))},
        **more,
    )
    return nn.ModuleList([network, *judges, back, contrast]).state_dict(), result.history
"""

SHARED = """
rank, num_ranks, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if num_ranks > 1:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=num_ranks
    )


def stop(step):
    if step.index == 2:
        raise RuntimeError("stopped")


# All but the first begin with other weights, and get those of the first.
play = partial(game, partial(torch.optim.SGD, lr=0.01), rank)
torch.save(play(), f"{folder}/{num_ranks}-{rank}.pt")
if num_ranks > 1:
    kept = {"checkpoint": f"{folder}/checkpoints"} if rank == 0 else {}
    try:
        play(callbacks=stop, **kept)
    except RuntimeError:
        torch.save(play(resume=rank == 0, **kept), f"{folder}/resumed-{rank}.pt")
    torch.distributed.destroy_process_group()
"""

KILLED = """
folder, seconds = sys.argv[1], float(sys.argv[2])


def wait(step):
    print(step.index, flush=True)
    time.sleep(seconds)


kept = {"checkpoint": Checkpoints(folder, steps=2), "resume": True}
torch.save(game(partial(torch.optim.Adam, lr=1e-3), 0, callbacks=[wait], **kept), f"{folder}.pt")
"""


def started(program: str, *arguments: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", COMMON + program, *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return output


def test_two_processes_play_the_game_of_one_and_go_on_from_the_checkpoint_of_the_first(
    tmp_path: Path,
) -> None:
    for process in [started(SHARED, rank, count, tmp_path) for rank, count in ((0, 1), (0, 2), (1, 2))]:
        finished(process)
    alone, history = torch.load(tmp_path / "1-0.pt")
    for rank in (0, 1):
        together, signals = torch.load(tmp_path / f"2-{rank}.pt")
        resumed, _ = torch.load(tmp_path / f"resumed-{rank}.pt")
        for name, value in alone.items():
            torch.testing.assert_close(together[name], value, rtol=1e-6, atol=1e-9, msg=name)
            assert torch.equal(resumed[name], together[name])
        for name in ("a.discriminator", "a.accuracy", "a.penalty", "cycle.adversarial.discriminator"):
            assert signals[name] == pytest.approx(history[name], rel=1e-6)


def test_a_game_that_is_killed_goes_on_to_the_same_bytes_of_all_players(tmp_path: Path) -> None:
    process = started(KILLED, tmp_path / "killed", 0.2)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "5":
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=60)
    for name in ("killed", "whole"):
        output = finished(started(KILLED, tmp_path / name, 0))
        assert output.split()[0] == ("5" if name == "killed" else "1")
    (killed, history), (whole, other) = (torch.load(tmp_path / f"{name}.pt") for name in ("killed", "whole"))
    assert all(torch.equal(killed[name], value) for name, value in whole.items())
    assert {name: column for name, column in history.items() if name != "seconds"} == {
        name: column for name, column in other.items() if name != "seconds"
    }
