from collections.abc import Callable

import pytest
import torch

from pystyle import (
    ContentLoss,
    GramLoss,
    Loss,
    LPIPSLoss,
    MattingLaplacianLoss,
    MeanStdLoss,
    MultiLayerGramLoss,
    PNormLoss,
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
        (lambda: TotalVariationLoss(0.0), "`exponent` must be positive, got 0.0"),
        (lambda: TotalVariationLoss(-1.0), "`exponent` must be positive, got -1.0"),
        (lambda: TotalVariationLoss(variant="l1"), "`variant` must be 'isotropic', .*, got 'l1'"),
        (lambda: ValueRangeLoss(0.5, 0.5), "`low` must be below `high`, got 0.5 and 0.5"),
        (lambda: PNormLoss(0), "`exponent` must be positive, got 0"),
        (lambda: WaveletLoss(float("nan")), "`exponent` must be positive, got nan"),
        (lambda: WaveletLoss(num_levels=0), "`num_levels` must be at least 1, got 0"),
        (lambda: WaveletLoss(wavelet="db9"), "`wavelet` must be 'haar' or 'db2', got 'db9'"),
        (lambda: MattingLaplacianLoss(eps=0.0), "`eps` must be positive, got 0.0"),
        (lambda: TemporalLoss(torch.ones(4, 4)), r"shape \(batch, 1, height, width\), got \(4, 4\)"),
        (lambda: TemporalLoss(torch.ones(1, 3, 4, 4)), r"height, width\), got \(1, 3, 4, 4\)"),
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
        (WassersteinLoss("a", layer_weights=[2]), "WassersteinLoss('a', layer_weights=[2.0])"),
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
