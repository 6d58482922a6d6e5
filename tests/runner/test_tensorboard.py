"""The terms of a run for TensorBoard."""

import sys

import pytest
import torch

from pystyle import Criterion, TotalVariationLoss, optimize_image
from pystyle.criterion import Terms
from pystyle.encoders import vgg11
from pystyle.runner import Step, TensorBoardLogger

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CRITERION = Criterion(vgg11(weights=None), {"smoothness": TotalVariationLoss()})
IMAGE = torch.rand(1, 3, 8, 8)
TERMS = Terms({"smoothness.image": torch.tensor(1.0)})


def run(folder, num_steps=3, **arguments):
    return optimize_image(
        CRITERION, {}, init=IMAGE, num_steps=num_steps, callbacks=[TensorBoardLogger(folder)], **arguments
    )


def scalars(folder, name):
    events = EventAccumulator(str(folder))
    events.Reload()
    return {event.step: event.value for event in events.Scalars(name)}


def test_it_holds_the_total_and_the_terms_of_each_step(tmp_path):
    result = run(tmp_path)
    expected = dict(enumerate(result.history["total"][:-1], start=1))
    assert scalars(tmp_path, "total") == pytest.approx(expected)
    assert scalars(tmp_path, "smoothness/image") == pytest.approx(expected)


def test_a_run_that_goes_on_hides_what_came_after_its_checkpoint(tmp_path):
    run(tmp_path / "log", checkpoint=tmp_path / "run")
    run(tmp_path / "log", num_steps=5, checkpoint=tmp_path / "run", resume=True)
    assert list(scalars(tmp_path / "log", "total")) == [1, 2, 3, 4, 5]


def test_a_run_that_goes_on_from_its_beginning_hides_all_that_came_after_it(tmp_path):
    first = TensorBoardLogger(tmp_path)
    state = first.state_dict()
    for index in (1, 2, 3):
        first(Step(index, 3, TERMS, 1.0, lambda: IMAGE))
    first.close()
    second = TensorBoardLogger(tmp_path)
    second.load_state_dict(state)
    second(Step(1, 3, TERMS, 1.0, lambda: IMAGE))
    second.close()
    assert list(scalars(tmp_path, "total")) == [1]


def test_steps_of_several_runs_are_counted_on(tmp_path):
    logger = TensorBoardLogger(tmp_path / "log")
    options = {"init": IMAGE, "callbacks": [logger]}
    optimize_image(CRITERION, {}, num_steps=2, **options)
    second = optimize_image(CRITERION, {}, num_steps=3, checkpoint=tmp_path / "run", **options)
    found = scalars(tmp_path / "log", "total")
    assert list(found) == [1, 2, 3, 4, 5]
    assert found[5] == pytest.approx(second.history["total"][2])
    optimize_image(CRITERION, {}, num_steps=4, checkpoint=tmp_path / "run", resume=True, **options)
    assert list(scalars(tmp_path / "log", "total")) == [1, 2, 3, 4, 5, 6]


def test_without_tensorboard_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match=r'pip install "pystyle-nst\[tensorboard\]"'):
        TensorBoardLogger(tmp_path)
