"""A run that was over goes on with more steps: with the bytes of a run at once where there are such bytes."""

import logging
from contextlib import suppress
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    Pyramid,
    Runner,
    SlicedWassersteinLoss,
    optimize_image,
    stylize,
)
from pystyle.checkpoints import CheckpointError, CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.optim import LBFGS
from pystyle.parametrizations import LaplacianPyramid
from pystyle.runner import CosineSchedule, CSVLogger, StopOnPlateau

ADAM = partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99))


def image(seed, *shape):
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": image(0, 12, 10), "style": image(1, 9, 14)}


def criterion():
    conv = nn.Conv2d(3, 6, 3, padding=1, padding_mode="replicate")
    with torch.no_grad():
        conv.weight.copy_(torch.randn(6, 3, 3, 3, generator=torch.Generator().manual_seed(2)))
        conv.bias.zero_()
    return Criterion(
        SequentialEncoder({"conv": conv, "relu": nn.ReLU()}),
        {
            "content": ContentLoss("conv"),
            "style": GramLoss("relu"),
            # Draws anew at each evaluation, also at that of the picture in the end.
            "drawn": SlicedWassersteinLoss("relu", num_directions=3, resample=True),
        },
    )


def run(num_steps, **arguments):
    return optimize_image(criterion(), REFERENCES, num_steps=num_steps, **arguments)


def climb(num_steps, **arguments):
    return Pyramid([6, 8, 10], num_steps).optimize(criterion(), REFERENCES, **arguments)


MADE = []


def listed_adam(parameters):
    MADE.append(ADAM(parameters))
    return MADE[-1]


class Stops(Exception):  # noqa: N818
    pass


def stop_at(index, error=Stops):
    def callback(step):
        if step.index == index:
            raise error

    return callback


def check_equal(result, expected):
    assert torch.equal(result.image, expected.image)
    assert result.stop_reason == expected.stop_reason
    for name in set(expected.history) - {"seconds"}:
        assert result.history[name] == expected.history[name]


RUNS = {
    "LBFGS": {},
    "Adam": {"optimizer": ADAM, "averaging": 0.9},
    "momentum": {"optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9)},
    "Laplacian": {"parametrization": LaplacianPyramid},
    "unbounded": {"bounds": None},
}


@pytest.mark.parametrize("name", RUNS)
def test_a_finished_run_goes_on_as_if_more_had_been_asked_for_at_once(name, tmp_path, caplog):
    run(4, checkpoint=tmp_path, **RUNS[name])
    with caplog.at_level(logging.INFO, "pystyle"):
        longer = run(9, checkpoint=tmp_path, resume=True, **RUNS[name])
    check_equal(longer, run(9, **RUNS[name]))
    assert caplog.messages == [
        f"The run goes on after step 4, from '{tmp_path}', as if 9 steps had been asked for at once."
    ]
    # And once more.
    check_equal(run(11, checkpoint=tmp_path, resume=True, **RUNS[name]), run(11, **RUNS[name]))


@pytest.mark.parametrize("interrupt", [Stops, KeyboardInterrupt])
@pytest.mark.parametrize("now", [9, 5, 3])
def test_a_stopped_run_goes_on_to_another_number_of_steps(interrupt, now, tmp_path):
    with suppress(Stops):
        run(6, checkpoint=tmp_path, callbacks=[stop_at(4, interrupt)])
    check_equal(run(now, checkpoint=tmp_path, resume=True), run(now))


def test_a_run_that_goes_on_longer_may_be_interrupted(tmp_path):
    run(4, checkpoint=tmp_path)
    with pytest.raises(Stops):
        run(9, checkpoint=tmp_path, resume=True, callbacks=[stop_at(7)])
    check_equal(run(9, checkpoint=tmp_path, resume=True), run(9))


def test_a_run_that_a_callback_ended_goes_on_when_more_steps_are_asked_for(tmp_path):
    first = run(40, checkpoint=tmp_path, callbacks=[StopOnPlateau(patience=3, tolerance=0.9)])
    assert first.steps < 10
    longer = run(41, checkpoint=tmp_path, resume=True)
    assert (longer.stop_reason, longer.steps) == ("finished", 41)
    check_equal(longer, run(41))


def test_a_log_goes_on(tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    run(3, checkpoint=tmp_path / "run", callbacks=[log])
    run(5, checkpoint=tmp_path / "run", callbacks=[log], resume=True)
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("start", [run, lambda steps, **rest: climb([2, 2, steps - 4], **rest)])
def test_fewer_steps_than_were_taken_are_refused(start, tmp_path):
    start(9, checkpoint=tmp_path)
    with pytest.raises(CheckpointError) as caught:
        start(7, checkpoint=tmp_path, resume=True)
    assert str(caught.value) == (
        f"The checkpoint of step 9 in '{tmp_path}' has 9 steps behind it, and `num_steps` asks for 7 only. "
        "Ask for at least as many, or name another folder."
    )


@pytest.mark.parametrize("optimizer", [ADAM, LBFGS])
@pytest.mark.parametrize(
    ("before", "stopped_at", "now"),
    [
        ([3, 2, 2], None, [3, 2, 5]),
        ([3, 2, 4], 7, [3, 2, 5]),
        # Levels that have not begun may have any number.
        ([3, 2, 4], 5, [3, 4, 2]),
        ([3, 2, 4], 2, [5, 1, 1]),
        ([3, 2, 4], 2, [2, 1, 1]),
    ],
)
def test_a_pyramid_goes_on_as_if_more_had_been_asked_for_at_its_level(
    optimizer, before, stopped_at, now, tmp_path
):
    arguments = {"optimizer": optimizer, "level_weights": {"content": [1.0, 0.5, 2.0]}}
    if stopped_at is None:
        climb(before, checkpoint=tmp_path, **arguments)
    else:
        with pytest.raises(Stops):
            climb(before, checkpoint=tmp_path, callbacks=[stop_at(stopped_at)], **arguments)
    check_equal(climb(now, checkpoint=tmp_path, resume=True, **arguments), climb(now, **arguments))


def from_picture(first, num_steps, caplog, reason):
    """Check what is said, and what the rest of a run is: steps from the picture of the first."""
    (message,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert f"from the picture in '{first}', to step {num_steps}." in message
    assert reason in message


def test_schedules_have_a_run_go_on_from_its_picture(tmp_path, caplog):
    schedules = {"style": CosineSchedule(1.0, 0.1)}
    first = run(4, checkpoint=tmp_path, schedules=schedules)
    longer = run(9, checkpoint=tmp_path, schedules=schedules, resume=True)
    from_picture(tmp_path, 9, caplog, "the weights follow schedules")
    assert longer.history["step"] == list(range(10))
    assert longer.history["total"][:4] == first.history["total"][:4]
    # The fifth step starts from the picture, with the weight of half of a run: (1 + 0.1) / 2 and not 0.1.
    ratio = longer.history["style.relu"][4] / first.history["style.relu"][4]
    assert ratio == pytest.approx(5.5, rel=1e-4)
    assert not torch.equal(longer.image, run(9, schedules=schedules).image)


def test_a_run_from_its_picture_may_be_interrupted(tmp_path):
    arguments = {"schedules": {"style": CosineSchedule(1.0, 0.1)}, "optimizer": ADAM, "averaging": 0.9}
    for folder in ("a", "b"):
        run(4, checkpoint=tmp_path / folder, **arguments)
    whole = run(9, checkpoint=tmp_path / "a", resume=True, **arguments)
    with pytest.raises(Stops):
        run(
            9,
            checkpoint=Checkpoints(tmp_path / "b", steps=1),
            resume=True,
            callbacks=[stop_at(7)],
            **arguments,
        )
    check_equal(run(9, checkpoint=tmp_path / "b", resume=True, **arguments), whole)


def test_coarse_levels_with_more_steps_have_a_pyramid_go_on_from_its_picture(tmp_path, caplog):
    first = climb([3, 2, 2], checkpoint=tmp_path)
    longer = climb([4, 4, 6], checkpoint=tmp_path, resume=True)
    from_picture(tmp_path, 14, caplog, "levels that are over have another number of steps")
    assert longer.steps == 14
    # The steps that the first two levels lack are taken at the last, from the picture of before.
    assert longer.history["edge_size"] == [6] * 4 + [8] * 3 + [10] * 10
    assert longer.history["total"][:9] == first.history["total"][:9]
    for name in ("content.conv", "style.relu"):
        assert longer.history[name][9] == first.history[name][9]
    caplog.clear()
    climb([4, 4, 7], checkpoint=tmp_path, resume=True)
    from_picture(tmp_path, 15, caplog, "levels that are over have another number of steps")


def test_the_moments_of_adam_stay_with_the_picture(tmp_path):
    counted = partial(
        run, optimizer=listed_adam, schedules={"style": CosineSchedule(1.0, 0.1)}, checkpoint=tmp_path
    )
    counted(4)
    counted(6, resume=True)
    assert [float(state["step"]) for state in MADE[-1].state.values()] == [6.0]


def test_nothing_is_left_to_do_but_is_no_error(tmp_path, caplog):
    climb([3, 2, 2], checkpoint=tmp_path)
    result = climb([2, 3, 2], checkpoint=tmp_path, resume=True)
    assert result.steps == 7
    assert "did not move" not in caplog.text


class Noisy(Runner):
    def __init__(self, evaluator, image, **arguments):
        super().__init__(evaluator, image, **arguments)
        self.generator = torch.Generator().manual_seed(0)

    def evaluate(self, image):
        terms, gradient = super().evaluate(image)
        return terms, gradient + 1e-3 * torch.randn(image.shape, generator=self.generator)

    def state_dict(self):
        return {**super().state_dict(), "noise": self.generator.get_state()}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.generator.set_state(state["noise"])


def test_a_runner_of_ones_own_goes_on_longer(tmp_path):
    arguments = {"runner": Noisy, "optimizer": ADAM}
    run(4, checkpoint=tmp_path, **arguments)
    check_equal(run(9, checkpoint=tmp_path, resume=True, **arguments), run(9, **arguments))


@pytest.mark.slow
def test_stylize_goes_on_longer_at_its_last_level(tmp_path, caplog):
    photo, painting, encoder = image(0, 24, 32), image(1, 32, 32), vgg11(weights=None)

    def paint(num_steps, **arguments):
        return stylize(
            photo,
            painting,
            encoder=encoder,
            edge_size=(16, 24),
            num_steps=num_steps,
            device="cpu",
            **arguments,
        )

    paint((2, 2), checkpoint=tmp_path)
    check_equal(paint((2, 4), checkpoint=tmp_path, resume=True), paint((2, 4)))
    # A single number is divided among all levels.
    assert paint(12, checkpoint=tmp_path, resume=True).steps == 12
    from_picture(tmp_path, 12, caplog, "levels that are over have another number of steps")
    assert CheckpointFolder(tmp_path).steps()[-1] == 12
