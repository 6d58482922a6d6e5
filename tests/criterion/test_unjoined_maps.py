"""Losses that look at some positions of hypercolumns, which are interpolated there and nowhere else."""

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, MaskedImage, RelaxedEMDLoss, SelfSimilarityLoss
from pystyle.encoders import HypercolumnEncoder, LowPrecisionEncoder, SequentialEncoder
from pystyle.evaluation import EagerEvaluator
from pystyle.papers.kolkin_2019 import SampledMomentLoss

GENERATOR = torch.Generator().manual_seed(0)
CONTENT, STYLE, IMAGE = torch.rand(3, 1, 3, 16, 24, generator=GENERATOR)
REFERENCES = {"content": CONTENT, "style": STYLE}


class Joined(HypercolumnEncoder):
    """Gives its groups joined only."""

    def members(self, layer):
        return (layer,)


def criterion(kind, *, change=lambda loss: loss, losses=("content", "style", "moments"), **options):
    torch.manual_seed(0)
    encoder = SequentialEncoder(
        {
            "one": nn.Conv2d(3, 4, 3, padding=1),
            "pool1": nn.AvgPool2d(2),
            "two": nn.Conv2d(4, 5, 3, padding=1),
            "pool2": nn.AvgPool2d(2),
        }
    )
    found = {
        "content": SelfSimilarityLoss("all", num_samples=20, resample=True),
        "style": RelaxedEMDLoss("all", num_samples=30, num_image_samples=20, resample=True),
        "moments": SampledMomentLoss("all", num_samples=20, num_style_samples=30),
        "every": RelaxedEMDLoss("all", num_samples=None, distance="euclidean", relative=True),
        "dense": ContentLoss("all"),
    }
    groups = {"all": ["image", "one", "two", "pool2"]}
    return Criterion(kind(encoder, groups), {name: change(found[name]) for name in losses}, **options)


def evaluated(criterion, references=REFERENCES):
    return EagerEvaluator(criterion.bind(references))(IMAGE)


def assert_alike(own, other, tolerance=1e-5):
    (terms, gradient), (expected, expected_gradient) = own, other
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=tolerance, atol=tolerance)
    difference = (gradient - expected_gradient).norm() / expected_gradient.norm()
    assert float(difference) < 10 * tolerance


ALL = ("content", "style", "moments", "every", "dense")


@pytest.mark.parametrize("losses", [("style",), ("content", "style", "moments"), ALL], ids=len)
def test_values_and_gradients_are_those_of_joined_maps(losses):
    assert_alike(*(evaluated(criterion(kind, losses=losses)) for kind in (HypercolumnEncoder, Joined)))


def test_an_objective_gives_the_terms_of_an_evaluator():
    terms, _ = evaluated(criterion(HypercolumnEncoder, losses=ALL))
    own = criterion(HypercolumnEncoder, losses=ALL).bind(REFERENCES)(IMAGE)
    assert {name: float(value) for name, value in own.items()} == pytest.approx(
        {name: float(value) for name, value in terms.items()}, rel=1e-5
    )


def test_gradients_are_normalised_at_the_joined_layer():
    options = {"normalize_gradients": ["content", "style"]}
    assert_alike(*(evaluated(criterion(kind, **options)) for kind in (HypercolumnEncoder, Joined)))


def test_images_that_wrap_are_joined_across_the_border():
    assert_alike(*(evaluated(criterion(kind, wrap="both")) for kind in (HypercolumnEncoder, Joined)))


def test_regions_are_taken_from_the_joined_layer():
    mask = torch.zeros(1, 1, 16, 24)
    mask[..., :11] = 1
    masked = {name: MaskedImage(image, {"left": mask}) for name, image in REFERENCES.items()}
    found = (
        evaluated(criterion(kind, change=lambda loss: loss.within("left")), masked)
        for kind in (HypercolumnEncoder, Joined)
    )
    assert_alike(*found)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_hands_maps_on(dtype):
    found = []
    for kind in (HypercolumnEncoder, Joined):
        own = criterion(kind)
        found.append(evaluated(Criterion(LowPrecisionEncoder(own.encoder, dtype), own.named_losses)))
    assert_alike(*found, tolerance=5e-3)


def test_batches_have_targets_of_their_own():
    batch = {"content": torch.cat((CONTENT, STYLE)), "style": torch.cat((STYLE, CONTENT))}
    image = torch.cat((IMAGE, CONTENT))
    found = [EagerEvaluator(criterion(kind).bind(batch))(image) for kind in (HypercolumnEncoder, Joined)]
    assert_alike(*found)


def test_maps_are_not_joined_where_positions_are_sampled(monkeypatch):
    def refused(*_):
        raise AssertionError("joined at all positions")

    monkeypatch.setattr(HypercolumnEncoder, "_column", refused)
    evaluated(criterion(HypercolumnEncoder))


def test_an_image_of_another_size_than_the_content_is_refused():
    objective = criterion(HypercolumnEncoder, losses=("content",)).bind(REFERENCES)
    with pytest.raises(ValueError, match=r"The loss 'content.all' cannot be computed.*\(1, 17, 16, 24\)"):
        objective(torch.rand(1, 3, 16, 16))
