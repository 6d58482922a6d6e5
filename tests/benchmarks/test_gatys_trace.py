"""The script that follows the published traces, at a small size."""

import pytest
import torch

from pystyle.papers import gatys_2016

CPU = torch.device("cpu")


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(1, 3, 40, 48, generator=generator) for _ in range(2)]


@pytest.fixture
def stage(script):
    """A stage of one of the releases at 32 pixels, with another published trace if need be."""

    def make(name, published=None):
        found = script("gatys_printed").STAGES[name]._replace(edge_size=32)
        return found if published is None else found._replace(published=published)

    return make


@pytest.mark.slow
def test_an_interrupted_trace_goes_on_as_if_it_had_not_been(script, stage, images, tmp_path):
    gatys_trace = script("gatys_trace")
    published = {2: {"total": 1.0}, 4: {"total": 2.0}, 6: {"total": 1.0}}

    def run(folder, limit):
        folder.mkdir(exist_ok=True)
        found = gatys_trace.Run(*images, stage("first"), checkpoint=folder / "run.pt", device=CPU)
        wanted = {number: losses for number, losses in published.items() if number <= limit}
        gatys_trace.trace(found, "first", published=wanted, log=folder / "log.jsonl", every=1)
        return gatys_trace.read(folder / "log.jsonl")

    whole = run(tmp_path / "whole", 6)
    run(tmp_path / "parts", 3)
    parts = run(tmp_path / "parts", 6)
    assert [line["evaluation"] for line in parts] == [2, 4, 6]
    assert [line["total"] for line in parts] == [line["total"] for line in whole]
    assert parts[1]["ratio"] == parts[1]["total"] / 2
    assert "| first | 4 | 2 |" in gatys_trace.report(parts)
    assert "relu1_1" not in gatys_trace.report(parts)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), [("first", "code"), ("torch", "torch")])
def test_the_trace_is_that_of_the_recipe(script, stage, images, tmp_path, name, variant):
    gatys_trace = script("gatys_trace")
    run = gatys_trace.Run(*images, stage(name), checkpoint=tmp_path / "run.pt", device=CPU)
    found = [run.step()["total"] for _ in range(4)]
    result = gatys_2016.style_transfer(*images, variant=variant, edge_size=32, num_steps=4)
    assert found == pytest.approx(result.history["total"][:4], rel=1e-5)


def test_each_layer_is_divided_by_what_was_printed_of_it(script, stage, images, tmp_path):
    gatys_trace = script("gatys_trace")
    printed = {"style.relu1_1": 2.0, "style.relu2_1": 4.0, "style.relu3_1": 8.0, "style.relu4_1": 1.0,
               "style.relu5_1": 0.5, "content.relu4_2": 16.0, "total": 31.5}  # fmt: skip
    run = gatys_trace.Run(*images, stage("torch"), checkpoint=tmp_path / "run.pt", device=CPU)
    gatys_trace.trace(run, "torch", published={2: printed}, log=tmp_path / "log.jsonl")
    (line,) = gatys_trace.read(tmp_path / "log.jsonl")
    assert line["layer_ratios"]["style.relu2_1"] == line["style.relu2_1"] / 4
    assert line["layer_ratios"]["content.relu4_2"] == line["content.relu4_2"] / 16
    assert line["ratio"] == line["total"] / 31.5
    assert f"| torch | 2 | {line['style.relu1_1'] / 2:.3f} |" in gatys_trace.report([line])


def test_the_printed_layers_add_up_to_the_printed_totals(script):
    printed = script("gatys_printed")
    for name in ("torch", "torch-high-resolution"):
        for losses in printed.STAGES[name].published.values():
            assert sum(losses[layer] for layer in printed.LAYERS) == pytest.approx(losses["total"], abs=0.05)
