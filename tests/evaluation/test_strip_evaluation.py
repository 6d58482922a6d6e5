"""Strips give the numbers of the whole image, for every loss and precision."""

import pytest
import torch

import pystyle.losses
from pystyle import (
    AttentionLoss,
    ContentLoss,
    CovarianceLoss,
    Criterion,
    GramLoss,
    Loss,
    LPIPSLoss,
    MaskedImage,
    MattingLaplacianLoss,
    MeanLoss,
    MeanStdLoss,
    MomentLoss,
    MultiLayerGramLoss,
    PNormLoss,
    TemporalLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
    optimize_image,
)
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluation, StripEvaluation, StripEvaluator
from pystyle.optim import LBFGS

GENERATOR = torch.Generator().manual_seed(0)
IMAGE, CONTENT, STYLE = (
    torch.rand(1, 3, height, 36, generator=GENERATOR, dtype=torch.float64) for height in (70, 70, 50)
)
REFERENCES = {"content": CONTENT, "style": STYLE}
LAYERS = ["relu1_1", "relu2_1", "relu3_1"]
LOSSES = {
    "Gram": lambda: GramLoss(LAYERS, weight=3.0),
    "relative Gram": lambda: GramLoss(LAYERS, relative=True, normalization="chw"),
    "mean and std": lambda: MeanStdLoss(LAYERS, layer_weights=[1, 2, 3]),
    "Wasserstein": lambda: WassersteinLoss(["image", "relu1_1"], relative=True),
    "covariance": lambda: CovarianceLoss(LAYERS, relative=True),
    "mean": lambda: MeanLoss(LAYERS),
    "moment": lambda: MomentLoss(LAYERS),
    "multi-layer Gram": lambda: MultiLayerGramLoss(LAYERS),
    "attention": lambda: AttentionLoss(["relu2_1", "relu3_1"], relative=True),
    "content": lambda: ContentLoss(["relu2_1", "relu3_1"], weight=2.0),
    "content l1": lambda: ContentLoss(["relu2_1", "relu3_1"], distance="l1"),
    "LPIPS": lambda: LPIPSLoss({"relu2_1": torch.linspace(0, 1, 128), "relu1_1": torch.ones(64)}),
    "relative content": lambda: ContentLoss("relu4_1", relative=True),
    "pixels": lambda: ContentLoss("image"),
    "total variation": lambda: TotalVariationLoss(),
    "value range": lambda: ValueRangeLoss(low=0.4, high=0.5),
    "p-norm": lambda: PNormLoss(),
    "wavelet": lambda: WaveletLoss(),
    "matting": lambda: MattingLaplacianLoss(),
    "temporal": lambda: TemporalLoss(reference="content"),
}
WITHOUT_REGIONS = ("wavelet", "matting")


class Whole(Loss):
    reference, spatial = "style", "set"

    def represent(self, features):
        return features.flatten(2).sort().values.mean(2)


def evaluate(evaluation, losses, image=IMAGE, references=REFERENCES):
    encoder = vgg11(weights=None, padding="replicate", ceil_mode=True).to(image.dtype)
    return evaluation.bind(Criterion(encoder, losses), references)(image)


def assert_same(ours, others, tolerance):
    (terms, gradient), (other_terms, other_gradient) = ours, others
    assert list(terms) == list(other_terms)
    for name, term in terms.items():
        assert float(term) == pytest.approx(float(other_terms[name]), rel=tolerance)
        assert not term.requires_grad
    assert (gradient - other_gradient).abs().max() < tolerance * other_gradient.abs().max()


@pytest.mark.slow
@pytest.mark.parametrize("rows", [7, 32, 500])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_the_value_and_the_gradient_of_the_whole(name, rows):
    losses = {"loss": LOSSES[name]()}
    assert_same(
        evaluate(StripEvaluation(rows=rows), losses), evaluate(EagerEvaluation(), losses), tolerance=1e-10
    )


def test_every_pooled_and_dense_loss_is_in_the_list():
    classes = (getattr(pystyle.losses, name) for name in pystyle.losses.__all__)
    adds_up = {cls for cls in classes if getattr(cls, "spatial", "set") != "set"}
    assert {type(make()) for make in LOSSES.values()} == adds_up


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_finite_and_near_in_half_precision(name):
    references = {name: image.float() for name, image in REFERENCES.items()}
    losses = {"loss": LOSSES[name]()}
    (half_terms, half), (terms, full) = (
        evaluate(EagerEvaluation(precision=precision), losses, IMAGE.float(), references)
        for precision in ("bfloat16", "float32")
    )
    assert float(half_terms.total) == pytest.approx(float(terms.total), rel=0.05)
    # Where rounding decides which value of a pooling is the largest, single pixels differ.
    assert (half - full).norm() < 0.3 * full.norm()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "propagation"),
    [(name, "simple") for name in LOSSES if name not in WITHOUT_REGIONS]
    + [(name, method) for name in ("Gram", "content") for method in ("inside", "all")],
)
def test_every_loss_within_a_region_has_the_value_and_the_gradient_of_the_whole(name, propagation):
    # The region of the image begins below the first strip; that of the style is soft.
    low, soft = torch.zeros(1, 1, 70, 36), torch.linspace(0, 1, 50).reshape(1, 1, 50, 1).expand(1, 1, 50, 36)
    low[:, :, 18:, :33] = 1
    references = {"content": MaskedImage(CONTENT, {"low": low}), "style": MaskedImage(STYLE, {"low": soft})}
    losses = {"loss": LOSSES[name]().within("low", propagation=propagation)}
    strips, whole = (
        evaluate(kind, losses, references=references) for kind in (StripEvaluation(rows=7), EagerEvaluation())
    )
    assert_same(strips, whole, tolerance=1e-10)
    assert float(whole[0].total) > 0


class DenseWithoutRegions(Loss):
    reference, spatial = "content", "dense"

    def represent(self, features):
        return features


def test_a_dense_loss_that_does_not_know_regions_is_refused_in_strips():
    mask = torch.zeros(1, 1, 70, 36)
    mask[..., 18:] = 1
    references = {"content": MaskedImage(CONTENT, {"right": mask})}
    losses = {"loss": DenseWithoutRegions("relu1_1").within("right")}
    evaluate(EagerEvaluation(), losses, references=references)
    with pytest.raises(ValueError, match="override `represent_within`"):
        evaluate(StripEvaluation(rows=16), losses, references=references)


def test_losses_together_have_the_terms_of_the_whole_in_their_order():
    losses = {name: make() for name, make in LOSSES.items()}
    strips, whole = (evaluate(kind, losses) for kind in (StripEvaluation(rows=16), EagerEvaluation()))
    assert_same(strips, whole, tolerance=1e-10)


def test_a_batch_and_a_blend_of_styles_work_too():
    image = torch.cat((IMAGE, IMAGE.flip(3)))
    references = {"content": CONTENT, "style": [(STYLE, 1.0), (STYLE.flip(2), 3.0)]}
    losses = {"content": LOSSES["content"](), "style": LOSSES["Gram"]()}
    strips, whole = (
        evaluate(kind, losses, image, references) for kind in (StripEvaluation(rows=16), EagerEvaluation())
    )
    assert_same(strips, whole, tolerance=1e-11)


@pytest.mark.parametrize(
    ("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.05), ("float16", 0.01)]
)
def test_other_precisions_are_equal_within_their_rounding(precision, tolerance):
    image, references = IMAGE.float(), {name: image.float() for name, image in REFERENCES.items()}
    losses = {"content": LOSSES["relative content"](), "style": LOSSES["relative Gram"]()}
    strips = evaluate(StripEvaluation(rows=16, precision=precision), losses, image, references)
    whole = evaluate(EagerEvaluation(precision=precision), losses, image, references)
    assert_same(strips, whole, tolerance)


def test_terms_alone_are_those_of_an_evaluation():
    losses = {name: make() for name, make in LOSSES.items()}
    criterion = Criterion(vgg11(weights=None).double(), losses)
    evaluator = StripEvaluation(rows=16).bind(criterion, REFERENCES)
    terms, _ = evaluator(IMAGE)
    assert list(terms) == list(evaluator.terms(IMAGE))
    for name, term in evaluator.terms(IMAGE).items():
        assert float(term) == pytest.approx(float(terms[name]), rel=1e-12)


def test_a_run_in_strips_ends_in_the_same_picture():
    criterion = Criterion(
        vgg11(weights=None).double(),
        {"content": LOSSES["relative content"](), "style": LOSSES["relative Gram"]()},
    )
    strips, whole = (
        optimize_image(criterion, REFERENCES, num_steps=5, optimizer=LBFGS, evaluation=evaluation)
        for evaluation in (StripEvaluation(rows=16), EagerEvaluation())
    )
    torch.testing.assert_close(strips.image, whole.image, rtol=0, atol=1e-9)
    assert strips.history["total"] == pytest.approx(whole.history["total"])


def test_a_loss_that_needs_all_positions_is_refused_by_name():
    criterion = Criterion(vgg11(weights=None).double(), {"sorted": Whole("relu2_1")})
    with pytest.raises(ValueError, match="Whole at 'relu2_1' needs all positions at once"):
        StripEvaluation().bind(criterion, REFERENCES)
    with pytest.raises(ValueError, match="Whole at 'relu2_1' needs all positions at once"):
        StripEvaluator(criterion.bind(REFERENCES), rows=8)


@pytest.mark.parametrize(
    "loss", [TotalVariationLoss(layers="relu1_1"), ContentLoss("relu1_1", distance="scaled_mse")]
)
def test_a_dense_loss_that_is_no_mean_over_positions_is_refused(loss):
    criterion = Criterion(vgg11(weights=None).double(), {"loss": loss})
    with pytest.raises(ValueError, match=rf"{type(loss).__name__} at 'relu1_1' needs all positions"):
        StripEvaluation().bind(criterion, REFERENCES)


def test_a_content_of_another_size_is_an_error():
    criterion = Criterion(vgg11(weights=None).double(), {"content": ContentLoss("relu2_1")})
    evaluator = StripEvaluation(rows=16).bind(criterion, REFERENCES)
    with pytest.raises(ValueError, match=r"content\.relu2_1.*same size"):
        evaluator(IMAGE[..., :60, :])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`rows` must be at least 1, got 0"):
        StripEvaluation(rows=0)
    with pytest.raises(ValueError, match=r"`precision` must be one of .*, got 'half'"):
        StripEvaluation(precision="half")


def test_the_image_is_left_as_it_was():
    image = IMAGE.clone().requires_grad_()
    _, gradient = evaluate(StripEvaluation(rows=16), {"style": LOSSES["Gram"]()}, image)
    assert torch.equal(image, IMAGE)
    assert image.grad is None
    assert not gradient.requires_grad
