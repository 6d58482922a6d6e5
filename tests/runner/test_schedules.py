"""Weights that change during a run."""

import math
import pickle
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, GramLoss, Runner, TotalVariationLoss, optimize_image
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import (
    EagerEvaluation,
    EagerEvaluator,
    GraphedEvaluator,
    StripEvaluation,
    StripEvaluator,
)
from pystyle.optim import LBFGS
from pystyle.runner import CosineSchedule, InverseSchedule, LinearSchedule


def random_image(seed: int, height: int = 16, width: int = 20) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0), "style": random_image(1, 20, 16).square()}
SGD = partial(torch.optim.SGD, lr=0.1)


def by_pixels() -> Criterion:
    # Two pulls: towards the content, and towards the style as if it were another content.
    losses = {"content": ContentLoss("pixels"), "other": ContentLoss("pixels", reference="style")}
    return Criterion(SequentialEncoder({"pixels": nn.Identity()}), losses)


def deep() -> Criterion:
    losses = {
        "content": ContentLoss("relu2_1"),
        "style": GramLoss(["relu1_1", "relu2_1"], weight=100.0),
        "smoothness": TotalVariationLoss(weight=0.1),
    }
    return Criterion(vgg11(weights=None), losses)


class Factors:
    """An evaluator that takes part in nothing and cannot change its weights."""

    def __init__(self, evaluator):
        self.evaluator = evaluator

    def __call__(self, image):
        return self.evaluator(image)

    def terms(self, image):
        return self.evaluator.terms(image)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (LinearSchedule(2, 4), [2, 2.5, 3, 3.5, 4]),
        (LinearSchedule(1, 0, begin=0.25, end=0.75), [1, 1, 0.5, 0, 0]),
        (CosineSchedule(0, 2), [0, 1 - math.sqrt(0.5), 1, 1 + math.sqrt(0.5), 2]),
        (CosineSchedule(1, 3, end=0.5), [1, 2, 3, 3, 3]),
    ],
)
def test_schedules_go_from_start_to_stop(schedule, expected):
    assert [schedule(fraction) for fraction in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(expected)
    assert pickle.loads(pickle.dumps(schedule)) == schedule


@pytest.mark.parametrize("kind", [LinearSchedule, CosineSchedule])
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"start": -1, "stop": 1}, "`start` must not be negative, got -1"),
        ({"start": 1, "stop": math.inf}, "`stop` must be finite, got inf"),
        ({"start": 1, "stop": math.nan}, "`stop` must not be negative, got nan"),
        ({"start": 1, "stop": 1, "begin": 0.5, "end": 0.5}, "begin < end, got 0.5 and 0.5"),
        ({"start": 1, "stop": 1, "end": 1.5}, "got 0 and 1.5"),
    ],
)
def test_schedules_refuse_impossible_values(kind, arguments, match):
    with pytest.raises(ValueError, match=match):
        kind(**arguments)


def test_the_history_holds_the_weighted_terms_of_every_step():
    # The image stays where it is: SGD with a rate that moves nothing.
    still, content, style = (torch.full((1, 3, 4, 5), value) for value in (0.5, 0.25, 0.75))
    fractions = []

    def schedule(fraction):
        fractions.append(fraction)
        return 1 + fraction

    result = optimize_image(
        by_pixels(),
        {"content": content, "style": style},
        init=still,
        optimizer=partial(torch.optim.SGD, lr=1e-30),
        num_steps=5,
        schedules={"content": schedule, "other": LinearSchedule(4, 0)},
    )
    assert fractions == [0, 0.25, 0.5, 0.75, 1]
    # The last row is that of the picture, with the weights of the last step.
    assert result.history["content.pixels"] == [0.0625 * f for f in (1, 1.25, 1.5, 1.75, 2, 2)]
    assert result.history["other.pixels"] == [0.0625 * f for f in (4, 3, 2, 1, 0, 0)]
    assert result.history["total"] == [0.0625 * f for f in (5, 4.25, 3.5, 2.75, 2, 2)]


def test_the_gradient_is_that_of_the_weighted_objective():
    # Steps of SGD on (x - c)² · a + (x - s)² · b, worked out by hand; the mean has 60 terms.
    content, style = (torch.full((1, 3, 4, 5), value) for value in (0.0, 1.0))
    expected, rate = 0.5, 3.0
    for a, b in [(1, 0), (0.5, 0.5), (0, 1)]:
        expected -= rate * (2 * a * expected + 2 * b * (expected - 1)) / 60
    result = optimize_image(
        by_pixels(),
        {"content": content, "style": style},
        init=torch.full((1, 3, 4, 5), 0.5),
        optimizer=partial(torch.optim.SGD, lr=rate),
        num_steps=3,
        schedules={"content": LinearSchedule(1, 0), "other": LinearSchedule(0, 1)},
    )
    assert torch.allclose(result.image, torch.tensor(expected), atol=1e-6)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=7)])
def test_a_schedule_of_ones_changes_nothing(evaluation):
    arguments = {"evaluation": evaluation, "num_steps": 4}
    plain = optimize_image(deep(), REFERENCES, **arguments)
    names = ("content", "style", "smoothness")
    ones = optimize_image(deep(), REFERENCES, schedules=dict.fromkeys(names, lambda _: 1.0), **arguments)
    assert torch.equal(plain.image, ones.image)
    assert plain.history["total"] == ones.history["total"]


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=7)])
def test_a_constant_schedule_is_another_weight(evaluation):
    factors = {"content": 0.5, "style": 3.0, "smoothness": 4.0}
    heavier = deep()
    for name, factor in factors.items():
        heavier.losses[name].weight *= factor
    expected = optimize_image(heavier, REFERENCES, evaluation=evaluation, num_steps=3, optimizer=SGD)
    schedules = {name: (lambda _, factor=factor: factor) for name, factor in factors.items()}
    result = optimize_image(
        deep(), REFERENCES, evaluation=evaluation, num_steps=3, optimizer=SGD, schedules=schedules
    )
    assert torch.allclose(result.image, expected.image, atol=1e-6)
    for name in ("total", "content.relu2_1", "style.relu1_1", "smoothness.image"):
        assert result.history[name] == pytest.approx(expected.history[name], rel=1e-5)


def test_strips_give_the_numbers_of_the_whole_image():
    schedules = {"style": CosineSchedule(0.2, 1), "smoothness": LinearSchedule(5, 1)}
    whole, strips = (
        optimize_image(deep(), REFERENCES, evaluation=evaluation, num_steps=4, schedules=schedules)
        for evaluation in (EagerEvaluation(), StripEvaluation(rows=5))
    )
    assert strips.history["total"] == pytest.approx(whole.history["total"], rel=1e-3)
    assert (
        whole.history["style.relu1_1"][0]
        < 0.5 * optimize_image(deep(), REFERENCES, num_steps=0).history["style.relu1_1"][0]
    )


def test_a_graph_of_the_evaluation_reads_the_factor_of_the_step(recorded_graph):
    objective = deep().bind(REFERENCES)
    schedules = {"style": LinearSchedule(0.1, 1), "content": LinearSchedule(1, 0)}
    arguments = {"schedules": schedules, "optimizer": partial(torch.optim.SGD, lr=0.1)}
    expected = Runner(EagerEvaluator(objective), REFERENCES["content"], **arguments).run(4)
    graphed = GraphedEvaluator(EagerEvaluator(objective), capture=recorded_graph, device_type="cpu")
    result = Runner(graphed, REFERENCES["content"], **arguments).run(4)
    assert torch.equal(result.image, expected.image)
    assert result.history["total"] == expected.history["total"]
    assert recorded_graph.captures == 1


@pytest.mark.parametrize("kind", [LinearSchedule, CosineSchedule])
def test_after_a_schedule_that_becomes_constant_lbfgs_is_at_the_optimum_of_the_last_objective(kind):
    # A quadratic with curvatures from 1 to 13; its minimum is the mean of the images with weights 1 and 3.
    blur = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect", groups=3, bias=False)
    blur.weight.data = torch.tensor([[0.0, 1, 0], [1, -7, 1], [0, 1, 0]]).expand(3, 1, 3, 3) / 3
    losses = {"content": ContentLoss("blur"), "other": ContentLoss("blur", reference="style")}
    content, style = random_image(0), random_image(1)
    result = optimize_image(
        Criterion(SequentialEncoder({"blur": blur}), losses),
        {"content": content, "style": style},
        num_steps=80,
        schedules={"content": kind(9, 1, end=0.5), "other": kind(0, 3, end=0.5)},
    )
    assert (result.image - (content + 3 * style) / 4).abs().max() < 1e-3


def test_the_same_holds_for_features_of_a_network():
    final = optimize_image(deep(), REFERENCES, num_steps=60)
    schedules = {"content": CosineSchedule(5, 1, end=0.4)}
    result = optimize_image(deep(), REFERENCES, num_steps=60, schedules=schedules)
    assert final.history["total"][-1] < 0.2 * final.history["total"][0]
    assert result.history["total"][-1] < 1.05 * final.history["total"][-1]


@pytest.mark.parametrize("num_steps", [0, 1])
def test_the_shortest_runs_have_the_factor_of_the_start(num_steps):
    result = optimize_image(
        deep(),
        REFERENCES,
        num_steps=num_steps,
        schedules={"content": LinearSchedule(1, 2), "style": lambda f: f},
    )
    assert result.history["style.relu1_1"] == [0.0] * (num_steps + 1)


def test_a_line_search_sees_one_objective_in_a_step():
    lbfgs = partial(torch.optim.LBFGS, max_iter=4, line_search_fn="strong_wolfe")
    result = optimize_image(
        deep(), REFERENCES, num_steps=6, optimizer=lbfgs, schedules={"style": LinearSchedule(0.5, 1)}
    )
    assert result.stop_reason == "finished"
    assert result.history["total"][-1] < 0.5 * result.history["total"][0]


@pytest.mark.parametrize("factor", [-0.5, math.nan, math.inf])
def test_an_impossible_factor_is_refused_before_the_first_step(factor):
    steps = []
    with pytest.raises(
        ValueError, match=rf"`schedules\['style'\]` must give factors .* got {factor} at the fraction 0\.75"
    ):
        optimize_image(
            deep(),
            REFERENCES,
            num_steps=5,
            schedules={"style": lambda fraction: factor if fraction > 0.6 else 1.0},
            callbacks=[steps.append],
        )
    assert steps == []


def test_a_schedule_of_a_loss_that_is_not_there_is_refused():
    match = (
        r"`schedules` must name losses of the criterion \(content, style, smoothness\), got 'styl'\. "
        "Did you mean 'style'"
    )
    with pytest.raises(ValueError, match=match):
        optimize_image(deep(), REFERENCES, schedules={"styl": LinearSchedule(1, 0)})
    objective = deep().bind(REFERENCES)
    with pytest.raises(ValueError, match=r"must name losses .* got 'styl'"):
        Runner(EagerEvaluator(objective), REFERENCES["content"], schedules={"styl": LinearSchedule(1, 0)})


def test_an_evaluator_that_cannot_change_its_weights_is_refused_only_if_they_are_to_change():
    evaluator = Factors(EagerEvaluator(deep().bind(REFERENCES)))
    assert Runner(evaluator, REFERENCES["content"]).run(1).stop_reason == "finished"
    assert Runner(evaluator, REFERENCES["content"], schedules={}).run(1).stop_reason == "finished"
    for custom in (evaluator, GraphedEvaluator(evaluator)):
        with pytest.raises(TypeError, match="Factors must have a method `weighted"):
            Runner(custom, REFERENCES["content"], schedules={"style": LinearSchedule(1, 0)})


def test_a_weighted_objective_shares_targets_and_leaves_the_other_as_it_was():
    objective, image = deep().bind(REFERENCES), random_image(3)
    before = dict(objective(image))
    factor = torch.tensor(2.0, dtype=torch.float64)
    changed = objective.weighted({"style": factor}).weighted({"style": 3.0, "content": 0.0})
    assert changed.parts[1].targets is objective.parts[1].targets
    for value in (2.0, 0.5):
        factor.fill_(value)
        terms = changed(image)
        assert terms.total.dtype == torch.float32
        assert float(terms["content.relu2_1"]) == 0
        assert float(terms["style.relu1_1"]) == pytest.approx(3 * value * float(before["style.relu1_1"]))
        assert torch.equal(terms["smoothness.image"], before["smoothness.image"])
    assert all(torch.equal(term, before[name]) for name, term in objective(image).items())


def test_weighted_evaluators_compute_as_the_others_do():
    objective = deep().bind(REFERENCES)
    strips = StripEvaluator(objective, rows=5, precision="tf32").weighted({"style": 2.0})
    assert (strips.rows, strips.precision) == (5, "tf32")
    assert EagerEvaluator(objective, precision="tf32").weighted({"style": 2.0}).precision == "tf32"


def test_lbfgs_with_a_schedule_keeps_to_the_bounds():
    result = optimize_image(
        deep(), REFERENCES, optimizer=LBFGS, num_steps=6, schedules={"style": LinearSchedule(0, 10)}
    )
    assert 0 <= result.image.min() <= result.image.max() <= 1


def test_an_inverse_schedule_is_a_decay_per_step() -> None:
    num_steps, decay = 400, 0.01
    schedule = InverseSchedule(decay * num_steps)
    for step in (0, 100, 400):
        assert schedule(step / num_steps) == pytest.approx(1 / (1 + decay * step))
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    with pytest.raises(ValueError, match="`decay` must not be negative"):
        InverseSchedule(-1.0)
