import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, TotalVariationLoss
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluator

GENERATOR = torch.Generator().manual_seed(0)
IMAGE, CONTENT, STYLE = (torch.rand(1, 3, 12, 10, generator=GENERATOR) for _ in range(3))


def pixels() -> SequentialEncoder:
    return SequentialEncoder({"pixels": nn.Identity()})


def test_gradient_of_a_content_loss_on_pixels_is_that_worked_out_by_hand():
    # Mean of (x - c)² over n values: 2 (x - c) / n.
    objective = Criterion(pixels(), {"content": ContentLoss("pixels", weight=3.0)}).bind({"content": CONTENT})
    terms, gradient = EagerEvaluator(objective)(IMAGE)
    assert float(terms.total) == pytest.approx(3 * float((IMAGE - CONTENT).square().mean()), rel=1e-5)
    torch.testing.assert_close(gradient, 6 * (IMAGE - CONTENT) / IMAGE.numel())


def test_gradient_is_the_slope_of_the_total():
    losses = {"content": ContentLoss("relu1_1"), "style": GramLoss(["relu1_1", "relu2_1"], weight=10.0)}
    objective = Criterion(vgg11(weights=None).double(), losses).bind(
        {"content": CONTENT.double(), "style": STYLE.double()}
    )
    _, gradient = EagerEvaluator(objective)(IMAGE.double())
    direction = torch.randn(IMAGE.shape, generator=GENERATOR, dtype=torch.float64)
    ahead, behind = (objective(IMAGE.double() + sign * 1e-6 * direction).total for sign in (1, -1))
    assert float((gradient * direction).sum()) == pytest.approx(float(ahead - behind) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("wants_gradient", [False, True])
def test_the_image_is_left_as_it_was(wants_gradient):
    objective = Criterion(pixels(), {"smoothness": TotalVariationLoss()}).bind({})
    image = IMAGE.clone().requires_grad_(wants_gradient)
    terms, gradient = EagerEvaluator(objective)(image)
    assert torch.equal(image, IMAGE)
    assert image.grad is None
    assert image.requires_grad is wants_gradient
    assert not terms.total.requires_grad
    assert not any(term.requires_grad for term in terms.values())
    assert not gradient.requires_grad


def test_evaluation_works_where_gradients_are_off():
    objective = Criterion(pixels(), {"content": ContentLoss("pixels")}).bind({"content": CONTENT})
    with torch.no_grad():
        _, gradient = EagerEvaluator(objective)(IMAGE)
        assert not torch.is_grad_enabled()
    assert gradient.abs().sum() > 0


def test_evaluation_is_repeatable_to_the_last_bit():
    objective = Criterion(vgg11(weights=None), {"style": GramLoss("relu3_2")}).bind({"style": STYLE})
    first, second = (EagerEvaluator(objective)(IMAGE) for _ in range(2))
    assert torch.equal(first[0].total, second[0].total)
    assert torch.equal(first[1], second[1])
