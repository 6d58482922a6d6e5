"""A criterion of images that wrap sees paintings as they are, and what lies where the image does as it is."""

import pytest
import torch
from torch import nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    MattingLaplacianLoss,
    MRFLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TotalVariationLoss,
    WassersteinLoss,
    WaveletLoss,
)
from pystyle.checkpoints import describe
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation
from pystyle.losses import Loss
from pystyle.typing import MaskedImage

AXES = {"both": (2, 3), "horizontal": (3,)}


def noise(*size, seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tiny_encoder():
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1, padding_mode="replicate")
    modules = {"first": first, "relu": nn.ReLU(), "pool": nn.MaxPool2d(2), "second": second}
    return SequentialEncoder(modules).double()


LOSSES = {
    "content": lambda: ContentLoss("second"),
    "relative content": lambda: ContentLoss("second", distance="scaled_mse"),
    "gram": lambda: GramLoss(["first", "second"]),
    "wasserstein": lambda: WassersteinLoss("second"),
    "mrf": lambda: MRFLoss("second"),
    "mrf of steps": lambda: MRFLoss("first", stride=2),
    "nearest": lambda: NearestNeighborLoss("second"),
    "sliced": lambda: SlicedWassersteinLoss("second", resample=False),
    "variation": lambda: TotalVariationLoss(variant="nine_point"),
    "wavelet": lambda: WaveletLoss(),
}


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_shifted_image_has_the_same_terms_and_the_shifted_gradient(name, wrap):
    criterion = Criterion(tiny_encoder(), {"loss": LOSSES[name]()}, wrap=wrap)
    content, style, image = noise(8, 12), noise(9, 7, seed=1), noise(8, 12, seed=2)
    axes = AXES[wrap]
    shift = [2] * len(axes)

    def evaluated(content, image):
        return EagerEvaluation().bind(criterion, {"content": content, "style": style})(image)

    terms, gradient = evaluated(content, image)
    moved_terms, moved = evaluated(content.roll(shift, axes), image.roll(shift, axes))
    torch.testing.assert_close(moved_terms.total, terms.total)
    torch.testing.assert_close(moved, gradient.roll(shift, axes))


def test_terms_are_those_of_many_images_beside_each_other():
    encoder, style, image = tiny_encoder(), noise(9, 7, seed=1), noise(8, 6)
    found = Criterion(encoder, {"style": GramLoss("second")}, wrap="both").bind({"style": style})(image)
    many = encoder(image.repeat(1, 1, 3, 3), ["second"])["second"][:, :, 4:8, 3:6].flatten(2)
    matrix = many @ many.mT / many.shape[2]
    seen = encoder(style, ["second"])["second"].flatten(2)
    wanted = seen @ seen.mT / seen.shape[2]
    # The painting has a border, and 63 pixels that nothing can be laid beside.
    torch.testing.assert_close(found.total, (matrix - wanted).square().mean())


def test_the_content_wraps_and_its_own_term_is_0():
    content = noise(8, 8)
    objective = Criterion(tiny_encoder(), {"content": ContentLoss("second")}, wrap="both").bind(
        {"content": content}
    )
    assert float(objective(content).total) == 0
    plain = Criterion(tiny_encoder(), {"content": ContentLoss("second")}).bind({"content": content})
    moved = content.roll((2, 2), (2, 3))
    assert not torch.isclose(plain(moved).total, objective(moved).total)


@pytest.mark.parametrize(
    "loss",
    [
        ContentLoss("second", distance="scaled_mse", reference="layout"),
        SelfSimilarityLoss("second", num_samples=None, reference="layout"),
        PatchNCELoss("second", num_samples=None, reference="layout", temperature=1e-3),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_what_is_compared_position_by_position_wraps_whatever_it_is_called(loss):
    layout = noise(8, 8)
    criterion = Criterion(tiny_encoder(), {"loss": loss}, wrap="both")
    assert criterion.aligned == {"content", "layout"}
    # Each position is that of the layout: nothing differs, and all are recognised.
    assert float(criterion.bind({"layout": layout})(layout).total) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wrap", ["both", "horizontal"])
def test_strips_have_the_terms_and_the_gradient_of_the_whole(wrap):
    losses = {
        "content": ContentLoss("second"),
        "style": GramLoss("second"),
        "smoothness": TotalVariationLoss(),
    }
    criterion = Criterion(tiny_encoder(), losses, wrap=wrap)
    references, image = {"content": noise(16, 8), "style": noise(9, 7, seed=1)}, noise(16, 8, seed=2)
    terms, gradient = EagerEvaluation().bind(criterion, references)(image)
    strip_terms, strip_gradient = StripEvaluation(rows=4).bind(criterion, references)(image)
    torch.testing.assert_close(strip_terms.total, terms.total)
    torch.testing.assert_close(strip_gradient, gradient)


@pytest.mark.parametrize("evaluation", [EagerEvaluation(), StripEvaluation(rows=4)])
@pytest.mark.parametrize(("height", "width"), [(7, 8), (8, 7)])
def test_a_side_that_cannot_wrap_is_refused(evaluation, height, width):
    criterion = Criterion(tiny_encoder(), {"style": GramLoss("second")}, wrap="both")
    evaluator = evaluation.bind(criterion, {"style": noise(9, 7)})
    with pytest.raises(
        ValueError, match=r"`image` must have a \w+ that is a multiple of 2 pixels to wrap, got 7"
    ):
        evaluator(noise(height, width))


def test_losses_that_do_not_say_how_they_wrap_are_refused():
    class Neighbors(Loss):
        reference, spatial = "style", "set"

        def represent(self, features):
            return features

    for loss in (Neighbors("image"), MattingLaplacianLoss()):
        with pytest.raises(ValueError, match="cannot judge an image that wraps"):
            Criterion(None, {"loss": loss}, wrap="both")


def test_regions_and_other_names_are_refused():
    with pytest.raises(ValueError, match="`wrap` must be left out with regions"):
        Criterion(None, {"style": GramLoss("image").within("sky")}, wrap="both")
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        Criterion(None, {"style": GramLoss("image")}, wrap="vertical")


def test_the_masks_of_a_content_that_no_loss_asks_for_do_not_matter():
    image = noise(4, 4)
    content = MaskedImage(image, {"sky": torch.ones(1, 1, 4, 4)})
    criterion = Criterion(tiny_encoder(), {"content": ContentLoss("second")}, wrap="both")
    assert float(criterion.bind({"content": content})(image).total) == 0


def test_a_run_that_wraps_is_another_one():
    losses = {"style": GramLoss("second"), "smoothness": TotalVariationLoss()}
    plain, wrapped = Criterion(tiny_encoder(), losses), Criterion(tiny_encoder(), losses, wrap="both")
    assert describe({"criterion": plain})["criterion.wrap"] == "None"
    assert describe({"criterion": wrapped})["criterion.wrap"] == "'both'"
    assert "wrap" not in repr(plain)
    assert "wrap='both'" in repr(wrapped)
