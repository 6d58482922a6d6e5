"""Criteria of their own for the levels of a pyramid."""

import csv
import json

import pytest
import torch

from pystyle import ContentLoss, Criterion, GramLoss, Pyramid, SlicedWassersteinLoss
from pystyle.checkpoints import CheckpointError
from pystyle.encoders import vgg11
from pystyle.runner import CSVLogger, JSONLogger


def random_image(seed, height, width):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0, 40, 48), "style": random_image(1, 44, 40)}
ENCODER = vgg11(weights=None)


def of(content, style, **more):
    losses = {"content": ContentLoss(content, relative=True), "style": GramLoss(style, relative=True)}
    return Criterion(ENCODER, {**losses, **more})


DEEP, SHALLOW = of("relu2_1", ["relu1_1", "relu2_1"]), of("relu1_1", "relu1_1")
PYRAMID = Pyramid([20, 40], num_steps=[3, 2])


def run(criteria=(DEEP, SHALLOW), **arguments):
    return PYRAMID.optimize(list(criteria), REFERENCES, **arguments)


def test_each_level_is_painted_by_its_own():
    first = Pyramid([20], num_steps=[3]).optimize(DEEP, REFERENCES)
    second = Pyramid([40], num_steps=[2]).optimize(SHALLOW, REFERENCES, init=first.image)
    assert torch.allclose(run().image, second.image, atol=1e-6)


def test_one_for_all_levels_is_the_same_as_one_for_each():
    assert torch.equal(run([DEEP, DEEP]).image, PYRAMID.optimize(DEEP, REFERENCES).image)


def test_what_is_not_computed_at_a_level_is_zero_in_the_history():
    history = run().history
    assert list(history)[3:] == [*DEEP.term_names, "edge_size", "content.relu1_1"]
    assert history["edge_size"] == [20] * 4 + [40] * 3
    # The first picture of a level is the content, at the first of them.
    assert all(history["content.relu2_1"][1:4])
    assert history["content.relu2_1"][4:] == history["style.relu2_1"][4:] == [0.0] * 3
    assert history["content.relu1_1"][:4] == [0.0] * 4
    assert all(history["content.relu1_1"][5:])
    for row, total in enumerate(history["total"]):
        parts = [history[name][row] for name in {*DEEP.term_names, *SHALLOW.term_names}]
        assert sum(parts) == pytest.approx(total)


def test_callbacks_and_logs_see_the_same_columns_at_all_levels(tmp_path):
    seen = []
    run(
        callbacks=[
            lambda step: seen.append(tuple(step.terms)),
            CSVLogger(tmp_path / "log.csv"),
            JSONLogger(tmp_path / "log.jsonl"),
        ]
    )
    assert len(seen) == 5
    assert set(seen) == {(*DEEP.term_names, "content.relu1_1")}
    with open(tmp_path / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert (
        [set(row) for row in rows]
        == [set(line) for line in lines]
        == [{"step", "seconds", "total", *seen[0]}] * 5
    )
    assert all(None not in row.values() for row in rows)


def test_a_level_that_is_too_small_is_left_out_with_its_criterion():
    pyramid = Pyramid([4, 20, 40], num_steps=[1, 3, 2])
    deepest = of("relu4_1", "relu4_1")
    result = pyramid.optimize([deepest, DEEP, SHALLOW], REFERENCES)
    assert torch.equal(result.image, run().image)


@pytest.mark.parametrize("stop", [2, 4])
def test_a_run_goes_on_with_the_criterion_of_its_level(tmp_path, stop):
    def stopping(step):
        if step.index == stop:
            raise RuntimeError("stops")

    with pytest.raises(RuntimeError, match="stops"):
        run(checkpoint=tmp_path, callbacks=[stopping])
    result = run(checkpoint=tmp_path, resume=True)
    assert torch.equal(result.image, run().image)
    assert result.history["total"] == run().history["total"]


def test_a_checkpoint_of_other_criteria_is_refused(tmp_path):
    run(checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=r"`criterion\.1\.losses"):
        run([DEEP, of("relu1_1", "relu2_1")], checkpoint=tmp_path, resume=True)
    with pytest.raises(CheckpointError, match="`criterion"):
        run([DEEP, DEEP], checkpoint=tmp_path, resume=True)


def test_the_draws_of_all_levels_are_kept(tmp_path):
    def drawing():
        loss = {"strokes": SlicedWassersteinLoss("relu1_1", num_directions=2, resample=True)}
        return [of("relu1_1", "relu1_1", **loss) for _ in range(2)]

    def stopping(step):
        if step.index == 4:
            raise RuntimeError("stops")

    with pytest.raises(RuntimeError, match="stops"):
        run(drawing(), checkpoint=tmp_path, callbacks=[stopping])
    assert torch.equal(run(drawing(), checkpoint=tmp_path, resume=True).image, run(drawing()).image)


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ([DEEP], "`criterion` must be one or one for each of 2 levels, got 1"),
        ([DEEP] * 3, "`criterion` must be one or one for each of 2 levels, got 3"),
        (
            [DEEP, Criterion(ENCODER, {"style": GramLoss("relu1_1")})],
            "`criterion` must have losses of the same names at all levels, got content, style and style",
        ),
    ],
)
def test_as_many_as_levels_with_the_same_names_are_needed(criteria, message):
    with pytest.raises(ValueError, match=message):
        run(criteria)
