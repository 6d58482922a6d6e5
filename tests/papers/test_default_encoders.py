"""The networks that the papers take if none is given, for those whose weights come with pip."""

import pytest
import torch
from torch import nn

from pystyle.encoders import ScaledAveragePool2d
from pystyle.papers import (
    galerne_2024,
    gatys_2015,
    gatys_2016,
    heitz_2021,
    li_2017,
    li_wand_2016,
    mechrez_2018,
)


@pytest.mark.parametrize(
    ("criterion", "options", "pooling", "padding", "normalized"),
    [
        (gatys_2015.criterion, {}, ScaledAveragePool2d, "zeros", True),
        (gatys_2016.criterion, {}, nn.MaxPool2d, "zeros", False),
        (gatys_2016.criterion, {"variant": "paper"}, ScaledAveragePool2d, "zeros", True),
        (heitz_2021.criterion, {}, ScaledAveragePool2d, "reflect", True),
        (li_2017.criterion, {}, ScaledAveragePool2d, "zeros", False),
        (li_wand_2016.criterion, {}, nn.MaxPool2d, "zeros", False),
        (mechrez_2018.criterion, {}, nn.MaxPool2d, "zeros", False),
        (galerne_2024.criterion, {}, nn.MaxPool2d, "zeros", False),
    ],
)
def test_the_network_is_that_of_the_table(picture, criterion, options, pooling, padding, normalized):
    encoder = criterion(**options).encoder
    assert type(encoder.stages["pool2"]) is pooling
    assert encoder.stages["conv2_1"].padding_mode == padding
    with torch.no_grad():
        mean = float(encoder(picture(0, 32, 32, torch.float32), ["relu3_1"])["relu3_1"].mean())
    # Normalised features are about 1, those of Caffe hundreds.
    assert (mean < 10) == normalized
