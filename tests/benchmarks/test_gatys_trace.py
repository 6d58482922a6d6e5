"""The script that follows the published trace, at a small size."""

import pytest
import torch

from pystyle.papers import gatys_2016

CPU = torch.device("cpu")


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(1, 3, 40, 48, generator=generator) for _ in range(2)]


def test_an_interrupted_trace_goes_on_as_if_it_had_not_been(script, images, tmp_path):
    gatys_trace = script("gatys_trace")
    published = {2: 1.0, 4: 2.0, 6: 1.0}

    def run(folder, limit):
        folder.mkdir(exist_ok=True)
        found = gatys_trace.Run(*images, 32, init=None, checkpoint=folder / "run.pt", device=CPU)
        wanted = {number: total for number, total in published.items() if number <= limit}
        gatys_trace.trace(found, "first", published=wanted, log=folder / "log.jsonl", every=1)
        return gatys_trace.read(folder / "log.jsonl")

    whole = run(tmp_path / "whole", 6)
    run(tmp_path / "parts", 3)
    parts = run(tmp_path / "parts", 6)
    assert [line["evaluation"] for line in parts] == [2, 4, 6]
    assert [line["total"] for line in parts] == [line["total"] for line in whole]
    assert parts[1]["ratio"] == parts[1]["total"] / 2
    assert "| first | 4 | 2 |" in gatys_trace.report(parts)


def test_the_trace_is_that_of_the_recipe(script, images, tmp_path):
    gatys_trace = script("gatys_trace")
    run = gatys_trace.Run(*images, 32, init=None, checkpoint=tmp_path / "run.pt", device=CPU)
    found = [run.step()["total"] for _ in range(4)]
    expected = gatys_2016.style_transfer(*images, edge_size=32, num_steps=4).history["total"][:4]
    assert found == pytest.approx(expected, rel=1e-5)
