from collections.abc import Callable

import pytest
import torch

from pystyle import (
    ContentLoss,
    ContextualLoss,
    GramLoss,
    Loss,
    LPIPSLoss,
    MattingLaplacianLoss,
    MeanStdLoss,
    MRFLoss,
    MultiLayerGramLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    PNormLoss,
    RelaxedEMDLoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TemporalLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
)


def test_a_single_layer_may_be_given_without_a_list() -> None:
    assert ContentLoss("relu4_2").layers == ("relu4_2",)


def test_layers_weigh_the_same_and_sum_to_one_by_default() -> None:
    assert GramLoss(["a", "b", "c", "d"]).layer_weights == dict.fromkeys("abcd", 0.25)


def test_layer_weights_in_order_are_taken_as_they_are() -> None:
    assert GramLoss(["a", "b"], layer_weights=[3, 4]).layer_weights == {"a": 3.0, "b": 4.0}


def test_layer_weights_by_name_may_come_in_any_order() -> None:
    loss = GramLoss(["a", "b"], layer_weights={"b": 4, "a": 3})
    assert list(loss.layer_weights.items()) == [("a", 3.0), ("b", 4.0)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GramLoss([]), "`layers` must name at least one layer, got none"),
        (lambda: GramLoss(["a", "b", "a"]), r"`layers` must name each layer once, got \['a', 'b', 'a'\]"),
        (lambda: GramLoss(["a", "b"], layer_weights=[1.0]), "one weight for each of 2 layers, got 1"),
        (lambda: GramLoss("a", layer_weights=[1.0, 2.0]), "one weight for each of 1 layers, got 2"),
        (lambda: GramLoss("a", layer_weights={"b": 1.0}), r"must have the layers \['a'\], got \['b'\]"),
        (lambda: GramLoss(["a", "b"], layer_weights={"a": 1.0}), r"layers \['a', 'b'\], got \['a'\]"),
        (lambda: GramLoss("a", normalization="none"), "`normalization` must be 'hw' or 'chw', got 'none'"),
        (lambda: ContentLoss("a", distance="l2"), "`distance` must be 'mse', 'l1' or 'scaled_mse', got 'l2'"),
        (lambda: PatchNCELoss("a", temperature=0.0), "`temperature` must be positive, got 0.0"),
        (lambda: PatchNCELoss("a", num_samples=0), "`num_samples` must be at least 1, got 0"),
        (lambda: RelaxedEMDLoss("a", distance="l2"), "'cosine', 'euclidean' or 'palette', got 'l2'"),
        (lambda: RelaxedEMDLoss("a", num_samples=0), "`num_samples` must be at least 1, got 0"),
        (
            lambda: RelaxedEMDLoss("a", num_image_samples=-1),
            "`num_image_samples` must be at least 1, got -1",
        ),
        (
            lambda: RelaxedEMDLoss("a", resample=True),
            "all of them are compared. Give `num_image_samples` or leave it out",
        ),
        (lambda: SelfSimilarityLoss("a", num_samples=0), "`num_samples` must be at least 1, got 0"),
        (lambda: SlicedWassersteinLoss("a", num_directions=0), "`num_directions` must be at least 1, got 0"),
        (lambda: MRFLoss("a", patch_size=0), "`patch_size` must be at least 1, got 0"),
        (lambda: MRFLoss("a", stride=-1), "`stride` must be at least 1, got -1"),
        (lambda: MRFLoss("a", matching="dot"), r"`matching` must be one of \('cosine', .*got 'dot'"),
        (lambda: MRFLoss("a", rotations=()), "`rotations` must have at least one angle, got none"),
        (lambda: MRFLoss("a", scales=[]), r"`scales` must have at least one factor, .*got none"),
        (lambda: MRFLoss("a", scales=[1, 0.0]), r"`scales\[1\]` must be positive, got 0\.0"),
        (lambda: NearestNeighborLoss("a", rotations=[]), "`rotations` must have at least one angle"),
        (
            lambda: NearestNeighborLoss("a", max_candidates=0),
            "`max_candidates` must be at least 1",
        ),
        (lambda: ContextualLoss("a", bandwidth=0.0), "`bandwidth` must be positive, got 0.0"),
        (lambda: TotalVariationLoss(0.0), "`exponent` must be positive, got 0.0"),
        (lambda: TotalVariationLoss(-1.0), "`exponent` must be positive, got -1.0"),
        (lambda: TotalVariationLoss(variant="l1"), "`variant` must be 'isotropic', .*, got 'l1'"),
        (lambda: ValueRangeLoss(0.5, 0.5), "`low` must be below `high`, got 0.5 and 0.5"),
        (lambda: PNormLoss(0), "`exponent` must be positive, got 0"),
        (lambda: WaveletLoss(float("nan")), "`exponent` must be positive, got nan"),
        (lambda: WaveletLoss(num_levels=0), "`num_levels` must be at least 1, got 0"),
        (lambda: WaveletLoss(wavelet="db9"), "`wavelet` must be 'haar' or 'db2', got 'db9'"),
        (lambda: MattingLaplacianLoss(eps=0.0), "`eps` must be positive, got 0.0"),
        (lambda: TemporalLoss(torch.ones(4, 4)), r"shape \(1, 1, height, width\), .* got \(4, 4\)"),
        (lambda: TemporalLoss(torch.ones(1, 3, 4, 4)), r"height, width\), .* got \(1, 3, 4, 4\)"),
        (lambda: TemporalLoss(2 * torch.ones(1, 1, 4, 4)), r"`reliability` must be in \[0, 1\]"),
        (lambda: TemporalLoss(torch.full((1, 1, 4, 4), float("nan"))), r"must be in \[0, 1\]"),
        (lambda: LPIPSLoss("vgg19"), r"`heads` must be one of \('alexnet', 'vgg16'\) .*, got 'vgg19'"),
        (lambda: LPIPSLoss({}), "`layers` must name at least one layer"),
        (lambda: LPIPSLoss({"a": torch.ones(2)}, layers=["b"]), r"got none for 'b' in \['a'\]"),
        (lambda: LPIPSLoss({"a": torch.ones(1, 2)}), r"map 'a' to a vector .*, got the shape \(1, 2\)"),
        (lambda: LPIPSLoss({"a": torch.tensor([1.0, -2.0])}), r"not negative, got the shape \(2,\) with -2"),
    ],
)
def test_wrong_arguments_are_refused(make: Callable[[], Loss], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


class Brightness(Loss):
    reference, spatial = None, "dense"

    def represent(self, features):  # type: ignore[no-untyped-def]
        return features.mean()


def test_a_loss_without_reference_takes_none() -> None:
    with pytest.raises(ValueError, match="Brightness compares with nothing; leave out `reference`='style'"):
        Brightness("a", reference="style")
    with pytest.raises(ValueError, match="Brightness compares with nothing; `relative` has no meaning"):
        Brightness("a", relative=True)


def test_a_loss_needs_a_representation() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Loss("a")  # type: ignore[abstract]


def test_a_loss_compares_with_another_reference_if_asked() -> None:
    first, second = GramLoss("a", reference="texture"), GramLoss("a")
    assert first.reference == "texture"
    assert second.reference == GramLoss.reference == "style"


def test_the_style_loss_has_the_layers_of_the_paper_by_default() -> None:
    loss = MultiLayerGramLoss()
    assert loss.layers == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert set(loss.layer_weights.values()) == {0.2}
    assert loss.weight == 1.0
    assert loss.normalization == "hw"


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (ContentLoss("relu4_2"), "ContentLoss('relu4_2')"),
        (ContentLoss("relu4_2", weight=1.0, relative=False), "ContentLoss('relu4_2')"),
        (ContentLoss(["a", "b"], layer_weights=[0.5, 0.5]), "ContentLoss(['a', 'b'])"),
        (ContentLoss("a", reference="content"), "ContentLoss('a')"),
        (GramLoss("a", weight=1e3, normalization="hw"), "GramLoss('a', weight=1000)"),
        (GramLoss("a", normalization="chw"), "GramLoss('a', normalization='chw')"),
        (
            MeanStdLoss(["a", "b"], layer_weights=[1, 2], relative=True, reference="x"),
            "MeanStdLoss(['a', 'b'], layer_weights=[1.0, 2.0], relative=True, reference='x')",
        ),
        (ContentLoss("a", weight=2.0, distance="l1"), "ContentLoss('a', weight=2, distance='l1')"),
        (PatchNCELoss("a", num_samples=256, temperature=0.07, resample=False), "PatchNCELoss('a')"),
        (
            PatchNCELoss("a", num_samples=9, temperature=0.1, resample=True, seed=1),
            "PatchNCELoss('a', num_samples=9, temperature=0.1, resample=True, seed=1)",
        ),
        (
            RelaxedEMDLoss(
                "a", distance="palette", num_samples=None, num_image_samples=9, resample=True, seed=1
            ),
            "RelaxedEMDLoss('a', distance='palette', num_samples=None, num_image_samples=9, "
            "resample=True, seed=1)",
        ),
        (
            SelfSimilarityLoss("a", num_samples=None, resample=True, seed=1),
            "SelfSimilarityLoss('a', num_samples=None, resample=True, seed=1)",
        ),
        (
            SlicedWassersteinLoss("a", num_directions=9, resample=True, seed=1),
            "SlicedWassersteinLoss('a', num_directions=9, resample=True, seed=1)",
        ),
        (WassersteinLoss("a", layer_weights=[2]), "WassersteinLoss('a', layer_weights=[2.0])"),
        (MRFLoss("a", patch_size=3, stride=1, rotations=[0], scales=[1]), "MRFLoss('a')"),
        (
            MRFLoss("a", patch_size=5, stride=2, matching="euclidean", rotations=[-5, 0], scales=[1, 2]),
            "MRFLoss('a', patch_size=5, stride=2, matching='euclidean', rotations=(-5.0, 0.0), "
            "scales=(1.0, 2.0))",
        ),
        (NearestNeighborLoss("a", weight=3), "NearestNeighborLoss('a', weight=3)"),
        (
            NearestNeighborLoss("a", centered=True, rotations=(0, 90), max_candidates=9, seed=2),
            "NearestNeighborLoss('a', centered=True, rotations=(0.0, 90.0), max_candidates=9, seed=2)",
        ),
        (ContextualLoss("a", bandwidth=0.5), "ContextualLoss('a')"),
        (ContextualLoss("a", bandwidth=0.1), "ContextualLoss('a', bandwidth=0.1)"),
        (TotalVariationLoss(), "TotalVariationLoss('image')"),
        (TotalVariationLoss(1, weight=1e-4), "TotalVariationLoss('image', weight=0.0001, exponent=1)"),
        (TotalVariationLoss(variant="nine_point"), "TotalVariationLoss('image', variant='nine_point')"),
        (ValueRangeLoss(), "ValueRangeLoss('image')"),
        (ValueRangeLoss(0.1, weight=2), "ValueRangeLoss('image', weight=2, low=0.1, high=1)"),
        (PNormLoss(), "PNormLoss('image')"),
        (PNormLoss(4), "PNormLoss('image', exponent=4)"),
        (WaveletLoss(), "WaveletLoss('image')"),
        (
            WaveletLoss(2, num_levels=1, wavelet="db2"),
            "WaveletLoss('image', exponent=2, num_levels=1, wavelet='db2')",
        ),
        (MattingLaplacianLoss(), "MattingLaplacianLoss('image')"),
        (
            MattingLaplacianLoss(eps=1e-5, reference="a"),
            "MattingLaplacianLoss('image', reference='a', eps=1e-05)",
        ),
        (TemporalLoss(), "TemporalLoss('image')"),
        (TemporalLoss(torch.ones(1, 1, 2, 3)), "TemporalLoss('image', reliability=(1, 1, 2, 3))"),
        (LPIPSLoss({"a": torch.ones(2), "b": torch.ones(2)}), "LPIPSLoss(['a', 'b'])"),
        (
            LPIPSLoss({"a": torch.ones(2)}, weight=2, reference="x"),
            "LPIPSLoss(['a'], weight=2, reference='x')",
        ),
    ],
)
def test_a_loss_shows_only_what_is_not_the_default(loss: Loss, text: str) -> None:
    assert repr(loss) == text
