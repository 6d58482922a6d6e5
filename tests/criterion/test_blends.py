from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from pystyle import ContentLoss, Criterion, GramLoss, Loss, MeanStdLoss, WassersteinLoss
from pystyle.encoders import SequentialEncoder
from pystyle.functional import gram_matrix, mean_squared_error


def noise(seed: int = 0, *, height: int = 12, width: int = 14) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


FIRST, SECOND = noise(1), noise(2, height=7, width=20).square()


class SortedColoursLoss(Loss):
    """Needs all positions at once: the sorted values of each channel at 16 quantiles."""

    reference, spatial = "style", "set"

    def represent(self, features: Tensor) -> Tensor:
        ordered = features.flatten(2).sort().values
        return ordered[..., torch.linspace(0, ordered.shape[2] - 1, 16).long()]


def total(encoder: SequentialEncoder, loss: Loss, style: object, image: Tensor) -> Tensor:
    return Criterion(encoder, {"style": loss}).bind({"style": style})(image).total  # type: ignore[dict-item]


def test_the_gram_matrix_of_a_blend_is_the_weighted_mean_of_gram_matrices(encoder: SequentialEncoder) -> None:
    grams = [gram_matrix(encoder(image, ["relu1"])["relu1"]) for image in (noise(), FIRST, SECOND)]
    expected = mean_squared_error(grams[0], 0.25 * grams[1] + 0.75 * grams[2])
    torch.testing.assert_close(
        total(encoder, GramLoss("relu1"), [(FIRST, 1.0), (SECOND, 3.0)], noise()), expected
    )


@pytest.mark.parametrize("make", [GramLoss, MeanStdLoss, WassersteinLoss])
def test_blended_styles_count_like_an_image_with_parts_of_both(
    encoder: SequentialEncoder, make: type[Loss]
) -> None:
    # The colours of a blend are those of both images side by side, if the areas are as the weights.
    wide, narrow = noise(1, width=15), noise(2, width=5).square()
    together = torch.cat((wide, narrow), dim=3)
    loss = make("image", relative=True)
    blended = total(encoder, loss, [(wide, 6.0), (narrow, 2.0)], noise())
    torch.testing.assert_close(blended, total(encoder, loss, together, noise()), rtol=1e-4, atol=0)


def test_blended_sets_are_compared_one_by_one(encoder: SequentialEncoder) -> None:
    loss = SortedColoursLoss(["relu1", "image"], weight=3.0)
    blended = total(encoder, loss, [(FIRST, 1.0), (SECOND, 3.0)], noise())
    single = [total(encoder, loss, style, noise()) for style in (FIRST, SECOND)]
    torch.testing.assert_close(blended, 0.25 * single[0] + 0.75 * single[1])


def test_relative_sets_are_divided_one_by_one(encoder: SequentialEncoder) -> None:
    loss = SortedColoursLoss("relu1", relative=True)
    blended = total(encoder, loss, [(FIRST, 1.0), (SECOND, 3.0)], noise())
    single = [total(encoder, loss, style, noise()) for style in (FIRST, SECOND)]
    torch.testing.assert_close(blended, 0.25 * single[0] + 0.75 * single[1])


@pytest.mark.parametrize("loss", [GramLoss("relu1"), SortedColoursLoss("relu1")])
def test_a_blend_of_one_image_is_that_image(encoder: SequentialEncoder, loss: Loss) -> None:
    expected = total(encoder, loss, FIRST, noise())
    torch.testing.assert_close(total(encoder, loss, [(FIRST, 7.0)], noise()), expected)
    torch.testing.assert_close(total(encoder, loss, [(FIRST, 7.0), (SECOND, 0.0)], noise()), expected)
    torch.testing.assert_close(total(encoder, loss, ([FIRST, 1.0], [FIRST, 4.0]), noise()), expected)


class JoinedColoursLoss(SortedColoursLoss):
    """The sorted values of all references together."""

    def represent(self, features: Tensor) -> Tensor:
        return features.flatten(2)

    def join(self, representations: Sequence[tuple[Tensor, float]]) -> list[tuple[Tensor, float]]:
        assert sum(weight for _, weight in representations) == 1
        return [(torch.cat([values for values, _ in representations], dim=2), 1.0)]

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        quantiles = torch.linspace(0, 1, 16)
        return mean_squared_error(representation.quantile(quantiles, 2), target.quantile(quantiles, 2))


def test_a_set_may_join_its_references(encoder: SequentialEncoder) -> None:
    narrow, wide = noise(1, height=6, width=8), noise(2, height=6, width=12).square()
    for relative in (False, True):
        loss = JoinedColoursLoss("image", relative=relative)
        joined = total(encoder, loss, [(narrow, 1.0), (wide, 1.0)], noise())
        torch.testing.assert_close(joined, total(encoder, loss, torch.cat((narrow, wide), dim=3), noise()))


class FlippedLoss(Loss):
    """Sees its reference upside down too."""

    reference, spatial = "content", "dense"

    def views(self, image: Tensor) -> tuple[Tensor, ...]:
        return image, image.flip(2)

    def represent(self, features: Tensor) -> Tensor:
        return features


def test_views_of_a_reference_count_like_references(encoder: SequentialEncoder) -> None:
    image, first, second = noise(), noise(1), noise(2)
    losses = {"plain": ContentLoss("relu2"), "flipped": FlippedLoss(["image", "relu2"])}
    criterion = Criterion(encoder, losses)
    terms = criterion.bind({"content": [(first, 1.0), (second, 3.0)]})(image)
    blend = [(first, 0.125), (first.flip(2), 0.125), (second, 0.375), (second.flip(2), 0.375)]
    plain = Criterion(encoder, {"flipped": ContentLoss(["image", "relu2"])}).bind({"content": blend})(image)
    for name in plain:
        torch.testing.assert_close(terms[name], plain[name])
    assert terms["plain.relu2"] != plain["flipped.relu2"]


def test_a_view_that_is_too_small_is_refused_as_such(encoder: SequentialEncoder) -> None:
    class SmallerLoss(FlippedLoss):
        def views(self, image: Tensor) -> tuple[Tensor, ...]:
            return (image[:, :, :2],)

    with pytest.raises(ValueError, match=r'`a view of references\["content"\]` must be at least 6 pixels'):
        Criterion(encoder, {"loss": SmallerLoss("relu2")}).bind({"content": noise()})


def test_a_loss_may_say_what_it_is_relative_to(encoder: SequentialEncoder) -> None:
    class HalvedLoss(GramLoss):
        def magnitude(self, representation: Tensor, target: Tensor) -> Tensor:
            assert torch.equal(representation, target)
            return torch.full((), 2.0)

    plain, halved = GramLoss("relu1"), HalvedLoss("relu1", relative=True)
    expected = total(encoder, plain, FIRST, noise()) / 2
    torch.testing.assert_close(total(encoder, halved, FIRST, noise()), expected)


def test_blended_contents_are_the_mean_of_their_features(encoder: SequentialEncoder) -> None:
    image, left, right = noise(), noise(1), noise(2)
    criterion = Criterion(encoder, {"content": ContentLoss("image")})
    terms = criterion.bind({"content": [(left, 1.0), (right, 1.0)]})(image)
    torch.testing.assert_close(terms.total, (image - (left + right) / 2).square().mean())
