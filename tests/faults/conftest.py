"""Networks that are small enough to go wrong many times in a second."""

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder

LAYERS = ("1_1", "2_1", "3_1", "4_1", "4_2", "5_1")


@pytest.fixture
def small_vgg():
    """Makes an encoder with the layers that `stylize` looks at, without most of the poolings."""

    def make(seed=0):
        generator = torch.Generator().manual_seed(seed)
        modules, channels = {}, 3
        for name in LAYERS:
            conv = nn.Conv2d(channels, 4, 3, padding=1)
            with torch.no_grad():
                conv.weight.copy_(torch.randn(conv.weight.shape, generator=generator) / 4)
                conv.bias.zero_()
            modules |= {f"conv{name}": conv, f"relu{name}": nn.ReLU()}
            if name == "1_1":
                modules["pool1"] = nn.MaxPool2d(2)
            channels = 4
        return SequentialEncoder(modules)

    return make
