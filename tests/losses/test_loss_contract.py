import inspect
from collections.abc import Callable

import pytest
import torch

import pystyle
import pystyle.losses
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
from pystyle.testing import check_loss

LOSSES: dict[type[Loss], list[dict[str, object]]] = {
    ContentLoss: [
        {"layers": "relu4_2"},
        {
            "layers": ["a", "b"],
            "weight": 5.0,
            "layer_weights": [1.0, 2.0],
            "relative": True,
            "reference": "x",
        },
    ],
    GramLoss: [
        {"layers": "relu3_1"},
        {"layers": ["a", "b"], "weight": 1e3, "layer_weights": {"b": 2.0, "a": 1.0}, "normalization": "chw"},
        {"layers": "a", "relative": True, "reference": "texture"},
    ],
    MultiLayerGramLoss: [
        {},
        {"layers": ["a", "b"], "layer_weights": [1.0, 2.0], "weight": 1e3, "normalization": "chw"},
        {"relative": True, "reference": "texture"},
    ],
    MeanStdLoss: [
        {"layers": "relu3_1"},
        {
            "layers": ("a", "b"),
            "weight": 2.0,
            "layer_weights": [1.0, 2.0],
            "relative": True,
            "reference": "x",
        },
    ],
    WassersteinLoss: [
        {"layers": "relu3_1"},
        {
            "layers": ("a", "b"),
            "weight": 2.0,
            "layer_weights": [1.0, 2.0],
            "relative": True,
            "reference": "x",
        },
    ],
    TotalVariationLoss: [
        {},
        {"exponent": 1.0, "weight": 1e-4, "variant": "anisotropic"},
        {"variant": "nine_point"},
        {"exponent": 1.5, "layers": ("image", "a"), "layer_weights": (2.0, 1.0)},
    ],
    ValueRangeLoss: [{}, {"low": 0.25, "high": 0.5, "weight": 10.0}],
    PNormLoss: [{}, {"exponent": 1.0, "weight": 0.1}],
    WaveletLoss: [{}, {"exponent": 2.0, "num_levels": 2, "wavelet": "db2", "weight": 0.1}],
    MattingLaplacianLoss: [{}, {"eps": 1e-3, "weight": 10.0, "reference": "photo"}],
    TemporalLoss: [{}, {"reliability": torch.full((1, 1, 5, 4), 0.5), "weight": 2.0, "reference": "earlier"}],
    LPIPSLoss: [
        {"heads": {"a": torch.linspace(0, 1, 6), "b": torch.ones(3)}},
        {"heads": {"a": torch.ones(6)}, "layers": ["x.a"], "weight": 2.0, "reference": "x"},
    ],
}
# Values in [0, 1] are no excess.
ARGUMENTS_OF_THE_CHECK: dict[type[Loss], dict[str, float]] = {ValueRangeLoss: {"largest": 2.0}}
# Its heads have a weight for each of six channels.
OF_SIX_CHANNELS = {LPIPSLoss}
FACTORIES = [
    pytest.param(lambda cls=cls, arguments=arguments: cls(**arguments), id=f"{cls.__name__}-{number}")
    for cls, entries in LOSSES.items()
    for number, arguments in enumerate(entries)
]


@pytest.mark.parametrize("factory", FACTORIES)
def test_every_loss_keeps_its_promises(factory: Callable[[], Loss]) -> None:
    loss = factory()
    check_loss(loss, **ARGUMENTS_OF_THE_CHECK.get(type(loss), {}))


@pytest.mark.parametrize("factory", FACTORIES)
def test_every_loss_keeps_its_promises_for_one_channel(factory: Callable[[], Loss]) -> None:
    loss = factory()
    if type(loss) not in OF_SIX_CHANNELS:
        check_loss(loss, channels=1, size=6, **ARGUMENTS_OF_THE_CHECK.get(type(loss), {}))


def test_every_public_loss_is_in_the_list() -> None:
    classes = {getattr(pystyle.losses, name) for name in pystyle.losses.__all__} - {Loss}
    assert classes == set(LOSSES)


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.__name__)
def test_every_argument_of_a_loss_is_in_the_list(cls: type[Loss]) -> None:
    used = {name for arguments in LOSSES[cls] for name in arguments}
    assert used == set(inspect.signature(cls).parameters)


@pytest.mark.parametrize(
    ("loss", "spatial", "reference"),
    [
        (ContentLoss("a"), "dense", "content"),
        (GramLoss("a"), "pooled", "style"),
        (MultiLayerGramLoss(), "pooled", "style"),
        (MeanStdLoss("a"), "pooled", "style"),
        (WassersteinLoss("a"), "pooled", "style"),
        (TotalVariationLoss(), "dense", None),
        (ValueRangeLoss(), "dense", None),
        (PNormLoss(), "dense", None),
        (WaveletLoss(), "dense", None),
        (MattingLaplacianLoss(), "dense", "content"),
        (TemporalLoss(), "dense", "warped"),
        (LPIPSLoss({"a": torch.ones(3)}), "dense", "content"),
    ],
)
def test_losses_say_what_they_depend_on(loss: Loss, spatial: str, reference: str | None) -> None:
    assert loss.spatial == spatial
    assert loss.reference == reference
