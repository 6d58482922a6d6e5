"""A run that goes on from a checkpoint ends with the bytes of one that was not interrupted."""

import copy
import csv
import json
import logging
import os
import re
import threading
import time
from enum import Enum
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    MaskedImage,
    PatchNCELoss,
    Pyramid,
    RelaxedEMDLoss,
    Runner,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    Terms,
    optimize_image,
    stylize,
)
from pystyle.checkpoints import CheckpointError, CheckpointFolder, Checkpoints, decode
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution
from pystyle.runner import CosineSchedule, CSVLogger, JSONLogger, StopOnPlateau

ADAM = partial(torch.optim.Adam, lr=0.02, betas=(0.9, 0.99))
LINE_SEARCH = partial(torch.optim.LBFGS, max_iter=3, line_search_fn="strong_wolfe")
STEPS = 9


def image(seed, *shape):
    return torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": image(0, 12, 10), "style": image(1, 9, 14)}


def encoder():
    generator = torch.Generator().manual_seed(2)
    conv = nn.Conv2d(3, 6, 3, padding=1, padding_mode="replicate")
    with torch.no_grad():
        conv.weight.copy_(torch.randn(6, 3, 3, 3, generator=generator))
        conv.bias.zero_()
    return SequentialEncoder({"conv": conv, "relu": nn.ReLU()})


def criterion(**losses):
    return Criterion(encoder(), {"content": ContentLoss("conv"), "style": GramLoss("relu"), **losses})


def drawing():
    """A criterion whose losses draw anew each time, for their targets and magnitudes too."""
    return criterion(
        sliced=SlicedWassersteinLoss("relu", num_directions=3, resample=True, relative=True),
        transport=RelaxedEMDLoss("relu", num_samples=20, num_image_samples=10, resample=True, relative=True),
        similarity=SelfSimilarityLoss("relu", num_samples=12, resample=True),
        contrast=PatchNCELoss("relu", num_samples=12, resample=True),
    )


class Stops(Exception):  # noqa: N818
    pass


class StopsAt:
    """A callback that raises at one step of one run."""

    def __init__(self, step, error=Stops):
        self.step, self.error = step, error

    def __call__(self, step):
        if step.index == self.step:
            raise self.error


def interrupted(run, folder, step, callbacks=()):
    with pytest.raises(Stops):
        run(callbacks=[*callbacks, StopsAt(step)], checkpoint=folder)


def check_equal(result, expected):
    assert torch.equal(result.image, expected.image)
    assert result.stop_reason == expected.stop_reason
    assert set(result.history) == set(expected.history)
    for name in set(expected.history) - {"seconds"}:
        assert result.history[name] == expected.history[name]
    assert result.history["seconds"] == sorted(result.history["seconds"])


RUNS = {
    "LBFGS": {},
    "damped, short history": {"optimizer": partial(LBFGS, damping=0.2, history_size=3)},
    "half history": {"optimizer": partial(LBFGS, history_bytes=4 * 4 * 360)},
    "unbounded": {"bounds": None},
    "Adam": {"optimizer": ADAM, "averaging": 0.9},
    "AMSGrad": {"optimizer": partial(torch.optim.Adam, lr=0.02, amsgrad=True)},
    "momentum": {"optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9)},
    "LBFGS of torch": {"optimizer": partial(torch.optim.LBFGS, lr=0.2, max_iter=2)},
    "line search": {"optimizer": LINE_SEARCH},
    "Laplacian": {"parametrization": LaplacianPyramid},
    "Fourier": {"parametrization": Fourier, "optimizer": ADAM},
    "low resolution": {"parametrization": partial(LowResolution, factor=2)},
    "strips": {"evaluation": StripEvaluation(4)},
    "bfloat16": {"evaluation": EagerEvaluation("bfloat16")},
    "schedule": {"schedules": {"style": CosineSchedule(1.0, 0.1)}},
    "noise": {"init": "uniform", "seed": 7},
    "size": {"init": (11, 13), "seed": 7},
}


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2, 6, STEPS])
@pytest.mark.parametrize("name", RUNS)
def test_an_exception_loses_no_accepted_step_and_no_byte(name, step, tmp_path):
    def run(**arguments):
        references = REFERENCES if name != "size" else {**REFERENCES, "content": image(5, 11, 13)}
        return optimize_image(criterion(), references, num_steps=STEPS, **RUNS[name], **arguments)

    interrupted(run, tmp_path, step)
    # The step whose callback failed was not accepted: the callback sees it again.
    assert CheckpointFolder(tmp_path).steps()[-1] == step - 1
    seen = []
    resumed = run(checkpoint=tmp_path, resume=True, callbacks=[lambda step: seen.append(step.index)])
    assert seen == list(range(step, STEPS + 1))
    check_equal(resumed, run())


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [ADAM, LBFGS])
@pytest.mark.parametrize("step", [1, 3, 4, 5, 8, 9, 10, 12])
def test_a_pyramid_goes_on_in_the_middle_of_a_level(optimizer, step, tmp_path):
    def run(**arguments):
        pyramid = Pyramid([6, 8, 10], num_steps=4)
        return pyramid.optimize(
            drawing(),
            REFERENCES,
            optimizer=optimizer,
            averaging=0.8,
            style_scale=0.8,
            schedules={"style": CosineSchedule(1.0, 0.1)},
            level_weights={"content": [1.0, 0.5, 2.0]},
            **arguments,
        )

    interrupted(run, tmp_path, step)
    assert CheckpointFolder(tmp_path).steps()[-1] == step - 1
    check_equal(run(checkpoint=tmp_path, resume=True), run())


@pytest.mark.parametrize("step", [1, 4])
def test_losses_that_draw_anew_go_on_drawing_where_they_were(step, tmp_path):
    def run(losses, **arguments):
        return optimize_image(losses, REFERENCES, optimizer=ADAM, num_steps=6, **arguments)

    interrupted(partial(run, drawing()), tmp_path, step)
    # Also those that have drawn before.
    used = drawing()
    run(used)
    check_equal(run(used, checkpoint=tmp_path, resume=True), run(drawing()))


def test_losses_name_the_generators_that_they_go_on_drawing_from():
    for loss in (SlicedWassersteinLoss, PatchNCELoss, SelfSimilarityLoss):
        assert loss("relu").generators() == ()
        assert [
            generator.initial_seed() for generator in loss("relu", resample=True, seed=5).generators()
        ] == [5]
    assert GramLoss("relu").generators() == ()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_while_the_end_of_a_level_is_written_loses_no_step(error, signals, tmp_path, monkeypatch):
    pyramid = Pyramid([6, 12], num_steps=STEPS)
    expected = pyramid.optimize(criterion(), REFERENCES)
    write, left = CheckpointFolder.write, [error] * signals

    def interrupted(folder, step, state):
        if step == STEPS and left:
            raise left.pop()
        write(folder, step, state)

    monkeypatch.setattr(CheckpointFolder, "write", interrupted)
    every = Checkpoints(tmp_path / "run", steps=1000)
    try:
        pyramid.optimize(criterion(), REFERENCES, checkpoint=every)
    except SystemExit:
        assert error is SystemExit
    # A second signal leaves at once, with the checkpoint before.
    assert CheckpointFolder(tmp_path / "run").steps()[-1] == (STEPS if signals == 1 else 0)
    result = pyramid.optimize(criterion(), REFERENCES, checkpoint=every, resume=True)
    assert torch.equal(result.image, expected.image)


@pytest.mark.parametrize("pyramid", [False, True])
def test_ctrl_c_while_the_end_is_written_gives_the_picture(pyramid, tmp_path, monkeypatch):
    run = Pyramid([10], num_steps=2).optimize if pyramid else partial(optimize_image, num_steps=2)
    expected, write, left = run(criterion(), REFERENCES), CheckpointFolder.write, [KeyboardInterrupt]

    def interrupted(folder, step, state):
        if step == 2 and left:
            raise left.pop()
        write(folder, step, state)

    monkeypatch.setattr(CheckpointFolder, "write", interrupted)
    result = run(criterion(), REFERENCES, checkpoint=Checkpoints(tmp_path, steps=1000))
    assert result.interrupted
    assert result.steps == 2
    assert torch.equal(result.image, expected.image)
    assert CheckpointFolder(tmp_path).steps()[-1] == 2


def test_a_run_may_be_interrupted_many_times(tmp_path):
    for step in range(1, STEPS):
        result = optimize_image(
            criterion(),
            REFERENCES,
            num_steps=STEPS,
            callbacks=[StopsAt(step, KeyboardInterrupt)],
            checkpoint=tmp_path,
            resume=True,
        )
        assert (result.stop_reason, result.failed) == ("interrupted", True)
    resumed = optimize_image(criterion(), REFERENCES, num_steps=STEPS, checkpoint=tmp_path, resume=True)
    check_equal(resumed, optimize_image(criterion(), REFERENCES, num_steps=STEPS))


def test_a_finished_run_gives_its_result_again(tmp_path):
    run = partial(
        optimize_image,
        criterion(),
        REFERENCES,
        num_steps=4,
        optimizer=ADAM,
        averaging=0.9,
        checkpoint=tmp_path,
    )
    first = run()
    check_equal(run(resume=True, callbacks=[StopsAt(1)]), first)


def test_a_run_that_a_callback_ended_stays_ended(tmp_path):
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=40, checkpoint=tmp_path)
    stop = partial(StopOnPlateau, patience=3, tolerance=0.9)
    first = run(callbacks=[stop()])
    assert first.stop_reason.startswith("plateau")
    check_equal(run(resume=True, callbacks=[stop()]), first)


def test_a_plateau_is_measured_across_the_interruption(tmp_path):
    def run(callbacks=(), **arguments):
        stop = StopOnPlateau(patience=3, tolerance=0.9)
        return optimize_image(
            criterion(), REFERENCES, num_steps=40, callbacks=[stop, *callbacks], **arguments
        )

    whole = run()
    assert whole.history["step"] == [0, 1, 2, 3, 4]
    interrupted(run, tmp_path, 3)
    check_equal(run(checkpoint=tmp_path, resume=True), whole)


@pytest.mark.parametrize("logger", [CSVLogger, JSONLogger])
@pytest.mark.parametrize("step", [1, 3])
def test_a_log_has_each_step_once(logger, step, tmp_path):
    path = tmp_path / "log"
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=5, checkpoint=tmp_path / "run")
    with pytest.raises(Stops):
        # The logger has written the step that was not accepted.
        run(callbacks=[logger(path), StopsAt(step)])
    with path.open("a") as file:
        file.write("half of a row")
    result = run(callbacks=[lambda _: None, logger(path)], resume=True)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file)) if logger is CSVLogger else [json.loads(line) for line in file]
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5]
    assert [float(row["total"]) for row in rows] == result.history["total"][:-1]


def test_a_log_that_was_lost_is_missed(tmp_path, caplog):
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=4, checkpoint=tmp_path / "run")
    with pytest.raises(Stops):
        run(callbacks=[CSVLogger(tmp_path / "log.csv"), StopsAt(3)])
    (tmp_path / "log.csv").unlink()
    run(callbacks=[CSVLogger(tmp_path / "log.csv")], resume=True)
    assert "lacks rows that were written before the checkpoint" in caplog.text
    assert (tmp_path / "log.csv").read_text().splitlines()[0].startswith("step,")


def test_a_log_in_the_colours_of_the_photograph_has_each_step_once(tmp_path):
    photo, painting = image(0, 24, 32), image(1, 32, 32)

    def run(**arguments):
        return stylize(
            photo,
            painting,
            edge_size=24,
            num_steps=4,
            encoder=vgg11(weights=None),
            colors="luminance",
            device="cpu",
            **arguments,
        )

    log = tmp_path / "log.csv"
    with pytest.raises(Stops):
        run(callbacks=[CSVLogger(log), StopsAt(3)], checkpoint=tmp_path / "run")
    resumed = run(callbacks=[CSVLogger(log)], checkpoint=tmp_path / "run", resume=True)
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["step", "1", "2", "3", "4"]
    check_equal(resumed, run())


def test_checkpoints_are_written_after_so_many_steps(tmp_path):
    found = []
    optimize_image(
        criterion(),
        REFERENCES,
        num_steps=8,
        checkpoint=Checkpoints(tmp_path, steps=3),
        callbacks=[lambda _: found.append(CheckpointFolder(tmp_path).steps())],
    )
    assert found == [[0], [0], [0], [0, 3], [0, 3], [0, 3], [3, 6], [3, 6]]
    assert CheckpointFolder(tmp_path).steps() == [6, 8]


def test_checkpoints_are_written_after_so_many_seconds(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    found = []

    def tick(step):
        # It jumps back once.
        clock[0] += 10 if step.index != 4 else -25
        found.append(CheckpointFolder(tmp_path).steps()[-1])

    optimize_image(
        criterion(), REFERENCES, num_steps=10, checkpoint=Checkpoints(tmp_path, 20.0), callbacks=[tick]
    )
    # It stands at 20, 30, 5, 15, 25, 35 and 45 after the steps 2 to 8.
    assert found == [0, 0, 2, 2, 2, 2, 2, 2, 8, 8]


def test_a_checkpointed_run_of_the_usual_size_is_the_run_without(tmp_path):
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=25)
    check_equal(run(checkpoint=tmp_path), run())


@pytest.mark.slow
def test_a_large_history_is_kept_small(tmp_path):
    """As many pairs in bfloat16 as 80 MB have room for: at 200 x 5000 pixels 80e6 / (4 * 3e6), six."""
    start = torch.zeros(1, 3, 200, 5000)
    run = partial(
        optimize_image, Criterion(encoder(), {"content": ContentLoss("conv")}), {"content": start + 0.5}
    )
    run(init=start, num_steps=1, checkpoint=tmp_path)
    state = decode((tmp_path / "checkpoint-00000001.safetensors").read_bytes())
    memory = state["runner"]["iterate"]["optimizer"]["state"][0]
    assert memory["steps"].shape == memory["changes"].shape == (6, 3_000_000)
    assert memory["steps"].dtype == torch.bfloat16
    assert os.path.getsize(tmp_path / "checkpoint-00000001.safetensors") < 150e6 * 3 / 3.14


def test_a_folder_with_checkpoints_is_not_overwritten(tmp_path):
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=2, checkpoint=tmp_path)
    run()
    before = [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())]
    with pytest.raises(ValueError, match=r"has the checkpoints of a run\. Go on with `resume=True`, or name"):
        run()
    assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == before


def test_without_a_checkpoint_the_run_starts_at_its_beginning(tmp_path):
    seen = []
    optimize_image(
        criterion(),
        REFERENCES,
        num_steps=2,
        checkpoint=tmp_path / "run",
        resume=True,
        callbacks=[lambda step: seen.append(step.index)],
    )
    assert seen == [1, 2]
    with pytest.raises(
        ValueError, match=r"`resume` needs a folder with checkpoints\. Give `checkpoint` as well"
    ):
        optimize_image(criterion(), REFERENCES, num_steps=2, resume=True)


CHANGES = {
    "optimizer": (
        {"optimizer": ADAM},
        "`optimizer` was pystyle.optim._lbfgs.LBFGS and is torch.optim.adam.Adam",
    ),
    "rate": ({"optimizer": partial(LBFGS, lr=0.5)}, r"`optimizer.lr` was not there and is 0\.5"),
    "bounds": ({"bounds": (0.0, 0.5)}, r"`bounds.1` was 1\.0 and is 0\.5"),
    "averaging": ({"averaging": 0.5}, r"`averaging` was None and is 0\.5"),
    "init": ({"init": "grey"}, "`init` was 'content' and is 'grey'"),
    "seed": ({"seed": 3}, "`seed` was None and is 3"),
    "evaluation": (
        {"evaluation": EagerEvaluation("bfloat16")},
        "`evaluation.precision` was 'float32' and is 'bf",
    ),
    "parametrization": ({"parametrization": Fourier}, "`parametrization` was .*Pixels and is .*Fourier"),
    "style": (
        {"references": {**REFERENCES, "style": image(8, 9, 14)}},
        "`references.style` was float32 of 1 x 3 x 9 x 14 with the SHA-256 [0-9a-f]{16} and is float32",
    ),
    "loss": (
        {"criterion": criterion(style=GramLoss("relu", weight=2.0))},
        r"`criterion.losses.style.weight` was 1\.0 and is 2\.0",
    ),
    "weights": (
        {"criterion": Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})},
        "is of another run: `criterion.",
    ),
}


class Norm(Enum):
    L1 = "sum"
    LARGEST = "max"


class NormLoss(ContentLoss):
    def __init__(self, norm):
        super().__init__("conv")
        self.norm = norm


def test_a_loss_with_another_member_is_of_another_run(tmp_path):
    arguments = {"references": REFERENCES, "num_steps": 1, "checkpoint": tmp_path}
    optimize_image(criterion(content=NormLoss(Norm.L1)), **arguments)
    with pytest.raises(CheckpointError, match=r"content\.norm` was .*Norm\.L1 and is .*Norm\.LARGEST"):
        optimize_image(criterion(content=NormLoss(Norm.LARGEST)), **arguments, resume=True)


def test_a_run_that_nothing_tells_from_another_has_no_checkpoints(tmp_path):
    losses = criterion(content=NormLoss(threading.Lock()))
    with pytest.raises(TypeError, match=r"content\.norm` is a _thread\.lock, and nothing tells"):
        optimize_image(losses, REFERENCES, num_steps=1, checkpoint=tmp_path / "run")


@pytest.mark.parametrize("name", CHANGES)
def test_another_configuration_is_refused_with_what_differs(name, tmp_path):
    arguments = {"criterion": criterion(), "references": REFERENCES, "num_steps": 5}
    optimize_image(**arguments, checkpoint=tmp_path)
    changed, message = CHANGES[name]
    with pytest.raises(CheckpointError, match=message) as caught:
        optimize_image(**{**arguments, **changed}, checkpoint=tmp_path, resume=True)
    assert str(caught.value).startswith(f"The checkpoint of step 5 in '{tmp_path}' is of another run: ")
    assert str(caught.value).endswith(" Give the arguments of that run, or name another folder.")


@pytest.mark.parametrize("given", [(0, 1), [0, 1.0], np.float32([0, 1]), torch.tensor([0, 1])], ids=repr)
def test_bounds_are_the_same_in_whatever_numbers_they_are_given(given, tmp_path):
    optimize_image(criterion(), REFERENCES, num_steps=1, bounds=given, checkpoint=tmp_path)
    assert optimize_image(criterion(), REFERENCES, num_steps=2, checkpoint=tmp_path, resume=True).steps == 2


def test_levels_have_the_same_weights_and_bounds_in_whatever_numbers_they_are_given(tmp_path):
    pyramid = Pyramid([9, 12], num_steps=1)
    given = {"bounds": np.array([0, 1]), "level_weights": {"style": np.array([1, 2])}}
    first = pyramid.optimize(criterion(), REFERENCES, checkpoint=tmp_path, **given)
    again = {"bounds": (0.0, 1.0), "level_weights": {"style": [1.0, 2.0]}}
    check_equal(pyramid.optimize(criterion(), REFERENCES, checkpoint=tmp_path, resume=True, **again), first)


def test_another_mask_or_schedule_is_refused(tmp_path):
    losses = criterion(style=GramLoss("relu").within("sky"))

    def run(height, **arguments):
        mask = torch.zeros(1, 1, 12, 10)
        mask[:, :, :height] = 1
        references = {**REFERENCES, "content": MaskedImage(REFERENCES["content"], {"sky": mask})}
        return optimize_image(losses, references, num_steps=2, checkpoint=tmp_path, **arguments)

    first = run(6)
    check_equal(run(6, resume=True), first)
    with pytest.raises(
        CheckpointError, match=r"`references\.content\.masks\.sky` was float32 of 1 x 1 x 12 x 10"
    ):
        run(7, resume=True)
    with pytest.raises(
        CheckpointError, match=r"`schedules` was None and is not there; `schedules\.style` was not"
    ):
        run(6, resume=True, schedules={"style": CosineSchedule(1.0, 0.5)})


def test_another_pyramid_is_refused(tmp_path):
    Pyramid([6, 8], num_steps=2).optimize(criterion(), REFERENCES, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match=r"`pyramid.edge_sizes.1` was 8 and is 9"):
        Pyramid([6, 9], num_steps=2).optimize(criterion(), REFERENCES, checkpoint=tmp_path, resume=True)
    with pytest.raises(CheckpointError, match=r"`style_scale` was 1\.0 and is 1\.5"):
        Pyramid([6, 8], num_steps=2).optimize(
            criterion(), REFERENCES, style_scale=1.5, checkpoint=tmp_path, resume=True
        )


def test_another_number_of_threads_is_said(tmp_path, caplog):
    threads = torch.get_num_threads()
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=4, checkpoint=tmp_path)
    with pytest.raises(Stops):
        run(callbacks=[StopsAt(3)])
    try:
        torch.set_num_threads(threads + 1)
        run(resume=True)
    finally:
        torch.set_num_threads(threads)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage() == (
        f"The run goes on elsewhere, and its bytes may differ: `threads` was {threads} and is {threads + 1}."
    )


def test_where_a_run_goes_on_is_said(tmp_path, caplog):
    run = partial(optimize_image, criterion(), REFERENCES, num_steps=4, checkpoint=tmp_path)
    with pytest.raises(Stops):
        run(callbacks=[StopsAt(3)])
    with caplog.at_level(logging.INFO, "pystyle"):
        run(resume=True)
    assert [record.getMessage() for record in caplog.records] == [
        f"The run goes on after step 2, from '{tmp_path}'."
    ]


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(tmp_path, caplog):
    run = partial(
        optimize_image, criterion(), REFERENCES, num_steps=8, checkpoint=Checkpoints(tmp_path, steps=2)
    )
    with pytest.raises(Stops):
        run(callbacks=[StopsAt(6)])
    path = tmp_path / "checkpoint-00000005.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    seen = []
    resumed = run(resume=True, callbacks=[lambda step: seen.append(step.index)])
    assert seen == [5, 6, 7, 8]
    assert "checkpoint-00000005.safetensors' is damaged and left out" in caplog.text
    check_equal(resumed, optimize_image(criterion(), REFERENCES, num_steps=8))


class Breaks(GramLoss):
    """Its evaluation number `call` raises."""

    def __init__(self, call, error):
        super().__init__("relu")
        self._call, self._error, self._calls = call, error, 0

    def compare(self, representation, target):
        self._calls += 1
        if self._calls == self._call:
            raise self._error
        return super().compare(representation, target)


@pytest.mark.slow
@pytest.mark.parametrize("call", range(1, 14))
@pytest.mark.parametrize("error", [Stops, KeyboardInterrupt, MemoryError, SystemExit])
def test_an_error_in_the_middle_of_a_line_search_loses_no_accepted_step(call, error, tmp_path):
    def run(call=0, **arguments):
        losses = criterion(style=Breaks(call, error("The loss failed.")))
        return optimize_image(losses, REFERENCES, optimizer=LINE_SEARCH, num_steps=4, **arguments)

    accepted = []
    arguments = {"checkpoint": tmp_path, "callbacks": [lambda step: accepted.append(step.index)]}
    if error is KeyboardInterrupt:
        assert run(call, **arguments).stop_reason == "interrupted"
    else:
        with pytest.raises(error, match="The loss failed"):
            run(call, **arguments)
    assert CheckpointFolder(tmp_path).steps()[-1] == max(accepted, default=0)
    check_equal(run(checkpoint=tmp_path, resume=True), run())


def test_a_folder_that_was_deleted_during_the_run_is_made_again(tmp_path):
    def delete(step):
        if step.index == 3:
            for path in (tmp_path / "run").iterdir():
                path.unlink()
            (tmp_path / "run").rmdir()

    run = partial(optimize_image, criterion(), REFERENCES, num_steps=5)
    result = run(checkpoint=Checkpoints(tmp_path / "run", steps=1), callbacks=[delete])
    check_equal(result, run())
    assert CheckpointFolder(tmp_path / "run").steps() == [4, 5]


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(tmp_path, monkeypatch, caplog):
    fsync, calls = os.fsync, []

    def fail(file):
        calls.append(file)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        fsync(file)

    run = partial(optimize_image, criterion(), REFERENCES, num_steps=5)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        result = run(checkpoint=Checkpoints(tmp_path, steps=1))
    check_equal(result, run())
    assert sorted(os.listdir(tmp_path)) == [
        "checkpoint-00000000.safetensors",
        "checkpoint-00000001.safetensors",
    ]
    assert re.search(r"step 5 could not be written: .* Cannot write .*: No space left on device", caplog.text)
    check_equal(run(checkpoint=tmp_path, resume=True), result)


def test_a_first_checkpoint_that_cannot_be_written_ends_the_run_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    seen = []
    with pytest.raises(OSError, match="file"):
        optimize_image(
            criterion(), REFERENCES, num_steps=2, checkpoint=tmp_path / "file", callbacks=[seen.append]
        )
    assert seen == []


def test_a_second_ctrl_c_leaves_at_once(tmp_path, monkeypatch):
    replace = os.replace

    def interrupt(source, destination):
        if "00000002" in str(destination):
            raise KeyboardInterrupt
        replace(source, destination)

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        optimize_image(
            criterion(),
            REFERENCES,
            num_steps=5,
            checkpoint=tmp_path,
            callbacks=[StopsAt(3, KeyboardInterrupt)],
        )
    assert os.listdir(tmp_path) == ["checkpoint-00000000.safetensors"]


@pytest.mark.parametrize("level", [0, 1])
def test_a_second_ctrl_c_leaves_every_level_of_a_pyramid_at_once(level, tmp_path, monkeypatch):
    last, write = 3 * level + 2, CheckpointFolder.write

    def interrupted(folder, step, state):
        if step == last:
            raise KeyboardInterrupt
        write(folder, step, state)

    monkeypatch.setattr(CheckpointFolder, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Pyramid([6, 12], num_steps=3).optimize(
            criterion(),
            REFERENCES,
            checkpoint=Checkpoints(tmp_path, steps=1000),
            callbacks=[StopsAt(last + 1, KeyboardInterrupt)],
        )
    assert CheckpointFolder(tmp_path).steps()[-1] == 3 * level


def test_a_thread_can_have_checkpoints(tmp_path):
    results = []

    def work():
        results.append(optimize_image(criterion(), REFERENCES, num_steps=2, checkpoint=tmp_path))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    check_equal(results[0], optimize_image(criterion(), REFERENCES, num_steps=2))


@pytest.mark.parametrize("optimizer", [ADAM, LBFGS])
def test_a_runner_goes_on_from_the_state_of_another_and_shares_nothing_with_it(optimizer):
    def runner():
        evaluator = EagerEvaluation().bind(criterion(), REFERENCES)
        return Runner(evaluator, REFERENCES["content"], optimizer=optimizer, averaging=0.9)

    first, second, whole = runner(), runner(), runner()
    first.run(3)
    # With its last row a run knows more than its state: the terms of the picture, which no step started from.
    state = copy.deepcopy(first.state_dict())
    state["record"]["rows"], state["record"]["seconds"] = (
        state["record"][name][:-1] for name in ("rows", "seconds")
    )
    second.load_state_dict(first.state_dict() | {"record": state["record"]})
    first.run(6)
    check_equal(second.run(6), whole.run(6))


class NotANumberAt:
    """An evaluator whose evaluation number `call` has a loss of NaN."""

    def __init__(self, call):
        self.evaluator = EagerEvaluation().bind(criterion(), REFERENCES)
        self.call, self.calls = call, 0

    def __call__(self, image):
        self.calls += 1
        terms, gradient = self.evaluator(image)
        factor = torch.nan if self.calls == self.call else 1.0
        return Terms({name: term * factor for name, term in terms.items()}), gradient

    def terms(self, image):
        return self.evaluator.terms(image)


@pytest.mark.parametrize("optimizer", [ADAM, LBFGS])
def test_a_run_that_diverges_after_it_went_on_keeps_the_same_last_good_iterate(optimizer):
    def runner(call):
        return Runner(NotANumberAt(call), REFERENCES["content"], optimizer=optimizer)

    states = []
    runner(0).run(3, keep=lambda state: states.append(copy.deepcopy(state)))
    resumed = runner(1)
    resumed.load_state_dict(states[3])
    result, expected = resumed.run(6), runner(4).run(6)
    assert expected.failed
    assert "non-finite at step 3" in expected.stop_reason
    check_equal(result, expected)
