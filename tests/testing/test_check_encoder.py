from collections.abc import Sequence
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from pystyle.encoders import Encoder, LayerGeometry, MultiEncoder, SequentialEncoder
from pystyle.testing import check_encoder


class GoodEncoder(Encoder):
    layers = ("grey",)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        return {layer: image.mean(1, keepdim=True) for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        self.check_layers([layer])
        return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)


class GoodNetwork(Encoder):
    layers = ("conv", "relu", "pool")
    table: ClassVar = {"conv": (1, 3, 3), "relu": (1, 3, 3), "pool": (2, 4, 4)}

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3).requires_grad_(False)
        self.conv.weight.copy_(torch.linspace(-30, 31, 108).cos().reshape(4, 3, 3, 3))
        self.eval()

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        features = {"conv": self.conv(image)}
        features["relu"] = features["conv"].relu()
        if "pool" in layers:
            features["pool"] = max_pool2d(features["relu"], 2)
        return {layer: features[layer] for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        return LayerGeometry(*self.table[layer])


class OverwrittenByRelu(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        features = {"conv": self.conv(image)}
        if set(layers) - {"conv"}:
            features["relu"] = features["conv"].relu_()
        if "pool" in layers:
            features["pool"] = max_pool2d(features["relu"], 2)
        return {layer: features[layer] for layer in layers}


class Unfrozen(GoodNetwork):
    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(True)


class Trains(GoodNetwork):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout()

    def train(self, mode: bool = True) -> "Trains":
        return nn.Module.train(self, mode)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return {layer: self.dropout(feature) for layer, feature in super().forward(image, layers).items()}


class WrongStride(GoodNetwork):
    table: ClassVar = {**GoodNetwork.table, "pool": (1, 4, 4)}


class LargerStride(GoodNetwork):
    table: ClassVar = {**GoodNetwork.table, "conv": (2, 3, 3)}


class SmallReceptiveField(GoodNetwork):
    table: ClassVar = {**GoodNetwork.table, "relu": (1, 2, 3)}


class SmallMinimumSize(GoodNetwork):
    table: ClassVar = {"conv": (1, 3, 3), "relu": (1, 3, 3), "pool": (2, 4, 3)}


class SmallMinimumSizeOfOneLayer(GoodNetwork):
    table: ClassVar = {**GoodNetwork.table, "conv": (1, 3, 2)}


class IgnoresUnknownLayers(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return super().forward(image, [layer for layer in layers if layer in self.layers])


class KeyErrorForUnknownLayers(GoodEncoder):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        features = {"grey": image.mean(1, keepdim=True)}
        return {layer: features[layer] for layer in layers}


class AlwaysAllLayers(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        return super().forward(image, self.layers)


class AnyOrder(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        features = super().forward(image, layers)
        return dict(reversed(features.items()))


class Counts(GoodEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.count += 1
        return super().forward(image * (1 + 1e-6 * self.count), layers)


class WithoutGradient(GoodNetwork):
    @torch.no_grad()
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return super().forward(image, layers)


class ChangesTheImage(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return super().forward(image.sub_(0.5), layers)


class NothingIsSomething(GoodNetwork):
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        return super().forward(image, layers or self.layers)


class WithoutLayers(GoodNetwork):
    layers = ()


class TwiceTheSameName(GoodNetwork):
    layers = ("conv", "relu", "relu")


class ForgetsWhenPickled(GoodNetwork):
    def __setstate__(self, state: dict[str, object]) -> None:
        super().__setstate__(state)
        self.conv.weight.zero_()


BROKEN = [
    (OverwrittenByRelu, "'conv' is the same alone and among others; does a module work in place"),
    (Unfrozen, "no parameter wants a gradient; freeze them"),
    (Trains, "an encoder stays in evaluation mode"),
    (WrongStride, "more positions of 'pool', got .* is its stride right"),
    (LargerStride, "more positions of 'conv', got .* is its stride right"),
    (SmallReceptiveField, "a position of 'relu' sees at most 2 pixels, got 3"),
    (SmallMinimumSize, "an image of 3 pixels is large enough for 'conv', 'relu', 'pool'"),
    (SmallMinimumSizeOfOneLayer, "an image of 2 pixels is large enough for 'conv'"),
    (IgnoresUnknownLayers, "an unknown layer raises a ValueError; call `self.check_layers"),
    (KeyErrorForUnknownLayers, "an unknown layer raises a ValueError; call `self.check_layers"),
    (AlwaysAllLayers, "only the layers asked for come back, got .* for 'conv'"),
    (AnyOrder, "the layers come back in the order in which they were asked for"),
    (Counts, "features are repeatable"),
    (WithoutGradient, "a finite gradient reaches the image, got none"),
    (ChangesTheImage, "the image is not changed"),
    (NothingIsSomething, "no layers give no features"),
    (WithoutLayers, "layers have different names, and there are some"),
    (TwiceTheSameName, "layers have different names, and there are some"),
    (ForgetsWhenPickled, "a pickled encoder comes back as it was"),
]


@pytest.mark.parametrize("cls", [GoodEncoder, GoodNetwork])
def test_a_minimal_encoder_passes(cls: type[Encoder]) -> None:
    check_encoder(cls())
    check_encoder(cls(), size=13)
    check_encoder(cls().double())


def test_encoders_of_modules_pass() -> None:
    strided = {"conv1": nn.Conv2d(3, 4, 5, stride=3, padding=1), "pool1": nn.MaxPool2d(2, ceil_mode=True)}
    encoder = SequentialEncoder({**strided, "relu1": nn.LeakyReLU(inplace=True)})
    check_encoder(encoder)
    check_encoder(MultiEncoder({"net": encoder, "grey": GoodEncoder()}))


@pytest.mark.parametrize(("cls", "promise"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_encoder_is_caught(cls: type[Encoder], promise: str) -> None:
    with pytest.raises(AssertionError, match=f"A promise is broken: .*{promise}"):
        check_encoder(cls())
