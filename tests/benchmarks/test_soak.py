"""Long runs collect nothing, and the measure of it would see what they collected."""

import sys

import pytest
from torch import nn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and files are read from /proc")


def test_the_slope_is_that_of_a_straight_line_per_thousand_steps(script):
    assert script("soak").slope([7.0, 9.0, 11.0, 13.0], [100, 200, 300, 400]) == pytest.approx(20.0)
    assert script("soak").slope([5.0, 4.0, 6.0, 5.0], [1000, 2000, 3000, 4000]) == pytest.approx(0.2)


@pytest.mark.slow
def test_the_counts_see_tensors_hooks_and_files(script, tmp_path):
    soak, module = script("soak"), nn.Linear(2, 2)
    before = soak.counts(module)
    kept = [nn.Parameter(module.weight.detach()) for _ in range(5)]
    handle = module.register_forward_hook(lambda *_: None)
    with (tmp_path / "file").open("w"):
        after = soak.counts(module)
    grown = {name: after[name] - before[name] for name in ("files", "threads", "hooks", "tensors")}
    assert grown == {"files": 1, "threads": 0, "hooks": 1, "tensors": len(kept)}
    handle.remove()
    assert soak.counts(module)["hooks"] == 0


def test_what_comes_before_the_run_has_settled_does_not_count(script):
    samples = [
        {"step": 100 * index, "resident_bytes": 1000 if index <= 5 else 0, "objects": index}
        for index in range(1, 21)
    ]
    found = script("soak").summary(samples)
    assert found["resident_bytes_per_1000_steps"] == 0
    assert found["objects_per_1000_steps"] == pytest.approx(10)
    assert (found["num_steps"], found["objects"]) == (2000, [6, 20])


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["L-BFGS", "L-BFGS, no checkpoints"])
def test_a_thousand_steps_collect_no_memory_files_threads_hooks_or_tensors(script, name):
    found = script("soak").measure_apart(name, 1000)
    assert (found["stop_reason"], found["rows"]) == ("finished", 1000)
    assert found["resident_bytes_per_1000_steps"] < 300_000
    assert found["hooks"] == [0, 0]
    for count in ("files", "threads"):
        assert found[count][0] == found[count][1]
    # The terms of at most 256 steps, until they become one tensor; with checkpoints they are one always.
    most = 512 if "no checkpoints" in name else 0
    assert found["tensors"][1] - found["tensors"][0] <= most
    assert found["objects"][1] - found["objects"][0] <= most + 10
