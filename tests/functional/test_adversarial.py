import math
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from pystyle.functional import discriminator_loss, generator_loss, told_apart
from pystyle.typing import AdversarialKind

KINDS = get_args(AdversarialKind)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # The sigmoid is 1/2 and 3/4 at the scores 0 and log 3.
        ("minimax", (math.log(1 / 2) + math.log(1 / 4)) / 2),
        ("non-saturating", -(math.log(1 / 2) + math.log(3 / 4)) / 2),
        ("least-squares", (1 + (math.log(3) - 1) ** 2) / 2),
        ("hinge", -math.log(3) / 2),
        ("wasserstein", -math.log(3) / 2),
    ],
)
def test_the_loss_of_who_paints_is_worked_out_by_hand(kind: AdversarialKind, expected: float) -> None:
    assert generator_loss(torch.tensor([0.0, math.log(3)]), kind).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # The sigmoid is 3/4 and 1/4 at the real scores, 1/2 at the painted one.
        ("minimax", -(math.log(3 / 4) + math.log(1 / 4)) / 2 + math.log(2)),
        ("non-saturating", -(math.log(3 / 4) + math.log(1 / 4)) / 2 + math.log(2)),
        ("least-squares", (((math.log(3) - 1) ** 2 + (-math.log(3) - 1) ** 2) / 2 + 0) / 2),
        # log 3 is beyond the margin of 1.
        ("hinge", (0 + 1 + math.log(3)) / 2 + 1),
        ("wasserstein", 0.0),
    ],
)
def test_the_loss_of_who_judges_is_worked_out_by_hand(kind: AdversarialKind, expected: float) -> None:
    real, painted = torch.tensor([math.log(3), -math.log(3)]), torch.tensor([[0.0]])
    assert discriminator_loss(real, painted, kind).item() == pytest.approx(expected)


def test_losses_of_random_scores_follow_the_formulas() -> None:
    r, p = 2 * noise(2, 1, 5, 3), 2 * noise(3, 1, 4, 4, seed=1)
    real, painted = r.numpy(), p.numpy()
    cross_entropy = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(painted)).mean()
    expected = {
        "minimax": (np.log(1 - sigmoid(painted)).mean(), cross_entropy),
        "non-saturating": (-np.log(sigmoid(painted)).mean(), cross_entropy),
        "least-squares": (
            np.mean((painted - 1) ** 2),
            (np.mean((real - 1) ** 2) + np.mean(painted**2)) / 2,
        ),
        "hinge": (
            -painted.mean(),
            np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + painted).mean(),
        ),
        "wasserstein": (-painted.mean(), painted.mean() - real.mean()),
    }
    assert set(expected) == set(KINDS)
    for kind, values in expected.items():
        found = generator_loss(p, kind).item(), discriminator_loss(r, p, kind).item()
        assert found == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_painting_better_raises_scores_and_judging_better_parts_them(kind: AdversarialKind) -> None:
    real, painted = 0.1 * noise(6).requires_grad_(), 0.1 * noise(6, seed=1).requires_grad_()
    (better,) = torch.autograd.grad(generator_loss(painted, kind), painted)
    assert (better < 0).all()
    up, down = torch.autograd.grad(discriminator_loss(real + 0.5, painted + 0.5, kind), (real, painted))
    assert (up < 0).all()
    assert (down > 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", [-1e4, -90.0, 0.0, 90.0, 1e4])
def test_value_and_gradient_are_finite_however_sure_a_judgement_is(
    kind: AdversarialKind, score: float
) -> None:
    scores = torch.full((2, 3), score, requires_grad=True)
    for value in (
        generator_loss(scores, kind),
        discriminator_loss(scores, scores.detach(), kind),
        discriminator_loss(scores.detach(), scores, kind),
    ):
        (gradient,) = torch.autograd.grad(value, scores)
        assert value.isfinite()
        assert gradient.isfinite().all()


def test_a_sure_judgement_has_exact_cross_entropies() -> None:
    # log(1 + exp(s)) is s + exp(-s) but for exp(-2s), beyond where torch's softplus is cut to s.
    scores = torch.tensor([25.0], dtype=torch.float64)
    assert generator_loss(scores, "non-saturating").item() == pytest.approx(math.exp(-25), rel=1e-10)
    assert generator_loss(-scores, "non-saturating").item() == 25 + math.exp(-25)
    assert generator_loss(torch.tensor([-1e4]), "non-saturating").item() == 1e4
    assert discriminator_loss(torch.tensor([-1e4]), torch.tensor([2e4]), "minimax").item() == 3e4


def test_minimax_saturates_where_the_other_does_not() -> None:
    scores = torch.tensor([-20.0], requires_grad=True)
    slopes = [
        torch.autograd.grad(generator_loss(scores, kind), scores)[0].item()
        for kind in ("minimax", "non-saturating")
    ]
    assert slopes == pytest.approx([-math.exp(-20), -1], rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_have_the_gradients_of_finite_differences(kind: AdversarialKind) -> None:
    real, painted = 3 * noise(2, 3), 3 * noise(3, 2, seed=1)
    real.requires_grad_()
    painted.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: generator_loss(s, kind), painted)
    assert torch.autograd.gradcheck(lambda r, p: discriminator_loss(r, p, kind), (real, painted))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_low_precision_are_judged_in_float32(kind: AdversarialKind) -> None:
    scores = noise(4000).half()
    for found, expected in (
        (generator_loss(scores, kind), generator_loss(scores.double(), kind)),
        (
            discriminator_loss(scores, -scores, kind),
            discriminator_loss(scores.double(), -scores.double(), kind),
        ),
    ):
        assert found.dtype == torch.float32
        assert found.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # Of the real scores, 3 and 4 of 4 are above 1/2 and 0; of the painted ones, 1 and 0 of 2 are below.
        ("least-squares", (3 / 4 + 1 / 2) / 2),
        ("minimax", (4 / 4 + 0 / 2) / 2),
        ("non-saturating", (4 / 4 + 0 / 2) / 2),
        ("hinge", (4 / 4 + 0 / 2) / 2),
        # The means are 1.3 and 0.5, the middle is 0.9.
        ("wasserstein", (2 / 4 + 2 / 2) / 2),
    ],
)
def test_what_is_told_apart_is_counted_from_both_sides_of_a_border(
    kind: AdversarialKind, expected: float
) -> None:
    real, painted = torch.tensor([0.4, 0.6, 2.0, 2.2]), torch.tensor([[0.3], [0.7]])
    assert told_apart(real, painted, kind).item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_all_none_and_a_guess_are_one_zero_and_a_half(kind: AdversarialKind) -> None:
    high, low = torch.full((3,), 5.0), torch.full((2,), -4.0)
    assert told_apart(high, low, kind).item() == 1
    assert told_apart(low, high, kind).item() == 0
    for guess in (-4.0, 0.0, 0.5, 5.0):
        assert told_apart(torch.full((3,), guess), torch.full((2,), guess), kind).item() == 0.5


def test_what_is_told_apart_has_no_gradient() -> None:
    real = noise(3).requires_grad_()
    assert not told_apart(real, -real, "hinge").requires_grad


def test_wrong_arguments_are_refused() -> None:
    scores = noise(2)
    for call in (
        lambda: generator_loss(scores, "lsgan"),  # type: ignore[arg-type]
        lambda: discriminator_loss(scores, scores, "lsgan"),  # type: ignore[arg-type]
        lambda: told_apart(scores, scores, "lsgan"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=r"`kind` must be one of \('minimax', .*\), got 'lsgan'."):
            call()
    with pytest.raises(TypeError, match="floating-point"):
        generator_loss(torch.ones(2, dtype=torch.int64), "hinge")
