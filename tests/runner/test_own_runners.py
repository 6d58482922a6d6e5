"""Runners of one's own, in a run, in a pyramid and in `stylize`."""

import csv
import json
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, Pyramid, Runner, Terms, optimize_image, stylize
from pystyle.checkpoints import CheckpointError
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.optim import LBFGS
from pystyle.runner import CSVLogger, JSONLogger

PHOTO = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
DESCENT = partial(torch.optim.SGD, lr=20.0)


def by_pixels():
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})


class Halved(Runner):
    """Halves the gradient."""

    factor = 0.5

    def evaluate(self, image):
        terms, gradient = super().evaluate(image)
        return terms, self.factor * gradient


class Noisy(Runner):
    """Adds noise to the gradient, and remembers its generator."""

    def __init__(self, evaluator, image, *, size=1e-4, **arguments):
        super().__init__(evaluator, image, **arguments)
        self.size = size
        self.generator = torch.Generator().manual_seed(0)

    def evaluate(self, image):
        terms, gradient = super().evaluate(image)
        return terms, gradient + self.size * torch.randn(image.shape, generator=self.generator)

    def state_dict(self):
        return {**super().state_dict(), "noise": self.generator.get_state()}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.generator.set_state(state["noise"])


class Prior(Runner):
    """Adds a term of 0.25 from the second step of a run or level on, and has it alone in the fourth."""

    steps = 0

    def evaluate(self, image):
        terms, gradient = super().evaluate(image)
        self.steps += 1
        own = {"prior": torch.tensor(0.25)}
        return {1: terms, 4: Terms(own)}.get(self.steps, Terms({**own, **terms})), gradient

    def state_dict(self):
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.steps = state["steps"]


def run(num_steps=4, **arguments):
    start = torch.full_like(PHOTO, 0.5)
    return optimize_image(
        by_pixels(), {"content": PHOTO}, init=start, optimizer=DESCENT, num_steps=num_steps, **arguments
    )


def climb(**arguments):
    return Pyramid([8, 16, 24], num_steps=[2, 2, 3]).optimize(
        by_pixels(), {"content": PHOTO}, init="grey", optimizer=DESCENT, **arguments
    )


def test_a_runner_of_ones_own_changes_the_gradient():
    # Half of the gradient is half of the step.
    halved = run(runner=Halved)
    slower = optimize_image(
        by_pixels(),
        {"content": PHOTO},
        init=torch.full_like(PHOTO, 0.5),
        optimizer=partial(torch.optim.SGD, lr=10.0),
        num_steps=4,
    )
    assert torch.equal(halved.image, slower.image)


@pytest.mark.parametrize("factory", [Halved, partial(Halved), lambda *nouns, **rest: Halved(*nouns, **rest)])
def test_a_class_a_partial_and_a_function_make_runners(factory):
    assert torch.equal(run(runner=factory).image, run(runner=Halved).image)
    assert not torch.equal(run(runner=factory).image, run().image)


def test_every_level_of_a_pyramid_has_a_runner_of_its_own():
    sizes = []

    class Listed(Halved):
        def run(self, num_steps, **arguments):
            sizes.append(tuple(self.image.shape[2:]))
            return super().run(num_steps, **arguments)

    result = climb(runner=Listed)
    assert sizes == [(8, 11), (16, 21), (24, 32)]
    assert not torch.equal(result.image, climb().image)


def test_stylize_takes_a_runner():
    class Still(Halved):
        factor = 0.0

    arguments = {"edge_size": 24, "num_steps": 2, "device": "cpu", "init": "content"}
    result = stylize(PHOTO, PHOTO.flip(2), encoder=vgg11(weights=None), runner=Still, **arguments)
    assert torch.equal(result.image, PHOTO)


@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_a_pyramid_with_a_runner_of_ones_own_goes_on_with_the_same_bytes(step, tmp_path):
    def stop(seen):
        if seen.index == step:
            raise RuntimeError("stops")

    with pytest.raises(RuntimeError, match="stops"):
        climb(runner=Noisy, checkpoint=tmp_path, callbacks=[stop])
    resumed = climb(runner=Noisy, checkpoint=tmp_path, resume=True)
    whole = climb(runner=Noisy)
    assert torch.equal(resumed.image, whole.image)
    assert resumed.history["total"] == whole.history["total"]


@pytest.mark.parametrize("other", [Halved, Runner, partial(Noisy, size=0.5)])
def test_another_runner_is_another_run(other, tmp_path):
    run(runner=Noisy, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="`runner"):
        run(runner=other, checkpoint=tmp_path, resume=True)


def test_ctrl_c_gives_the_picture_so_far_of_a_runner_of_ones_own():
    def interrupt(step):
        if step.index == 3:
            raise KeyboardInterrupt

    result = run(runner=Noisy, callbacks=[interrupt])
    assert result.interrupted
    assert torch.equal(result.image, run(2, runner=Noisy).image)


def test_what_no_checkpoint_can_hold_is_named(tmp_path):
    class Keeps(Runner):
        def state_dict(self):
            return {**super().state_dict(), "mine": object()}

    with pytest.raises(TypeError, match=r"cannot hold a object, which is at `state\.runner\.mine`"):
        run(runner=Keeps, checkpoint=tmp_path)


class NoRunner:
    def __init__(self, evaluator, image, **arguments):
        pass


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("langevin", "a str"), (None, "a NoneType"), (NoRunner, "NoRunner"), (LBFGS, "LBFGS")],
)
@pytest.mark.parametrize("start", [run, climb])
def test_what_makes_no_runner_is_refused_before_anything_is_computed(start, wrong, named):
    with pytest.raises(TypeError, match=rf"`runner` must be a subclass of .*got {named}\. Give"):
        start(runner=wrong)


def test_a_function_that_makes_something_else_is_refused():
    with pytest.raises(TypeError, match=r"`runner` must make a `pystyle\.Runner`, got a NoRunner\."):
        run(runner=partial(NoRunner))


def test_a_callback_ends_all_levels_or_its_own():
    def stop(step, all_levels):
        if step.index == 3:
            step.stop("enough", all_levels=all_levels)

    level = climb(callbacks=[partial(stop, all_levels=False)])
    assert (level.stop_reason, level.image.shape[2]) == ("finished", 24)
    every = climb(callbacks=[partial(stop, all_levels=True)])
    assert (every.stop_reason, every.image.shape[2], every.failed) == ("enough", 16, False)
    assert every.history["step"] == [0, 1, 2, 2, 3]
    assert every.steps == 3


def test_the_end_of_all_levels_is_not_taken_back_by_another_callback():
    result = climb(
        callbacks=[lambda step: step.stop("all", all_levels=True), lambda step: step.stop("this one")]
    )
    assert (result.stop_reason, result.image.shape[2]) == ("this one", 8)


def test_a_run_that_ended_at_all_levels_stays_ended(tmp_path):
    def stop(step):
        if step.index == 1:
            step.stop("enough", all_levels=True)

    first = climb(callbacks=[stop], checkpoint=tmp_path)
    again = climb(checkpoint=tmp_path, resume=True)
    assert torch.equal(first.image, again.image)
    assert (again.stop_reason, again.image.shape[2]) == ("enough", 8)


def test_in_the_colours_of_the_photograph_a_callback_ends_all_levels_too():
    result = stylize(
        PHOTO,
        PHOTO.flip(2),
        edge_size=(20, 24),
        num_steps=(2, 2),
        device="cpu",
        encoder=vgg11(weights=None),
        colors="luminance",
        callbacks=[lambda step: step.stop("enough", all_levels=True)],
    )
    assert (result.stop_reason, result.image.shape[2]) == ("enough", 20)


def test_the_runner_of_the_docs_draws_from_the_distribution_that_it_names():
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    section = page.split("## A runner\n")[1].split("\n## ")[0]
    names = {}
    for code in re.findall(r"```python\n(.*?)```", section, re.S):
        exec(compile(code, "extending.md", "exec"), names)
    # The loss is the mean of 768 squares, so that exp(-loss / 1e-6) is a Gaussian around the photograph.
    assert float(names["result"].image.std()) == pytest.approx((1e-6 * 768 / 2) ** 0.5, rel=0.15)


def test_terms_that_come_later_or_are_missing_are_zero_where_they_are_not_computed():
    result, plain = run(runner=Prior), run()
    assert torch.equal(result.image, plain.image)
    # The last row is that of the picture, at which only the evaluator looks.
    assert result.history["prior"] == [0.0, 0.25, 0.25, 0.25, 0.0]
    found, expected = (each.history["content.pixels"] for each in (result, plain))
    assert found == [*expected[:3], 0.0, expected[4]]
    totals = zip(found, result.history["prior"], strict=True)
    assert result.history["total"] == pytest.approx([content + prior for content, prior in totals])


def test_a_run_whose_terms_change_goes_on_from_a_checkpoint(tmp_path):
    for step in (1, 2, 3):

        def stop(seen, step=step):
            if seen.index == step + 1:
                raise RuntimeError("stops")

        with pytest.raises(RuntimeError, match="stops"):
            run(runner=Prior, checkpoint=tmp_path, resume=True, callbacks=[stop])
    resumed, whole = run(runner=Prior, checkpoint=tmp_path, resume=True).history, run(runner=Prior).history
    assert {**resumed, "seconds": 0} == {**whole, "seconds": 0}


def test_callbacks_of_a_pyramid_see_terms_that_a_runner_adds():
    seen = []
    result = climb(runner=Prior, callbacks=[lambda step: seen.append(float(step.terms.get("prior", 0)))])
    assert seen == [0.0, 0.25] * 2 + [0.0, 0.25, 0.25]
    assert result.history["prior"] == [0.0, 0.25, 0.0] * 2 + [0.0, 0.25, 0.25, 0.0]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_log_has_the_columns_of_the_first_step_whatever_comes_later(resumed, tmp_path, caplog):
    table, lines = CSVLogger(tmp_path / "log.csv"), JSONLogger(tmp_path / "log.jsonl")
    callbacks = [table, lines]
    if resumed:

        def stop(seen):
            if seen.index == 3:
                raise RuntimeError("stops")

        with pytest.raises(RuntimeError, match="stops"):
            run(runner=Prior, checkpoint=tmp_path / "run", callbacks=[*callbacks, stop])
        callbacks = [CSVLogger(table.path), JSONLogger(lines.path)]
    caplog.clear()
    arguments = {"checkpoint": tmp_path / "run", "resume": True} if resumed else {}
    history = run(runner=Prior, callbacks=callbacks, **arguments).history
    with open(table.path, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["step", "seconds", "total", "content.pixels"]
    for name in ("total", "content.pixels"):
        assert [float(row[name]) for row in rows] == history[name][:4]
    written = Path(lines.path).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line).get("prior") for line in written] == [None, 0.25, 0.25, 0.25]
    warned = [record.message for record in caplog.records if "no column" in record.message]
    assert warned == [f"The log '{table.path}' has no column for prior, which came after the first step."]
