import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pystyle.functional import gradient_penalty, real_gradient_penalty

Judge = Callable[[Tensor], Tensor | list[Tensor]]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def patch_judge() -> nn.Sequential:
    """A smooth network with a score for each of 3 x 3 places, in float64."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Softplus(), nn.Conv2d(4, 1, 1)).double()


REAL, PAINTED = noise(3, 3, 7, 7), noise(3, 3, 7, 7, seed=1)


def test_penalties_of_a_linear_judge_are_those_of_its_weights() -> None:
    weights = torch.tensor([3.0, 4.0]).reshape(1, 1, 1, 2).requires_grad_()

    def judge(images: Tensor) -> Tensor:
        return (images * weights).sum((1, 2, 3))

    real, painted = torch.rand(5, 1, 1, 2), torch.rand(5, 1, 1, 2)
    # The slope is 5 everywhere.
    assert gradient_penalty(judge, real, painted).item() == pytest.approx(16)
    assert gradient_penalty(judge, real, painted, target=7.5).item() == pytest.approx(6.25)
    assert real_gradient_penalty(judge, real).item() == pytest.approx(12.5)
    # (|w| - 1)² has the gradient 2 (|w| - 1) w / |w|, and |w|² / 2 has w.
    (slope,) = torch.autograd.grad(gradient_penalty(judge, real, painted), weights)
    assert slope.flatten().tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5])
    (slope,) = torch.autograd.grad(real_gradient_penalty(judge, real), weights)
    assert slope.flatten().tolist() == pytest.approx([3, 4])


def test_slopes_are_taken_where_the_shares_say() -> None:
    real, painted = torch.tensor([[1.0], [1.0], [2.0]]), torch.tensor([[5.0], [5.0], [4.0]])
    # The slope of x² / 2 is x: at 1, 5 and 2 + (4 - 2) / 4.
    found = gradient_penalty(lambda x: x.square() / 2, real, painted, torch.tensor([0.0, 1.0, 0.25]))
    assert found.item() == pytest.approx((0 + 16 + 1.5**2) / 3)
    assert real_gradient_penalty(lambda x: x.square() / 2, real).item() == pytest.approx((1 + 1 + 4) / 6)


def test_shares_are_drawn_for_each_image_from_the_global_generator() -> None:
    positions: list[Tensor] = []

    def judge(images: Tensor) -> Tensor:
        positions.append(images.detach())
        return images.sum((1, 2, 3))

    torch.manual_seed(3)
    gradient_penalty(judge, torch.zeros(400, 3, 2, 2), torch.ones(400, 3, 2, 2))
    torch.manual_seed(3)
    expected = torch.rand(400)
    assert torch.allclose(positions[0], expected[:, None, None, None].expand(-1, 3, 2, 2))


def test_an_image_has_the_mean_of_its_scores_and_scales_are_added() -> None:
    def judge(images: Tensor) -> list[Tensor]:
        # Four scores with the slopes 1, 2, 3 and 6, and one with the slope 4.
        return [images * torch.tensor([1.0, 2.0, 3.0, 6.0]), 4 * images[:, 0]]

    real, painted = torch.rand(2, 1), torch.rand(2, 1)
    assert gradient_penalty(judge, real, painted).item() == pytest.approx((3 + 4 - 1) ** 2)
    assert real_gradient_penalty(judge, real).item() == pytest.approx(7**2 / 2)
    assert gradient_penalty(lambda x: tuple(judge(x)), real, painted).item() == pytest.approx(36)


def test_a_batch_has_the_mean_of_the_penalties_of_its_images() -> None:
    judge, shares = patch_judge(), noise(3, seed=2)
    singles = [
        gradient_penalty(judge, REAL[i : i + 1], PAINTED[i : i + 1], shares[i : i + 1]).item()
        for i in range(3)
    ]
    assert gradient_penalty(judge, REAL, PAINTED, shares).item() == pytest.approx(sum(singles) / 3)
    singles = [real_gradient_penalty(judge, image[None]).item() for image in REAL]
    assert real_gradient_penalty(judge, REAL).item() == pytest.approx(sum(singles) / 3)


def test_the_penalty_of_a_network_is_that_of_finite_differences() -> None:
    judge, image = patch_judge(), REAL[:1]
    steps = 1e-5 * torch.eye(image.numel(), dtype=torch.float64).reshape(-1, *image.shape[1:])
    with torch.no_grad():
        rises = (judge(image + steps) - judge(image - steps)).mean((1, 2, 3)) / 2e-5
    length = math.sqrt(rises.square().sum().item())
    # Both images are the same, so that all shares mean this one.
    assert gradient_penalty(judge, image, image).item() == pytest.approx((length - 1) ** 2, rel=1e-6)
    assert real_gradient_penalty(judge, image).item() == pytest.approx(length**2 / 2, rel=1e-6)


def test_gradients_with_respect_to_the_parameters_are_those_of_finite_differences() -> None:
    judge, shares = patch_judge(), noise(3, seed=2)
    names, values = zip(*judge.named_parameters(), strict=True)

    def with_values(*given: Tensor) -> Judge:
        return lambda x: torch.func.functional_call(judge, dict(zip(names, given, strict=True)), x)

    values = tuple(value.detach().clone().requires_grad_() for value in values)
    assert torch.autograd.gradcheck(
        lambda *given: gradient_penalty(with_values(*given), REAL, PAINTED, shares), values
    )
    assert torch.autograd.gradcheck(lambda *given: real_gradient_penalty(with_values(*given), REAL), values)


def test_the_gradient_reaches_the_judge_and_neither_images_nor_shares() -> None:
    judge = patch_judge()
    given = [REAL.clone().requires_grad_(), PAINTED.clone().requires_grad_(), noise(3).requires_grad_()]
    (gradient_penalty(judge, *given) + real_gradient_penalty(judge, given[0])).backward()
    assert all(tensor.grad is None for tensor in given)
    for name in ("0.weight", "0.bias", "2.weight"):
        gradient = judge.get_parameter(name).grad
        assert gradient is not None
        assert gradient.abs().sum() > 0


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_penalties_are_the_same_without_gradients_around_them(context: Callable[[], Any]) -> None:
    judge, shares = patch_judge(), noise(3, seed=2)
    expected = gradient_penalty(judge, REAL, PAINTED, shares), real_gradient_penalty(judge, REAL)
    with context():
        real, painted = REAL.clone(), PAINTED.clone()
        inside = gradient_penalty(judge, real, painted, shares), real_gradient_penalty(judge, real)
    outside = gradient_penalty(judge, real, painted, shares), real_gradient_penalty(judge, real)
    for found in (inside, outside):
        assert torch.equal(torch.stack(found), torch.stack(expected))
        sum(found).backward()


def flat_weights(images: Tensor) -> Tensor:
    return nn.functional.conv2d(images, torch.zeros(1, 3, 3, 3, requires_grad=True)).relu()


def stationary(images: Tensor) -> Tensor:
    return (images - images.detach()).square()


def all_the_same(images: Tensor) -> Tensor:
    return torch.ones(len(images), requires_grad=True) * 2


@pytest.mark.parametrize("judge", [flat_weights, stationary, all_the_same])
def test_without_a_slope_penalties_are_those_of_zero(judge: Judge) -> None:
    flat = torch.full((2, 3, 4, 4), 0.5)
    assert gradient_penalty(judge, flat, flat).item() == 1
    assert gradient_penalty(judge, flat, flat, target=0).item() == 0
    assert real_gradient_penalty(judge, flat).item() == 0


@pytest.mark.parametrize("factor", [0.0, 1e-38, 1e-30, 1e-19, 1e-8, 1.0, 1e8])
def test_gradients_are_finite_however_flat_a_judge_is(factor: float) -> None:
    weights = torch.full((1, 3, 3, 3), factor, requires_grad=True)
    flat = torch.full((2, 3, 4, 4), 0.5)
    for images in (flat, torch.zeros_like(flat), torch.rand(2, 3, 4, 4)):
        for penalty in (
            gradient_penalty(lambda x: nn.functional.conv2d(x, weights), images, flat),
            real_gradient_penalty(lambda x: nn.functional.conv2d(x, weights), images),
        ):
            (gradient,) = torch.autograd.grad(penalty, weights)
            assert penalty.isfinite()
            assert gradient.isfinite().all()


def test_images_of_low_precision_have_penalties_in_float32() -> None:
    # 270000 slopes of 1: their squares are more than float16 can add up.
    real = torch.rand(1, 3, 300, 300).half()
    found = real_gradient_penalty(lambda x: x.float().sum((1, 2, 3)), real)
    assert found.dtype == torch.float32
    assert found.item() == 135000
    found = gradient_penalty(lambda x: x.float().sum((1, 2, 3)), real, real)
    assert found.item() == pytest.approx((math.sqrt(270000) - 1) ** 2)


def test_wrong_arguments_are_refused() -> None:
    def judge(images: Tensor) -> Tensor:
        return images.sum((1, 2, 3))

    with pytest.raises(
        ValueError, match=r"same shape, got \(3, 3, 7, 7\) and \(2, 3, 7, 7\). Crop or resize"
    ):
        gradient_penalty(judge, REAL, PAINTED[:2])
    with pytest.raises(ValueError, match=r"`shares` must have one number per image, \(3,\), got .* \(3, 1\)"):
        gradient_penalty(judge, REAL, PAINTED, torch.rand(3, 1))
    with pytest.raises(ValueError, match="`target` must not be negative, got -1"):
        gradient_penalty(judge, REAL, PAINTED, target=-1)
    with pytest.raises(TypeError, match="`real` must be a floating tensor"):
        real_gradient_penalty(judge, torch.ones(1, 3, 4, 4, dtype=torch.uint8))
    with pytest.raises(TypeError, match="`painted` must be a floating tensor"):
        gradient_penalty(judge, REAL, PAINTED.long())
    for wrong in (lambda x: x.detach().sum((1, 2, 3)), lambda _: []):
        with pytest.raises(
            ValueError, match=r"scores that can be differentiated, .* Is something in it detached"
        ):
            real_gradient_penalty(wrong, REAL)
    for wrong in (lambda x: x.mean(), lambda x: x[:2]):
        with pytest.raises(ValueError, match="scores with the batch of 3 first, got the shape"):
            real_gradient_penalty(wrong, REAL)
    with pytest.raises(TypeError, match=r"a tensor of scores, or a sequence of them .*, got a list in"):
        real_gradient_penalty(lambda x: [[x]], REAL)  # type: ignore[list-item]
