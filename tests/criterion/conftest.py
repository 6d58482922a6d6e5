"""A small encoder, images for it, and a count of its passes."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from pystyle.encoders import Encoder, LayerGeometry, SequentialEncoder


class CountingEncoder(Encoder):
    """A pixel-wise encoder that writes down the layers of each pass."""

    layers = ("one", "two", "three")

    def __init__(self) -> None:
        super().__init__()
        self.passes: list[tuple[str, ...]] = []

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        self.check_layers(layers)
        self.passes.append(tuple(layers))
        features = {"one": image, "two": image.square(), "three": 3 * image}
        return {layer: features[layer] for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        del layer
        return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)


@pytest.fixture
def counting_encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def encoder() -> SequentialEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SequentialEncoder(
            {
                "conv1": nn.Conv2d(3, 4, 3, padding=1),
                "relu1": nn.ReLU(inplace=True),
                "pool1": nn.MaxPool2d(2),
                "conv2": nn.Conv2d(4, 6, 3),
                "relu2": nn.ReLU(inplace=True),
            }
        )
