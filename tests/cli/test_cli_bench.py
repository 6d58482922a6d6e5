"""`pystyle bench`: what is measured, how it is extrapolated, and what is printed when it does not go well."""

import importlib.metadata
import json
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pystyle.cli import _bench as bench
from pystyle.cli import _bench_work as bench_work
from pystyle.cli import main
from pystyle.cli._bench_figures import SECONDS
from pystyle.cli._bench_memory import PeakMemory
from pystyle.cli._bench_work import Figures, extrapolated
from pystyle.networks import TransformNetwork
from pystyle.runner import Result

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def network(tmp_path, monkeypatch):
    """The file of a tiny network in the current folder."""
    monkeypatch.chdir(tmp_path)
    TransformNetwork(width=1).save("tiny.safetensors")
    return "tiny.safetensors"


@pytest.fixture
def instant(monkeypatch):
    """Measurements that take no time; those of `failures` raise what stands there."""
    failures = {}

    def measured(what, size, device, precision, *, quick):
        del device, quick
        if (what, size) in failures:
            raise failures[what, size]
        return Figures(what, size, "float32", 2.5, 2.0, 300 * 2**20, precision == "tf32")

    monkeypatch.setattr(bench, "measured", measured)
    return failures


def _cells(facts):
    return [(line["what"], line["size"]) for line in facts["figures"]]


def test_a_network_is_measured_at_each_size(network, capsys):
    before = torch.get_num_threads()
    command = ["bench", network, "--sizes", "24,32", "40", "--threads", "1", "--device", "cpu", "--json"]
    assert main(command) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert _cells(facts) == [(network, 24), (network, 32), (network, 40)]
    for line in facts["figures"]:
        assert 0 < line["seconds"] < 60
        assert line["processor_seconds"] > 0
        assert line["docs_seconds"] is None
        assert not line["extrapolated"]
        # Python and torch alone take more than 50 MiB.
        assert sys.platform != "linux" or line["peak_bytes"] > 50 * 2**20
    assert facts["machine"]["threads"] == 1
    assert facts["machine"]["device"] == "cpu"
    assert facts["versions"]["torch"] == importlib.metadata.version("torch")
    assert torch.get_num_threads() == before
    assert [line for line in captured.err.splitlines() if "pixels ..." in line] == [
        f"pystyle: {network} at {size} x {size} pixels ..." for size in (24, 32, 40)
    ]


def test_the_text_is_a_table_with_the_facts_of_info(network, instant, capsys):
    del instant
    assert main(["bench", network, "masters", "--sizes", "256", "--precision", "tf32", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[2] == f"| `{network}`, float32 | 256 x 256 | ~2.5 | ~2.0 |  | 300 MiB |"
    assert lines[3] == "| `masters`, float32 | 256 x 256 | ~2.5 | ~2.0 | 0.083 | 300 MiB |"
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert "extrapolated from three steps" in captured.out
    facts = captured.out.split("```")[1]
    assert re.search(r"^load +", facts, re.M)
    assert f"torch                  {importlib.metadata.version('torch')}" in facts


def test_without_names_all_that_is_shipped_is_measured_at_three_sizes(instant, capsys):
    del instant
    assert main(["bench", "--json"]) == 0
    networks = ("any-style", "any-style-light", "masters", "masters-light")
    assert _cells(json.loads(capsys.readouterr().out)) == [
        (what, size) for what in (*networks, "stylize") for size in (256, 512, 1024)
    ]
    assert main(["bench", "--json", "--quick"]) == 0
    assert {size for _, size in _cells(json.loads(capsys.readouterr().out))} == {128, 256}


def test_what_would_take_too_long_is_left_out_and_named(network, instant, capsys, monkeypatch):
    del instant
    monkeypatch.setattr(bench, "QUICK_SIZES", (24, 48))
    monkeypatch.setattr(bench, "_QUICK_LIMIT", 4.0)
    # Whoever looks at the clock finds it a second later. The small picture takes one, the large one would
    # take four, and three are gone by then.
    monkeypatch.setattr(bench, "time", SimpleNamespace(perf_counter=iter(range(100)).__next__))
    assert main(["bench", network, "--quick", "--json", "--quiet"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert _cells(facts) == [(network, 24)]
    (missing,) = facts["missing"]
    assert (missing["what"], missing["size"]) == (network, 48)
    assert missing["reason"] == "left out: about 4 s more. `--sizes 48` measures it"


@pytest.mark.parametrize("wrong", ["nosuch", "none.safetensors"])
def test_a_wrong_name_is_found_before_anything_is_measured(network, monkeypatch, capsys, wrong):
    monkeypatch.setattr(bench, "measured", None)
    assert main(["bench", network, "stylize", wrong, "--sizes", "24"]) == (2 if wrong == "nosuch" else 1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pystyle: error: `WHAT` must be a ")
    assert captured.err.count("\n") == 1


def test_a_name_of_two_lines_breaks_no_line_of_the_table(network, instant, capsys):
    del instant
    Path(network).rename("two\nlines.safetensors")
    assert main(["bench", "two\nlines.safetensors", "--sizes", "24", "--quiet"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[2].startswith("| `two\\nlines.safetensors`, float32 | 24 x 24 |")
    )


def test_one_that_fails_leaves_the_others(network, instant, capsys):
    instant[network, 32] = RuntimeError("no kernel\nfor this device")
    assert main(["bench", network, "--sizes", "24", "32", "40", "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert _cells(facts) == [(network, 24), (network, 40)]
    reason = "failed: RuntimeError: no kernel for this device"
    assert facts["missing"] == [{"what": network, "size": 32, "reason": reason}]


def test_ctrl_c_prints_what_was_measured(network, instant, capsys):
    instant[network, 40] = KeyboardInterrupt()
    assert main(["bench", network, "--sizes", "24", "32", "40", "--json"]) == 130
    assert len(json.loads(capsys.readouterr().out)["figures"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["mastres"], "`WHAT` must be a network that comes with this version, one of ("),
        (["missing.safetensors"], "`WHAT` must be a file that can be read, got 'missing.safetensors'"),
        (["--quick", "--sizes", "64"], "`--quick` has sizes of its own"),
        (["--sizes", "0"], "`--sizes` must be an integer of at least 1"),
        (["--threads", "0"], "`--threads` must be an integer of at least 1"),
        (["--device", "none"], "`--device` must be a device"),
    ],
)
def test_a_wrong_option_is_explained(options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--quiet", *options]) in (1, 2)
    assert message in capsys.readouterr().err


def test_a_run_is_extrapolated_by_the_steps_that_are_left():
    # Two levels: steps of 1.5 and 4 seconds, of which 7 and 2 are left; of a level with one step none is.
    stamps = [[3.0, 4.5, 6.0], [20.0, 24.0, 28.0], [29.0]]
    assert extrapolated(30.0, stamps, [10, 5, 1]) == 30.0 + 7 * 1.5 + 2 * 4.0


@pytest.mark.parametrize(
    ("size", "quick", "steps", "about"),
    [(256, False, (22, 18), False), (512, False, (3, 3, 3), True), (256, True, (3, 3), True)],
)
def test_stylize_takes_all_steps_at_small_sizes_and_three_at_large_ones(
    size, quick, steps, about, monkeypatch
):
    asked = []

    def stylize(content, style, **arguments):
        del style
        asked.append(arguments)
        return Result(content, {"step": [0], "seconds": [0.0], "total": [1.0]}, "finished", 0.0)

    monkeypatch.setattr(bench_work, "stylize", stylize)
    found = bench_work.measured("stylize", size, torch.device("cpu"), "float32", quick=quick)
    (arguments,) = asked
    assert arguments["num_steps"] == steps
    assert arguments["edge_size"] == tuple(size >> shift for shift in reversed(range(len(steps))))
    assert (found.what, found.precision, found.extrapolated) == ("stylize", "float32", about)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the memory at any time")
def test_memory_that_was_given_back_counts():
    with PeakMemory(torch.device("cpu")) as nothing:
        pass
    with PeakMemory(torch.device("cpu")) as memory:
        for _ in range(8):
            torch.ones(2**25)  # 128 MiB, which are gone after the line.
            time.sleep(0.02)  # Some kernels take pages back later.
    assert 90 * 2**20 < memory.bytes - nothing.bytes < 3 * 128 * 2**20


def _seconds_in_docs():
    """The same figures, read from the tables of the documentation."""
    networks, performance = ((DOCS / f"{name}.md").read_text() for name in ("networks", "performance"))
    found, name = {}, ""
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \|$", networks, re.M)
    for label, small, large in rows:
        name = re.search(r"as `([a-z-]+)`|$", label)[1] or (name if label.startswith("the same") else "")
        if name and "compiled" not in label:
            precision = "bfloat16" if "bfloat16" in label else "float32"
            found[name, 256, precision], found[name, 512, precision] = float(small), float(large)
    (whole,) = re.findall(r"^\| \{func\}`~pystyle.stylize` \|.*\| ([\d.]+) \| \|$", networks, re.M)
    found["stylize", 256, "bfloat16"] = float(whole)
    means = [
        float(seconds)
        for row in re.findall(r"^\| the default \|(.+)\|$", performance, re.M)
        for seconds in re.findall(r"/ (\d+) (?:\||$)", row)
    ]
    assert len(means) == 6
    found["stylize", 512, "bfloat16"] = round(sum(means) / 6)
    (small,) = re.findall(r"^\| \*\*22 and 18.*\(kept\)\*\* \| [\d. /]+ / (\d+) \|", performance, re.M)
    (large,) = re.findall(r"^\| \*\*16, 14, 10.*\(kept\)\*\* \|.*/ (\d+) \|$", performance, re.M)
    found["stylize", 256, "float32"], found["stylize", 512, "float32"] = float(small), float(large)
    return found


def test_the_figures_beside_are_those_of_the_docs():
    assert _seconds_in_docs() == SECONDS


@pytest.mark.slow
def test_a_short_run_of_stylize_is_measured_in_earnest(capsys):
    assert main(["bench", "stylize", "--sizes", "48", "--device", "cpu", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["figures"]
    assert line["seconds"] > 0
    assert not line["extrapolated"]
