"""A random network that is as small as can be."""

import pytest
import torch
from torch import nn

from pystyle.encoders import SequentialEncoder


@pytest.fixture(scope="session")
def encoder() -> SequentialEncoder:
    """Five layers with the names of AlexNet's, which see 8 x 8 pixels and more."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers: dict[str, nn.Module] = {}
        for index, channels in enumerate((3, 6, 6, 8, 8), start=1):
            layers[f"conv{index}"] = nn.Conv2d(channels, (6, 6, 8, 8, 8)[index - 1], 3, padding=1)
            layers[f"relu{index}"] = nn.ReLU()
            if index in (1, 3):
                layers[f"pool{index}"] = nn.MaxPool2d(2)
        return SequentialEncoder(layers)
