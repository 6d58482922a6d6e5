import csv
import io
import json
import sys

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, TotalVariationLoss, optimize_image
from pystyle.encoders import SequentialEncoder
from pystyle.images import read_image
from pystyle.runner import CSVLogger, JSONLogger, Preview, ProgressBar, Step, StopOnPlateau

REFERENCES = {"content": torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))}


def run(*callbacks, num_steps=5, init="grey"):
    encoder = SequentialEncoder({"pixels": nn.Identity()})
    criterion = Criterion(
        encoder, {"content": ContentLoss("pixels"), "smoothness": TotalVariationLoss(weight=0.1)}
    )
    return optimize_image(criterion, REFERENCES, init=init, num_steps=num_steps, callbacks=callbacks)


def test_callbacks_are_called_after_each_step_in_their_order():
    calls = []
    run(
        lambda step: calls.append(("first", step.index)),
        lambda step: calls.append(("second", step.index)),
        num_steps=2,
    )
    assert calls == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_a_step_tells_where_the_run_is():
    steps = []
    result = run(steps.append)
    assert [step.index for step in steps] == [1, 2, 3, 4, 5]
    assert {step.num_steps for step in steps} == {5}
    assert {step.level for step in steps} == {0}
    assert {step.stop_reason for step in steps} == {None}
    assert [float(step.terms.total) for step in steps] == result.history["total"][:5]
    assert list(steps[0].terms) == ["content.pixels", "smoothness.image"]
    seconds = [step.seconds for step in steps]
    assert seconds[0] > 0
    assert seconds == sorted(seconds)


def test_a_step_gives_a_copy_of_the_picture_when_asked():
    images = []

    def spoil(step):
        images.append(step.image.clone())
        step.image.zero_()
        assert not step.image.requires_grad

    spoiled, clean = run(spoil), run()
    assert torch.equal(spoiled.image, clean.image)
    assert torch.equal(images[-1], clean.image)
    assert not torch.equal(images[0], images[1])


def test_the_picture_is_made_only_when_asked():
    made = []
    step = Step(1, 2, None, 0.0, lambda: made.append(True))
    assert not made
    _ = step.image
    assert made == [True]


def test_a_callback_can_stop_the_run_with_a_reason():
    later = []
    result = run(
        lambda step: step.stop("good enough") if step.index == 3 else None,
        lambda step: later.append(step.index),
    )
    assert result.stop_reason == "good enough"
    assert result.history["step"] == [0, 1, 2, 3]
    assert later == [1, 2, 3], "the other callbacks see the last step, too"


@pytest.mark.parametrize("error", [ValueError("mine"), KeyError("key")])
def test_an_error_in_a_callback_reaches_the_caller_after_all_were_closed(error):
    closed = []

    class Closing:
        def __call__(self, step):
            pass

        def close(self):
            closed.append(True)

    def fail(step):
        del step
        raise error

    with pytest.raises(type(error)) as caught:
        run(Closing(), fail, Closing())
    assert caught.value is error
    assert closed == [True, True]


def test_a_callback_is_closed_once_after_the_last_step():
    events = []

    class Listening:
        def __call__(self, step):
            events.append(step.index)

        def close(self):
            events.append("closed")

    run(Listening(), num_steps=2)
    assert events == [1, 2, "closed"]
    events.clear()
    run(Listening(), num_steps=0)
    assert events == ["closed"]


def test_progress_is_shown_with_tqdm(capsys):
    pytest.importorskip("tqdm")
    progress = ProgressBar("my run")
    for _ in range(2):
        run(progress)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "my run: 100%" in shown.err
        assert "5/5" in shown.err
        assert "00:00 left, loss " in shown.err


def test_progress_is_printed_without_tqdm(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    result = run(ProgressBar("my run"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("my run step ")
    assert shown.err.splitlines()[-1] == f"my run step 5/5, 0 s left, loss {result.history['total'][4]:.4g}"


class Gone(io.StringIO):
    """A stream whose reader has left."""

    def write(self, text):
        raise BrokenPipeError(text)


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_progress_of_a_training_has_images_per_second(capsys, monkeypatch, has_tqdm):
    if not has_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    progress = ProgressBar(images_per_step=8)
    terms = type("Terms", (), {"total": torch.tensor(1.5)})()
    progress(Step(20, 20, terms, 32.0, lambda: None))
    progress.close()
    # 20 steps of 8 images in 32 seconds.
    assert "left, loss 1.5, 5.0 images/s" in capsys.readouterr().err


@pytest.mark.parametrize("error", [Gone, None])
@pytest.mark.parametrize("has_tqdm", [True, False])
def test_a_standard_error_that_nobody_reads_ends_no_run(monkeypatch, error, has_tqdm):
    if not has_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    expected = run()
    monkeypatch.setattr(sys, "stderr", None if error is None else error())
    assert torch.equal(run(ProgressBar()).image, expected.image)


def test_printed_progress_comes_every_two_seconds_and_starts_anew_with_each_run(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    progress = ProgressBar()
    terms = type("Terms", (), {"total": torch.tensor(1.5)})()
    for _ in range(2):
        for index, seconds in enumerate([1.0, 2.5, 3.0, 5.0], start=1):
            progress(Step(index, 100, terms, seconds, lambda: None))
        progress.close()
        lines = capsys.readouterr().err.splitlines()
        assert lines == ["step 2/100, 122 s left, loss 1.5", "step 4/100, 120 s left, loss 1.5"]


def test_the_time_left_follows_from_the_work_that_is_done():
    step = Step(9, 10, None, 6.0, lambda: None, fraction=0.25)
    assert step.seconds_left == pytest.approx(18.0)
    assert Step(3, 4, None, 6.0, lambda: None).seconds_left == pytest.approx(2.0)


def test_previews_are_the_pictures_of_their_steps(tmp_path):
    images = {}
    run(
        Preview(tmp_path / "step-{step}.png", every=2),
        Preview(tmp_path / "last.png", every=1),
        lambda step: images.update({step.index: step.image}),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "last.png",
        "step-00002.png",
        "step-00004.png",
    ]
    for name, index in (("last.png", 5), ("step-00004.png", 4)):
        assert (read_image(tmp_path / name) - images[index]).abs().max() <= 0.5 / 255 + 1e-6


def test_a_csv_log_is_the_history(tmp_path):
    result = run(CSVLogger(tmp_path / "run.csv"))
    with open(tmp_path / "run.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["step", "seconds", "total", "content.pixels", "smoothness.image"]
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5]
    for name in ("total", "content.pixels", "smoothness.image"):
        assert [float(row[name]) for row in rows] == result.history[name][:5]


def test_a_json_log_is_the_history(tmp_path):
    result = run(JSONLogger(tmp_path / "run.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    for name in ("total", "content.pixels", "smoothness.image"):
        assert [row[name] for row in rows] == result.history[name][:5]


@pytest.mark.parametrize("logger_class", [CSVLogger, JSONLogger])
def test_a_log_is_complete_up_to_each_step_and_goes_on_in_the_next_run(logger_class, tmp_path):
    path = tmp_path / "log"
    logger, lines = logger_class(path), []
    header = 1 if logger_class is CSVLogger else 0
    for _ in range(2):
        run(logger, lambda _: lines.append(len(path.read_text(encoding="utf-8").splitlines())), num_steps=3)
    assert lines == [header + count for count in (1, 2, 3, 4, 5, 6)]
    run(logger_class(path), num_steps=2)
    assert len(path.read_text(encoding="utf-8").splitlines()) == header + 2


def losses(*values):
    steps = []
    for index, value in enumerate(values, start=1):
        terms = type("Terms", (), {"total": torch.tensor(value)})()
        steps.append(Step(index, 100, terms, 0.0, lambda: None))
    return steps


def stops_at(callback, steps):
    for step in steps:
        callback(step)
        if step.stop_reason:
            return step.index
    return None


def test_a_plateau_is_a_fall_below_the_tolerance_within_the_patience():
    # 10 -> 5 -> 4 -> 3.99: the first fall below 10 % over two steps is that from 4 to 3.97.
    steps = losses(10.0, 5.0, 4.0, 3.99, 3.97, 3.96)
    assert stops_at(StopOnPlateau(patience=2, tolerance=0.1), steps) == 5
    assert steps[4].stop_reason == "plateau: the loss fell by less than 0.1 of itself in 2 steps"


def test_a_loss_that_goes_up_and_down_but_falls_is_no_plateau():
    steps = losses(10.0, 12.0, 8.0, 11.0, 6.0, 9.0, 4.0)
    assert stops_at(StopOnPlateau(patience=2, tolerance=0.1), steps) is None


def test_a_rising_loss_is_a_plateau():
    assert stops_at(StopOnPlateau(patience=2, tolerance=0.0), losses(1.0, 2.0, 3.0, 4.0)) == 3


def test_a_plateau_is_looked_for_anew_in_each_run():
    stop = StopOnPlateau(patience=3, tolerance=0.5)
    assert stops_at(stop, losses(1.0, 1.0, 1.0, 1.0)) == 4
    stop.close()
    assert stops_at(stop, losses(9.0, 9.0, 9.0, 9.0)) == 4


def test_a_run_ends_on_a_plateau():
    result = run(StopOnPlateau(patience=5, tolerance=1e-3), num_steps=500)
    assert result.stop_reason.startswith("plateau: ")
    assert 5 < len(result.history["step"]) < 400


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Preview("x.png", every=0), "`every` must be at least 1, got 0"),
        (lambda: Preview("x.gif"), r"The extension of `path` must be one of \.png, .*, got '\.gif'"),
        (lambda: Preview("{step}"), r"The extension of `path` must be one of \.png, .*, got ''"),
        (lambda: StopOnPlateau(patience=0), "`patience` must be at least 1"),
        (lambda: StopOnPlateau(tolerance=-1.0), "`tolerance` must not be negative, got -1.0"),
    ],
)
def test_impossible_arguments_of_callbacks_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_batch_has_no_preview_which_is_said_after_the_first_step(tmp_path):
    steps = []
    with pytest.raises(ValueError, match="`Preview` writes one picture, got a batch of 2"):
        run(
            lambda step: steps.append(step.index),
            Preview(tmp_path / "preview.png"),
            init=torch.rand(2, 3, 6, 8),
        )
    assert steps == [1]


@pytest.mark.parametrize("reason", ["", None])
def test_a_run_may_be_ended_without_a_reason(reason):
    result = run(lambda step: step.stop(reason))
    assert result.steps == 1
    assert result.stop_reason == "stopped by a callback"


class Closing:
    """A callback that is closed, and may fail then."""

    def __init__(self, closed, name, error=None):
        self.closed, self.name, self.error = closed, name, error

    def __call__(self, step):
        pass

    def close(self):
        self.closed.append(self.name)
        if self.error:
            raise self.error


def test_all_callbacks_are_closed_in_their_order_even_if_one_fails():
    closed = []
    failing = Closing(closed, "second", RuntimeError("the disk is gone"))
    with pytest.raises(RuntimeError, match="the disk is gone"):
        run(Closing(closed, "first"), failing, Closing(closed, "third"))
    assert closed == ["first", "second", "third"]
