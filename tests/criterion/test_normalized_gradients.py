"""Gradients at a layer that are as long as the weight, whatever the loss and the evaluation."""

import pickle
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    MeanStdLoss,
    MRFLoss,
    TotalVariationLoss,
    WassersteinLoss,
    optimize_image,
)
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, EagerEvaluator, StripEvaluation
from pystyle.runner import LinearSchedule

SGD = partial(torch.optim.SGD, lr=0.1)
LOSSES = {
    "Gram": lambda **options: GramLoss("same", **options),
    "relative Gram": lambda **options: GramLoss("same", relative=True, **options),
    "mean and std": lambda **options: MeanStdLoss("same", **options),
    "Wasserstein": lambda **options: WassersteinLoss("same", **options),
    "content": lambda **options: ContentLoss("same", **options),
    "patches": lambda **options: MRFLoss("same", **options),
    "image": lambda **options: GramLoss("image", **options),
    "total variation": lambda **options: TotalVariationLoss(**options),
}


def random_image(seed: int, height: int = 12, width: int = 10, *, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0), "style": random_image(1, 9, 14).square()}


def identity() -> SequentialEncoder:
    return SequentialEncoder({"same": nn.Identity()})


def gradient_of(criterion, image, *, references=REFERENCES, evaluation=None):
    return (evaluation or EagerEvaluation()).bind(criterion, references)(image)[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_at_the_layer_has_the_direction_of_the_loss_and_the_length_of_the_weight(name, dtype):
    image = random_image(2).to(dtype)
    references = {key: value.to(dtype) for key, value in REFERENCES.items()}
    loss = LOSSES[name](weight=6.0, layer_weights=[0.5])
    plain = gradient_of(Criterion(identity(), {"it": loss}), image, references=references)
    gradient = gradient_of(
        Criterion(identity(), {"it": loss}, normalize_gradients="it"), image, references=references
    )
    assert gradient.dtype == dtype
    assert float(gradient.abs().sum()) == pytest.approx(3.0, rel=1e-5)
    assert torch.allclose(gradient, 3 * plain / plain.abs().sum(), rtol=1e-4, atol=1e-9)


def test_a_gradient_worked_out_by_hand():
    # The gradient of the mean of squares is 2 (x - c) / 4: 1, -0.5, 0.5 and 0 over 4 numbers, L1 norm 0.5.
    image = torch.tensor([1.0, 0.5, 1.0, 0.75]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    content = torch.tensor([0.0, 1.0, 0.5, 0.75]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    criterion = Criterion(
        identity(), {"content": ContentLoss("same", weight=12.0)}, normalize_gradients=["content"]
    )
    gradient = gradient_of(criterion, image, references={"content": content})
    expected = torch.tensor([2.0, -1.0, 1.0, 0.0]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    assert torch.allclose(gradient, expected)


def test_each_layer_is_normalised_at_its_features_and_the_encoder_passes_on_the_sum():
    torch.manual_seed(0)
    encoder = SequentialEncoder({"same": nn.Identity(), "deep": nn.Conv2d(3, 4, 3, padding=1)})
    losses = {
        "style": GramLoss(["same", "deep"], weight=2.0, layer_weights=[1.0, 5.0]),
        "content": ContentLoss("deep", weight=7.0),
    }
    image = random_image(2)
    objective = Criterion(encoder, losses, normalize_gradients=["style"]).bind(REFERENCES)
    plain = Criterion(encoder, losses).bind(REFERENCES)
    pulls = {}
    features = encoder(image, ["same", "deep"])
    for part, plain_part in zip(objective.parts, plain.parts, strict=True):
        leaf = features[part.layer].detach().requires_grad_()
        (pulls[part.name],) = torch.autograd.grad(part.value(leaf), leaf)
        (expected,) = torch.autograd.grad(plain_part.value(leaf), leaf)
        assert torch.allclose(
            pulls[part.name] / pulls[part.name].abs().sum(), expected / expected.abs().sum(), atol=1e-7
        )
    lengths = {name: float(pull.abs().sum()) for name, pull in pulls.items()}
    assert lengths["style.same"] == pytest.approx(2.0)
    assert lengths["style.deep"] == pytest.approx(10.0)
    assert lengths["content.deep"] != pytest.approx(7.0, rel=0.1)
    x = image.clone().requires_grad_()
    outputs = encoder(x, ["same", "deep"])
    (expected,) = torch.autograd.grad(
        (outputs["same"], outputs["deep"]),
        x,
        (pulls["style.same"], pulls["style.deep"] + pulls["content.deep"]),
    )
    assert torch.allclose(EagerEvaluator(objective)(image)[1], expected, atol=1e-7)
    # The objective itself, for those who differentiate it on their own.
    (gradient,) = torch.autograd.grad(objective(x).total, x)
    assert torch.allclose(gradient, expected, atol=1e-7)


@pytest.mark.parametrize("name", ["Gram", "content", "patches", "image"])
def test_a_batch_equals_separate_runs(name):
    images = torch.cat([random_image(2), 0.1 * random_image(3), random_image(4)])
    loss = LOSSES[name](weight=2.0)
    criterion = Criterion(identity(), {"it": loss}, normalize_gradients=["it"])
    batch = gradient_of(criterion, images)
    # As with all losses, terms are means over the batch.
    apart = torch.cat([gradient_of(criterion, image[None]) for image in images]) / 3
    assert torch.allclose(batch, apart, rtol=1e-4, atol=1e-8)
    assert float(batch.abs().sum()) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=4)])
def test_a_gradient_of_zero_stays_zero_beside_one_that_is_not(evaluation):
    content = REFERENCES["content"]
    criterion = Criterion(
        identity(), {"content": ContentLoss("same", weight=2.0)}, normalize_gradients="content"
    )
    images = torch.cat([content, random_image(5)])
    gradient = gradient_of(criterion, images, references={"content": content}, evaluation=evaluation)
    assert torch.equal(gradient[0], torch.zeros_like(gradient[0]))
    assert float(gradient[1].abs().sum()) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12])
def test_neither_tiny_nor_huge_weights_of_layers_make_it_infinite(scale):
    loss = ContentLoss("same", weight=2.0 * scale, layer_weights=[1 / scale])
    criterion = Criterion(identity(), {"content": loss}, normalize_gradients="content")
    gradient = gradient_of(criterion, random_image(5))
    assert float(gradient.abs().sum()) == pytest.approx(2.0, rel=1e-4)


def test_a_gradient_that_is_not_finite_is_not_hidden():
    part = Criterion(identity(), {"it": GramLoss("same")}, normalize_gradients="it").bind(REFERENCES).parts[0]
    leaf = torch.full((1, 3, 4, 4), torch.nan, requires_grad=True)
    (gradient,) = torch.autograd.grad(part.value(leaf), leaf)
    assert gradient.isnan().all()


def test_a_negative_weight_pushes_away():
    towards, away = (
        gradient_of(
            Criterion(identity(), {"it": GramLoss("same", weight=weight)}, normalize_gradients="it"),
            random_image(2),
        )
        for weight in (2.0, -2.0)
    )
    assert torch.allclose(towards, -away)


def deep(*names: str, dtype=torch.float64) -> Criterion:
    losses = {
        "content": ContentLoss(["relu2_1", "relu3_1"], weight=3.0),
        "style": GramLoss(["image", "relu1_1", "relu3_1"], relative=True, weight=0.5),
        "other": MeanStdLoss("relu2_1"),
        "smoothness": TotalVariationLoss(),
    }
    encoder = vgg11(weights=None, padding="replicate", ceil_mode=True).to(dtype)
    return Criterion(encoder, losses, normalize_gradients=names)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [7, 32, 500])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    "names", [("content",), ("style",), ("style", "smoothness"), ("content", "style", "other", "smoothness")]
)
def test_strips_give_the_gradient_of_the_whole_image(names, rows, batch):
    image = random_image(6, 52, 20, batch=batch).double()
    references = {"content": random_image(7, 52, 20).double(), "style": random_image(8, 30, 40).double()}
    whole, strips = (
        evaluation.bind(deep(*names), references)(image)
        for evaluation in (EagerEvaluation(), StripEvaluation(rows=rows))
    )
    assert (whole[1] - strips[1]).abs().max() < 1e-11 * whole[1].abs().max()
    for name, term in whole[0].items():
        assert float(strips[0][name]) == pytest.approx(float(term), rel=1e-11)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_gives_the_same_gradient_up_to_rounding(precision):
    image = random_image(6, 32, 20)
    references = {"content": random_image(7, 32, 20), "style": random_image(8, 30, 40)}
    criterion = deep("content", "style", dtype=torch.float32)
    _, expected = EagerEvaluation().bind(criterion, references)(image)
    for evaluation in (EagerEvaluation(precision), StripEvaluation(rows=8, precision=precision)):
        _, gradient = evaluation.bind(criterion, references)(image)
        cosine = torch.cosine_similarity(gradient.flatten(), expected.flatten(), dim=0)
        assert float(cosine) > 0.98
        assert float(gradient.abs().sum() / expected.abs().sum()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_has_the_length_of_the_weight_at_the_layer(precision):
    criterion = Criterion(identity(), {"it": GramLoss("same", weight=4.0)}, normalize_gradients="it")
    gradient = gradient_of(criterion, random_image(2), evaluation=EagerEvaluation(precision))
    assert float(gradient.abs().sum()) == pytest.approx(4.0, rel=1e-2)


def test_the_norm_of_a_gradient_in_half_precision_does_not_overflow():
    # Entries of some hundreds, whose sum of 1e5 float16 does not hold.
    losses = {"content": ContentLoss("same", weight=1e5)}
    objective = Criterion(identity(), losses, normalize_gradients="content").bind(
        {"content": torch.zeros(1, 3, 12, 10)}
    )
    leaf = torch.ones(1, 3, 12, 10, dtype=torch.float16, requires_grad=True)
    (gradient,) = torch.autograd.grad(objective.parts[0].value(leaf), leaf)
    assert gradient.dtype == torch.float16
    assert float(gradient.float().sum()) == pytest.approx(1e5, rel=1e-3)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=8)])
def test_the_history_holds_the_values_of_the_losses(evaluation):
    references = {"content": random_image(7, 32, 20), "style": random_image(8, 30, 40)}
    criterion = deep("content", "style", dtype=torch.float32)
    start = random_image(9, 32, 20)
    result = optimize_image(
        criterion, references, init=start, evaluation=evaluation, num_steps=2, optimizer=SGD
    )
    plain = deep(dtype=torch.float32).bind(references)
    for row, image in ((0, start), (-1, result.image)):
        for name, term in plain(image).items():
            assert result.history[name][row] == pytest.approx(float(term), rel=1e-4)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=4)])
def test_a_schedule_changes_the_length(evaluation):
    # SGD with a rate of 1 moves the image by the gradient.
    criterion = Criterion(identity(), {"it": GramLoss("same", weight=0.2)}, normalize_gradients="it")
    start, images = random_image(2) / 2 + 0.25, []
    optimize_image(
        criterion,
        REFERENCES,
        init=start,
        evaluation=evaluation,
        optimizer=partial(torch.optim.SGD, lr=1.0),
        num_steps=3,
        callbacks=[lambda step: images.append(step.image)],
        schedules={"it": LinearSchedule(1.0, 0.0)},
    )
    moves = [float((b - a).abs().sum()) for a, b in zip([start, *images], images, strict=False)]
    assert moves == pytest.approx([0.2, 0.1, 0.0], abs=1e-4)


def test_without_names_nothing_is_normalised_and_nothing_else_changes():
    image = random_image(6, 32, 20).double()
    references = {"content": random_image(7, 32, 20).double(), "style": random_image(8, 30, 40).double()}
    plain = deep().bind(references)
    assert not any(part.normalizes for part in plain.parts)
    one = deep("other").bind(references)
    assert [part.name for part in one.parts if part.normalizes] == ["other.relu2_1"]
    for name, term in plain(image).items():
        assert torch.equal(one(image)[name], term)


def test_strips_take_one_more_pass_only_where_norms_are_wanted(counting_encoder):
    image = random_image(2)
    counts = []
    for names in ((), ("it",)):
        criterion = Criterion(counting_encoder, {"it": GramLoss("two")}, normalize_gradients=names)
        evaluator = StripEvaluation(rows=100).bind(criterion, REFERENCES)
        before = len(counting_encoder.passes)
        evaluator(image)
        counts.append(len(counting_encoder.passes) - before)
        evaluator.terms(image)
        assert len(counting_encoder.passes) - before == counts[-1] + 1
    assert counts == [2, 3]


def test_a_name_that_no_loss_has_is_refused():
    with pytest.raises(
        ValueError, match=r"`normalize_gradients` must name losses .*\(it\), got 'its'.* 'it'"
    ):
        Criterion(identity(), {"it": GramLoss("same")}, normalize_gradients=["its"])


def test_a_criterion_shows_and_pickles_what_it_normalises():
    criterion = Criterion(identity(), {"it": GramLoss("same")}, normalize_gradients="it")
    assert "normalize_gradients=('it',)" in repr(criterion)
    assert "normalize_gradients" not in repr(Criterion(identity(), {"it": GramLoss("same")}))
    assert pickle.loads(pickle.dumps(criterion)).normalize_gradients == ("it",)
