"""Losses whose target is made of the content and the style."""

from collections.abc import Sequence
from functools import partial

import pytest
import torch
from torch import Tensor

from pystyle import AttentionLoss, Criterion, GramLoss, Loss, MaskedImage, Pyramid, optimize_image, stylize
from pystyle.criterion import Targets
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StoredTargets, StripEvaluation
from pystyle.functional import attention_features, mean_squared_error
from pystyle.papers.kolkin_2022 import ReplacedFeaturesLoss


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


IMAGE, CONTENT, STYLE, OTHER = (
    noise(seed, 1, 3, *size) for seed, size in enumerate([(32, 36), (32, 36), (28, 40), (40, 24)])
)
REFERENCES = {"content": CONTENT, "style": STYLE}


@pytest.fixture(scope="module")
def encoder() -> SequentialEncoder:
    return vgg11(weights=None).double()


class MidwayLoss(Loss):
    """The content, moved by the difference of the means of the style and a third image."""

    reference, spatial = ("content", "style", "third"), "dense"

    def represent(self, features: Tensor) -> Tensor:
        return features

    def prepare(self, content: Tensor, style: Tensor, third: Tensor) -> Tensor:
        return content + style.mean((2, 3), keepdim=True) - third.mean((2, 3), keepdim=True)


def value(criterion: Criterion, references: object = REFERENCES, image: Tensor = IMAGE) -> Tensor:
    return criterion.bind(references)(image).total


def test_the_target_is_made_of_both(encoder) -> None:
    features = [encoder(image, ["relu2_1"])["relu2_1"] for image in (IMAGE, CONTENT, STYLE)]
    expected = mean_squared_error(features[0], attention_features(*features[1:]))
    criterion = Criterion(encoder, {"style": AttentionLoss("relu2_1")})
    assert criterion.references == ("content", "style")
    torch.testing.assert_close(value(criterion), expected)


def test_three_references_are_handed_to_prepare_in_order(encoder) -> None:
    content, style, third, image = (
        encoder(each, ["relu1_1"])["relu1_1"] for each in (CONTENT, STYLE, OTHER, IMAGE)
    )
    wanted = content + style.mean((2, 3), keepdim=True) - third.mean((2, 3), keepdim=True)
    criterion = Criterion(encoder, {"loss": MidwayLoss("relu1_1")})
    torch.testing.assert_close(
        value(criterion, {**REFERENCES, "third": OTHER}), mean_squared_error(image, wanted)
    )
    with pytest.raises(ValueError, match="must have the image 'third'"):
        criterion.bind(REFERENCES)


def test_other_names_are_references_too(encoder) -> None:
    criterion = Criterion(encoder, {"style": AttentionLoss("relu2_1", reference=("photo", "painting"))})
    expected = value(Criterion(encoder, {"style": AttentionLoss("relu2_1")}))
    torch.testing.assert_close(value(criterion, {"photo": CONTENT, "painting": STYLE}), expected)


def test_a_relative_loss_is_divided_by_the_mean_square_of_the_target(encoder) -> None:
    features = [encoder(image, ["relu2_1"])["relu2_1"] for image in (CONTENT, STYLE)]
    size = attention_features(*features).square().mean()
    plain, relative = (Criterion(encoder, {"s": AttentionLoss("relu2_1", relative=r)}) for r in (False, True))
    torch.testing.assert_close(value(relative), value(plain) / size)


def test_several_styles_each_make_a_target_and_count_by_their_weights(encoder) -> None:
    criterion = Criterion(encoder, {"style": AttentionLoss("relu2_1")})
    apart = [value(criterion, {"content": CONTENT, "style": style}) for style in (STYLE, OTHER)]
    blended = value(criterion, {"content": CONTENT, "style": [(STYLE, 3.0), (OTHER, 1.0)]})
    torch.testing.assert_close(blended, 0.75 * apart[0] + 0.25 * apart[1])


def test_a_loss_may_join_the_styles_to_one_set_and_turn_them_but_not_the_content(encoder) -> None:
    criterion = Criterion(encoder, {"loss": ReplacedFeaturesLoss("relu2_1")})
    # All that the content has is found in it, also where it is blended with another style.
    itself = value(criterion, {"content": CONTENT, "style": [(CONTENT, 1.0), (OTHER, 1.0)]}, image=CONTENT)
    torch.testing.assert_close(itself, torch.zeros_like(itself))
    turned = value(criterion, {"content": CONTENT, "style": CONTENT.rot90(dims=(2, 3))})
    upright = value(criterion, {"content": CONTENT, "style": CONTENT})
    torch.testing.assert_close(turned, upright, rtol=0.05, atol=0)


def test_a_region_takes_from_that_region_of_the_style_only(encoder) -> None:
    def masked(image: Tensor, width: int) -> MaskedImage:
        mask = torch.zeros_like(image[:, :1])
        mask[..., :width] = 1
        return MaskedImage(image, {"left": mask})

    # Layers that see one pixel: what is inside depends on nothing outside.
    criterion = Criterion(encoder, {"style": AttentionLoss("image").within("left")})
    crop = {"content": CONTENT[..., :12], "style": STYLE[..., :16]}
    found = value(criterion, {"content": masked(CONTENT, 12), "style": masked(STYLE, 16)})
    expected = value(Criterion(encoder, {"style": AttentionLoss("image")}), crop, image=IMAGE[..., :12])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("loss", [AttentionLoss("relu2_1", relative=True), ReplacedFeaturesLoss("relu2_1")])
def test_strips_give_the_numbers_of_the_whole_image(encoder, loss: Loss) -> None:
    criterion = Criterion(encoder, {"style": loss})
    whole, strips = (
        evaluation.bind(criterion, REFERENCES)(IMAGE)
        for evaluation in (EagerEvaluation(), StripEvaluation(rows=8))
    )
    torch.testing.assert_close(strips[0].total, whole[0].total)
    torch.testing.assert_close(strips[1], whole[1])


def test_targets_of_the_style_alone_are_refused_and_not_stored(encoder, tmp_path) -> None:
    criterion = Criterion(encoder, {"gram": GramLoss("relu1_1"), "attention": AttentionLoss("relu1_1")})
    objective = criterion.bind(REFERENCES)
    assert set(Targets.of(objective, "style").targets) == {("gram", "relu1_1")}
    with pytest.raises(ValueError, match="must be an image: the loss 'attention' makes its targets of it"):
        criterion.bind({"content": CONTENT, "style": Targets.of(objective, "style")})
    evaluation = StoredTargets(EagerEvaluation(), tmp_path)
    terms = evaluation.bind(criterion, REFERENCES).terms(IMAGE)
    torch.testing.assert_close(terms.total, objective(IMAGE).total)
    assert list(tmp_path.iterdir()) == []


def test_a_pyramid_scales_the_style_and_keeps_the_content_with_the_image(encoder) -> None:
    seen: list[tuple[Sequence[int], Sequence[int]]] = []

    class Watching(AttentionLoss):
        def prepare(self, content, style):
            seen.append((content.features.shape[2:], style.features.shape[2:]))
            return super().prepare(content, style)

    criterion = Criterion(encoder, {"style": Watching("image")})
    pyramid = Pyramid((16, 32), num_steps=1)
    pyramid.optimize(criterion, REFERENCES, init="content", style_scale=0.5)
    assert seen == [((16, 18), (8, 11)), ((32, 36), (16, 23))]


def test_a_run_with_a_checkpoint_goes_on_with_the_same_bytes(encoder, tmp_path) -> None:
    criterion = Criterion(encoder, {"style": AttentionLoss("relu1_1", relative=True)})
    run = partial(optimize_image, criterion, REFERENCES, init=IMAGE)
    at_once = run(num_steps=3)
    run(num_steps=2, checkpoint=tmp_path)
    assert torch.equal(run(num_steps=3, checkpoint=tmp_path, resume=True).image, at_once.image)


def test_stylize_takes_such_a_loss_also_in_regions() -> None:
    light = vgg11(weights=None)
    content, style = CONTENT.float(), STYLE.float()
    paint = partial(stylize, encoder=light, edge_size=32, num_steps=2, style_loss=AttentionLoss("relu3_1"))
    assert paint(content, style).image.shape == (1, 3, 32, 36)
    mask = torch.zeros_like(content[:, :1])
    mask[..., :18] = 1
    regions = MaskedImage(content, {"left": mask, "right": 1 - mask})
    assert paint(regions, {"left": style, "right": OTHER.float()}).image.shape == (1, 3, 32, 36)


def test_a_class_without_its_own_prepare_or_with_other_numbers_of_names_is_refused() -> None:
    class Forgetful(Loss):
        reference, spatial = ("content", "style"), "dense"

        def represent(self, features: Tensor) -> Tensor:
            return features

    with pytest.raises(TypeError, match=r"Forgetful .* must override `prepare\(content, style\)`"):
        Forgetful("relu1_1")
    with pytest.raises(ValueError, match="`reference` must have as many names as"):
        AttentionLoss("relu1_1", reference=("a", "b", "c"))
    with pytest.raises(ValueError, match="`reference` must have as many names as"):
        GramLoss("relu1_1", reference=("a", "b"))
