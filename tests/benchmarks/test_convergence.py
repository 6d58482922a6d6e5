"""Loops, the loss of what they save, and the drawing of it."""

import math

import pytest
import torch

from pystyle.encoders import vgg19
from pystyle.images import quantise


def picture(seed, height=32, width=32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def encoder():
    return vgg19(weights=None, preprocessing="caffe")


def test_the_loop_of_crowson_clamps_each_iterate_and_saves_their_average(script):
    loops = script("loops")
    start = torch.full((1, 3, 1, 2), 0.5)
    start[..., 1] = 0.03
    reports = []

    def step(image):  # Adam with a constant gradient moves by its learning rate, which is 0.02
        return image.sum(), torch.ones_like(image)

    loops.descend(step, start, (1, 2), reports.append, loops.CROWSON_ADAM, bounds=(0, 1), decay=0.99)
    assert [report.evaluations for report in reports] == [1, 2]
    first, second = (report.image[0, 0, 0].tolist() for report in reports)
    assert first == pytest.approx([0.48, 0.01], abs=1e-5)
    assert second == pytest.approx([(0.99 * 0.48 + 0.46) / 1.99, 0.99 * 0.01 / 1.99], abs=1e-5)


def test_the_loop_of_pystyle_reports_pictures_with_falling_losses(script, encoder):
    content, style = picture(0), picture(1)
    lines = []
    loop = script("loops").pystyle_loop(history_size=5)
    script("convergence").measure(loop, content, style, (2, 6), lines.append, encoder=encoder)
    assert [line["evaluations"] for line in lines] == [2, 6]
    assert lines[1]["saved_loss"] < lines[0]["saved_loss"]
    assert 0 < lines[0]["seconds"] < lines[1]["seconds"]


def test_the_loop_of_pystyle_is_within_bounds_unless_it_is_told_otherwise(script, encoder):
    content, style = picture(0).round(), picture(1)

    def saved_loss(**options):
        lines = []
        loop = script("loops").pystyle_loop(**options)
        script("convergence").measure(loop, content, style, (4,), lines.append, encoder=encoder)
        return lines[0]["saved_loss"]

    bounded = saved_loss()
    assert bounded == saved_loss(bounds=(0.0, 1.0))
    assert bounded != saved_loss(bounds=None)


def test_the_loss_is_that_of_the_clamped_and_rounded_picture(script, encoder):
    loops = script("loops")
    content, style = picture(0), picture(1)
    wild = 3 * picture(2) - 1

    def loop(*arguments):
        report = arguments[-1]
        report(loops.Checkpoint(1, wild, 0.0, 0.0))
        report(loops.Checkpoint(2, wild * math.nan, 0.0, 0.0))

    lines = []
    script("convergence").measure(loop, content, style, (1, 2), lines.append, encoder=encoder)
    objective = script("objectives").gatys_criterion(encoder).bind({"content": content, "style": style})
    with torch.no_grad():
        assert lines[0]["saved_loss"] == float(objective(quantise(wild.clamp(0, 1))).total)
        assert lines[0]["loss"] == float(objective(wild).total)
    assert lines[1]["saved_loss"] is None


def line(loop, pair, loss, evaluations=50):
    machine = {"device": "cpu", "processor": "x", "threads": 1}
    return {
        "loop": loop,
        "pair": pair,
        "edge_size": 32,
        "evaluations": evaluations,
        "saved_loss": loss,
        "seconds": 2.0,
        "machine": machine,
    }


def test_the_drawn_loss_is_relative_to_the_lowest_of_its_pair_in_the_geometric_mean(script):
    pytest.importorskip("matplotlib")
    plots = script("plots")
    lines = [line("a", "p", 8.0), line("a", "q", 1.0), line("b", "p", 2.0), line("b", "q", 9.0)]
    lines += [line("a", "p", 4.0, 100), line("a", "q", None, 100)]
    _, (axes,) = plots.figure(1)
    plots.draw_convergence(axes, lines, "evaluations")
    drawn = {curve.get_label(): curve.get_xydata().tolist() for curve in axes.lines}
    assert drawn["a"] == [[50, pytest.approx(2.0)]]  # sqrt(8 / 2 * 1 / 1), and nothing after the divergence
    assert drawn["b"] == [[50, pytest.approx(3.0)]]  # sqrt(2 / 2 * 9 / 1)


def test_the_drawn_times_are_the_medians_of_the_clock_with_the_floor_under_them(script):
    pytest.importorskip("matplotlib")
    plots = script("plots")
    lines = [
        {
            "edge_size": side,
            "variants": {"pystyle": {"processor_seconds": side / 8, "processor_seconds_quartiles": [1, 2]}},
            "floors": {"processor_seconds": {"float32": side / 16, "bfloat16": side / 32}},
        }
        for side in (64, 32)
    ]
    _, (axes,) = plots.figure(1)
    plots.draw_step_time(axes, lines, "processor_seconds")
    drawn = {curve.get_label(): curve.get_xydata().tolist() for curve in axes.lines}
    assert drawn["pystyle"] == [[32, 4], [64, 8]]
    assert drawn["floor, float32"] == [[32, 2], [64, 4]]
    assert drawn["floor, bfloat16"] == [[32, 1], [64, 2]]


def test_a_plot_of_the_same_lines_is_the_same_file(script, tmp_path):
    pytest.importorskip("matplotlib")
    plots = script("plots")
    lines = [
        {"variant": name, "edge_size": side, "increment_mib": side / 4, "machine": {}}
        for name in ("pystyle", "pystiche")
        for side in (256, 512)
    ]
    lines.append({"variant": "pystiche", "edge_size": 1024, "failed": "exit status -9", "machine": {}})
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for file in files:
        drawing, panels = plots.figure(1)
        plots.draw_memory(panels[0], lines)
        plots.save(drawing, panels, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert ">pystiche<" in files[0].read_text()
