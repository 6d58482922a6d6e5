from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from pystyle import GramLoss, Loss
from pystyle.functional import RawMoments, hypercolumns, mean_squared_error, mean_std, raw_moments
from pystyle.losses import LayerMask
from pystyle.testing import check_loss


class GoodPooledLoss(Loss):
    reference, spatial = "style", "pooled"

    def represent(self, features: Tensor) -> Tensor:
        return features.float().mean((2, 3)) if features.dtype == torch.bfloat16 else features.mean((2, 3))


class GoodDenseLoss(Loss):
    reference, spatial = "content", "dense"

    def represent(self, features: Tensor) -> Tensor:
        return features.sum(1, keepdim=True)


class GoodSetLoss(Loss):
    reference, spatial = "style", "set"

    def represent(self, features: Tensor) -> Tensor:
        return features.flatten(2).sort().values[..., :9]


class GoodLossWithoutReference(Loss):
    reference, spatial = None, "dense"

    def represent(self, features: Tensor) -> Tensor:
        return features.square().mean()


class GoodLossOfTuples(Loss):
    reference, spatial = "style", "pooled"

    def represent(self, features: Tensor) -> RawMoments:
        return raw_moments(features)


class PooledTooEarly(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return mean_std(raw_moments(features))


class Sum(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.sum((2, 3))


class ChangesItsFeatures(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.mul_(2).mean((2, 3))


class NoMeanOverPositions(GoodDenseLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return ((representation - target).square().mean((1, 2, 3)) + 1e-6).sqrt().mean()


class NeighboursInAList(GoodSetLoss):
    """Differences of neighbours along rows, which a list of positions has elsewhere."""

    independent_positions = True

    def represent(self, features: Tensor) -> Tensor:
        return (features[..., 1:] - features[..., :-1]).square().mean((2, 3))


class NeighboursInTheRegion(NeighboursInAList):
    independent_positions = False

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        return self.represent(mask.select(features))


class ScaledByItsBatch(GoodDenseLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation - target).square().mean() / target.square().mean().clamp_min(1e-12)


class WeightedByItsBatch(GoodDenseLoss):
    """The value of a batch is the mean, but not the gradient of its images."""

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        values = (representation - target).square().mean((1, 2, 3))
        return (values / values.detach().clamp_min(1e-12)).mean() * values.detach().mean()


class NotShiftInvariant(GoodDenseLoss):
    shift_invariant = True

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation.square() - target.square()).square().mean()


class NotFiniteWhenFlat(GoodSetLoss):
    def represent(self, features: Tensor) -> Tensor:
        return (features - features.mean((2, 3), keepdim=True)).square().mean((2, 3)).sqrt()


class OneNumberPerImage(GoodPooledLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation - target).square().mean(1)


class SumOverTheBatch(GoodPooledLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation - target).square().sum()


class NotANumber(GoodPooledLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation - target).sum() * float("nan")


class WithoutGraph(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return super().represent(features.detach())


class WithoutSlope(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return super().represent((4 * features).round())


class Random(GoodPooledLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return super().compare(representation, target) * (1 + torch.rand(()))


class AwayFromTheReference(GoodPooledLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return -mean_squared_error(representation, target)


class AlwaysFloat32(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.float().mean((2, 3))


class AnotherValueInFloat64(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return super().represent(features) * (2 if features.dtype == torch.float64 else 1)


class OverflowsInBfloat16(GoodSetLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.pow(8).flatten(2)[..., :9]


class NeedsContiguousFeatures(GoodPooledLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.view(*features.shape[:2], -1).mean(2)


class FollowsTheMemory(GoodSetLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.as_strided(features.shape[:2], features.stride()[:2], 1).contiguous()


class PooledButCalledDense(GoodDenseLoss):
    def represent(self, features: Tensor) -> Tensor:
        return features.mean((2, 3))


class DenseWithoutReference(GoodLossWithoutReference):
    def represent(self, features: Tensor) -> Tensor:
        return features.square()

    def compare(self, representation: Tensor, target: None) -> Tensor:
        del target
        return representation.mean()


class WithoutSpatial(GoodPooledLoss):
    spatial = "global"  # type: ignore[assignment]


class WithoutName(GoodPooledLoss):
    reference = 3  # type: ignore[assignment]


class Trainable(GoodPooledLoss):
    def __init__(self, layers: str) -> None:
        super().__init__(layers)
        self.scale = nn.Parameter(torch.ones(()))


class ForgetsItsWeights(GoodPooledLoss):
    def __init__(self, layers: str) -> None:
        super().__init__(layers)
        self.layer_weights = {}


class ForgetsWhenPickled(GoodPooledLoss):
    def __reduce__(self) -> tuple[type[Loss], tuple[str]]:
        return GoodPooledLoss, ("a",)


class JoinsNothing(GoodSetLoss):
    def join(self, representations: Sequence[tuple[Tensor, float]]) -> list[tuple[Tensor, float]]:
        return [(representation, 0.5) for representation, _ in representations]


class JoinsTwice(GoodSetLoss):
    def join(self, representations: Sequence[tuple[Tensor, float]]) -> list[tuple[Tensor, float]]:
        return [(torch.cat([x for x, _ in (*representations, *representations)], dim=2), 1.0)]


class WithoutViews(GoodSetLoss):
    def views(self, image: Tensor) -> list[Tensor]:
        del image
        return []


class GreyViews(GoodSetLoss):
    def views(self, image: Tensor) -> list[Tensor]:
        return [image, image.mean(1)]


class EndlessViews(GoodSetLoss):
    def views(self, image: Tensor) -> list[Tensor]:
        return [image / 0]


class ChangesItsReference(GoodSetLoss):
    def views(self, image: Tensor) -> list[Tensor]:
        return [image.neg_()]


class NegativeMagnitude(GoodSetLoss):
    def magnitude(self, representation: Tensor, target: Tensor) -> Tensor:
        return -super().magnitude(representation, target)


class MagnitudeOfEachImage(GoodSetLoss):
    def magnitude(self, representation: Tensor, target: Tensor) -> Tensor:
        return (representation - target).square().mean((1, 2))


class SlopesWithoutRegions(Loss):
    reference, spatial = None, "dense"

    def represent(self, features: Tensor) -> Tensor:
        return features.float().diff(dim=2).square().sum() / features.numel() + 0.1 * features.square().mean()


class RegionOfTheWhole(GoodPooledLoss):
    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        del mask
        return self.represent(features)


class RegionOfTheRows(GoodPooledLoss):
    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        return raw_moments(features, mask.mask).mean


class RegionOfEachImage(GoodSetLoss):
    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        return super().compare(representation, target) + 0 * representation.mean()

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        return self.represent(mask.select(features)) / 0


class GoodLossThatRefusesRegions(SlopesWithoutRegions):
    def represent(self, features: Tensor) -> Tensor:
        return features.diff(dim=2).square().sum() / features.numel() + 0.1 * features.square().mean()

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        del features, mask
        raise ValueError("This loss has no regions.")


class GoodLossOfMaps(GoodSetLoss):
    takes_maps = True

    def represent(self, features: Tensor | tuple[Tensor, ...]) -> Tensor:
        whole = hypercolumns(features) if isinstance(features, tuple) else features
        return super().represent(whole)


class ForgetsSomeMaps(GoodSetLoss):
    takes_maps = True

    def represent(self, features: Tensor | tuple[Tensor, ...]) -> Tensor:
        return super().represent(features[0] if isinstance(features, tuple) else features)


GOOD = [
    GoodLossOfMaps,
    GoodPooledLoss,
    GoodDenseLoss,
    GoodSetLoss,
    GoodLossWithoutReference,
    GoodLossOfTuples,
    GoodLossThatRefusesRegions,
]
BROKEN = [
    (
        PooledTooEarly,
        r"a 'pooled' representation .* Is it derived too early \(a root, a standard deviation\)",
    ),
    (Sum, "a 'pooled' representation of an image is the mean of those of its parts"),
    (ChangesItsFeatures, "the features are not changed"),
    (NotFiniteWhenFlat, "value and gradient are finite for features that are black"),
    (OneNumberPerImage, r"`compare` returns a scalar, got the shape \(1,\)"),
    (SumOverTheBatch, "the loss of a batch is a mean, got"),
    (ScaledByItsBatch, "the loss of a batch is a mean, got"),
    (WeightedByItsBatch, "the gradient of an image does not depend on the rest of its batch"),
    (NeighboursInAList, "a loss with `independent_positions` is the same for a map of positions"),
    (NeighboursInTheRegion, "the loss of a region that is all of the image is that of the image"),
    (NotShiftInvariant, "a loss that is `shift_invariant` is the same for shifted features"),
    (NotANumber, "the loss of ordinary features is finite, got nan"),
    (WithoutGraph, "depends differentiably on the features"),
    (WithoutSlope, "the gradient of different features is not zero"),
    (Random, "the same features give the same loss"),
    (AwayFromTheReference, "the reference itself is not worse"),
    (AlwaysFloat32, r"float64 features give a float64 loss, got torch\.float32"),
    (AnotherValueInFloat64, "float32 and float64 agree, got"),
    (OverflowsInBfloat16, "bfloat16 features of 20,000 give a finite loss"),
    (NeedsContiguousFeatures, "the memory layout of features does not matter"),
    (FollowsTheMemory, "the memory layout of features does not matter"),
    (PooledButCalledDense, r"a 'dense' representation has the positions of the features, got \(1, 6\)"),
    (NoMeanOverPositions, "a 'dense' loss of an image is the mean of those of its parts"),
    (DenseWithoutReference, "without a reference `represent` is the loss"),
    (WithoutSpatial, "`spatial` is 'pooled', 'dense' or 'set', got 'global'"),
    (WithoutName, "`reference` is the name of an image, a tuple of such names or None, got 3"),
    (Trainable, "a loss has nothing to be trained"),
    (ForgetsItsWeights, "every layer has a weight"),
    (ForgetsWhenPickled, "a pickled loss comes back as it was"),
    (ForgetsSomeMaps, "a loss that `takes_maps` makes of a tuple of maps what it makes of joined ones"),
    (JoinsNothing, "`join` leaves a single reference as it is"),
    (JoinsTwice, "`join` leaves a single reference as it is"),
    (WithoutViews, "`views` gives finite images, at least one"),
    (GreyViews, "`views` gives finite images, at least one, of the same batch size and channels"),
    (EndlessViews, "`views` gives finite images"),
    (ChangesItsReference, "`views` does not change the image"),
    (NegativeMagnitude, "`magnitude` is a finite number that is not negative, got -"),
    (MagnitudeOfEachImage, "`magnitude` is a finite number"),
    (SlopesWithoutRegions, "the loss of a region that is all of the image .* overrides `represent_within`"),
    (RegionOfTheWhole, "the loss of a region is that of the positions inside, got"),
    (RegionOfTheRows, "a 'pooled' representation of a region is the mean of those of its parts"),
    (RegionOfEachImage, "the loss of a region is a finite scalar"),
]


@pytest.mark.parametrize("cls", GOOD)
def test_a_minimal_loss_passes(cls: type[Loss]) -> None:
    check_loss(cls("relu1_1"))
    check_loss(cls("relu1_1"), channels=1, size=7)


@pytest.mark.parametrize(("cls", "promise"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_loss_is_caught(cls: type[Loss], promise: str) -> None:
    with pytest.raises(AssertionError, match=f"A promise is broken: .*{promise}"):
        check_loss(cls("relu1_1"))


class OnlyAboveOne(GoodLossWithoutReference):
    def represent(self, features: Tensor) -> Tensor:
        return (features - 1).clamp_min(0).mean()


def test_the_range_of_the_features_can_be_chosen() -> None:
    check_loss(OnlyAboveOne("image"), largest=2.0)
    with pytest.raises(AssertionError, match="the gradient of different features is not zero"):
        check_loss(OnlyAboveOne("image"))


class WithAScaleForEachLayer(GoodPooledLoss):
    def __init__(self, scales: dict[str, float]) -> None:
        super().__init__(list(scales))
        self.scales = scales

    def at(self, layer: str) -> "WithAScaleForEachLayer":
        return WithAScaleForEachLayer({layer: self.scales[layer]})

    def represent(self, features: Tensor) -> Tensor:
        (scale,) = self.scales.values()
        return scale * super().represent(features)


def test_the_first_layer_of_a_loss_with_parameters_for_each_is_tried() -> None:
    check_loss(WithAScaleForEachLayer({"a": 1.0, "b": 2.0}))
    with pytest.raises(AssertionError, match="the loss of ordinary features is finite"):
        check_loss(WithAScaleForEachLayer({"a": float("inf"), "b": 2.0}))


def test_what_is_no_loss_is_caught() -> None:
    with pytest.raises(AssertionError, match="a loss is a subclass of `Loss`"):
        check_loss(nn.MSELoss())  # type: ignore[arg-type]


def test_check_loss_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    check_loss(GramLoss("relu1_1"))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_set_whose_positions_are_not_said_to_be_independent_refuses_regions_by_name() -> None:
    check_loss(GoodSetLoss("relu1_1"))
    with pytest.raises(ValueError, match=r"GoodSetLoss cannot be confined .* override .represent_within"):
        GoodSetLoss("relu1_1").within("sky")
    with pytest.raises(ValueError, match="GoodSetLoss cannot be confined to a region"):
        GoodSetLoss("relu1_1").represent_within(torch.ones(1, 1, 2, 2), LayerMask.of(torch.ones(1, 1, 2, 2)))
    assert GoodSetLoss("relu1_1").within(None).region is None
