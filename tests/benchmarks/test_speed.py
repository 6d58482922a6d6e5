"""The measuring itself: turns, medians, clocks, memory, and the counting of operators."""

import sys
import time
from types import SimpleNamespace

import pytest
import torch

CPU = torch.device("cpu")


def test_all_variants_take_turns_and_each_is_first_once(script):
    calls = []
    work = {name: lambda name=name: calls.append(name) for name in "abc"}
    times = script("step_time").take_turns(work, 3, CPU)
    assert calls == [*"abc", *"abc", *"bca", *"cab"]  # the first three do not count
    assert {name: len(watches) for name, watches in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_the_summary_has_the_median_and_the_quartiles(script):
    watches = [SimpleNamespace(seconds=s, processor_seconds=s / 10) for s in (5.0, 1.0, 2.0, 4.0, 3.0)]
    found = script("step_time").summary(watches)
    assert (found["seconds"], found["seconds_quartiles"]) == (3.0, [2.0, 4.0])
    assert found["processor_seconds"] == pytest.approx(0.3)


def test_the_peak_is_that_of_the_fastest_work_in_its_fastest_round(script):
    times = {
        "float32-product": [SimpleNamespace(seconds=s) for s in (4.0, 2.0)],
        "float32-convolution": [SimpleNamespace(seconds=s) for s in (3.0, 5.0)],
        "bfloat16-product": [SimpleNamespace(seconds=1.0)],
    }
    work = {
        ("float32", "product"): (None, 100),
        ("float32", "convolution"): (None, 180),
        ("bfloat16", "product"): (None, 70),
    }
    assert script("step_time").peak(work, times, "seconds") == {"float32": 60.0, "bfloat16": 70.0}


def test_the_table_divides_the_times_of_pystiche_by_those_of_a_variant(script):
    def variant(seconds):
        return {
            "objective": "gatys",
            "seconds": seconds,
            "seconds_quartiles": [seconds, seconds],
            "gradient_median_error": 0.0,
        }

    line = {
        "variants": {"pystiche": variant(6.0), "pystiche-frozen": variant(3.0), "pystyle": variant(2.0)},
        "floors": {"seconds": {"float32": 1.0}},
    }
    row = script("step_time").ratio_table(line).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")][5:8] == ["3.00x", "1.50x", "2.00"]


def test_a_paused_stopwatch_does_not_count(script, monkeypatch):
    records = script("records")
    monkeypatch.setattr(records.time, "perf_counter", iter([10.0, 11.0, 50.0, 50.5]).__next__)
    watch = records.Stopwatch(CPU)
    for _ in range(2):
        watch.start()
        watch.pause()
    watch.pause()  # nothing runs
    assert watch.seconds == 1.5


def test_lines_are_read_back_as_they_were_written(script, tmp_path):
    records = script("records")
    assert records.read(tmp_path / "none.jsonl") == []
    for line in ({"a": 1}, {"a": [0.5, None]}):
        records.append(tmp_path / "new" / "lines.jsonl", line)
    assert records.read(tmp_path / "new" / "lines.jsonl") == [{"a": 1}, {"a": [0.5, None]}]


def test_the_description_of_the_machine_names_versions_and_threads(script):
    described = script("records").machine(CPU)
    assert torch.__version__.startswith(described["packages"]["torch"])
    assert described["threads"] == torch.get_num_threads()
    assert described["device"] == "cpu"


@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is Linux's")
def test_the_peak_of_a_call_is_what_it_allocated_at_most_and_not_in_all(script):
    size = 32 * 2**20

    def allocate():
        for _ in range(8):
            torch.ones(size, dtype=torch.uint8)
            time.sleep(0.01)

    # Some kernels take pages back a while after they were freed, and may fetch back what they had taken away.
    peaks = []
    for _ in range(5):
        before, most, _ = script("memory").peak_of(allocate, CPU)
        peaks.append(most - before)
    assert any(0.95 * size < peak < 3 * size for peak in peaks), peaks


def test_the_counter_sees_numbers_that_are_read_by_the_host(script):
    syncs = script("optimizer_syncs")
    x = torch.ones(3)
    with syncs.OperatorCounter() as counter:
        if (x.sum() > 2) and float(x[0]) == 1:
            x.add_(1)
    assert counter.counts[syncs.SYNC] == 2
    assert counter.counts["aten.add_"] == 1


def test_our_lbfgs_never_waits_and_takes_the_iterates_of_torch(script):
    start = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    curvatures = torch.linspace(1, 30, start.numel()).view_as(start)

    def gradient(image):
        return (curvatures * (image - 0.5) ** 2).sum() / 2, curvatures * (image - 0.5)

    theirs, ours = script("optimizer_syncs").compare(start, gradient, history_size=10, num_steps=20)
    assert (theirs["optimizer"], ours["optimizer"]) == ("torch", "pystyle")
    assert ours["syncs"] == 0
    assert theirs["syncs"] > 2 * 10
    assert ours["largest_difference"] < 1e-4
    assert ours["history_bytes_per_pixel"] == 240
    assert 240 < ours["state_bytes_per_pixel"] < 280
