import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, TotalVariationLoss
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, EagerEvaluator

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


class Blind(SequentialEncoder):
    """An encoder whose features do not depend on the image."""

    def forward(self, image, layers):
        return {layer: torch.ones_like(image).detach() for layer in layers}


def test_features_that_do_not_depend_on_the_image_have_terms_and_no_gradient():
    criterion = Criterion(Blind({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})
    terms, gradient = EagerEvaluation().bind(criterion, {"content": CONTENT})(IMAGE)
    assert float(terms.total) == 0
    assert torch.equal(gradient, torch.zeros_like(IMAGE))


def test_the_gradient_is_that_of_one_graph():
    losses = {
        "content": ContentLoss("relu2_1"),
        "style": GramLoss(["image", "relu1_1", "relu2_1"]),
        "smoothness": TotalVariationLoss(),
    }
    objective = Criterion(vgg11(weights=None), losses).bind({"content": CONTENT, "style": STYLE})
    image = IMAGE.clone().requires_grad_()
    terms = objective(image)
    (whole,) = torch.autograd.grad(terms.total, image)
    found, gradient = EagerEvaluator(objective)(IMAGE)
    assert torch.equal(found.total, terms.total.detach())
    torch.testing.assert_close(gradient, whole, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("precision", "allowed"), [("float32", "ieee"), ("tf32", "tf32")])
def test_products_of_a_gpu_are_rounded_to_tf32_only_if_asked_for(precision, allowed):
    seen = []

    class Watching(SequentialEncoder):
        def forward(self, image, layers):
            seen.append(torch.backends.cuda.matmul.fp32_precision)
            seen.append(torch.backends.cudnn.conv.fp32_precision)
            return super().forward(image, layers)

    before = torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision
    criterion = Criterion(Watching({"pixels": nn.Identity()}), {"content": ContentLoss("pixels")})
    evaluator = EagerEvaluation(precision).bind(criterion, {"content": CONTENT})
    evaluator(IMAGE)
    evaluator.terms(IMAGE)
    assert seen == [allowed] * 6
    assert before == (
        torch.backends.cuda.matmul.fp32_precision,
        torch.backends.cudnn.conv.fp32_precision,
    )
