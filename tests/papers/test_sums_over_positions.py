"""Weights that stand for sums over positions count those that the encoder has, whichever way it rounds."""

import pytest
from torch import nn

from pystyle.encoders import Encoder, LayerGeometry, SequentialEncoder, vgg19
from pystyle.papers import gatys_2016, li_2017, li_wand_2016, risser_2017

SIZE = (63, 47)
SIDES = {  # of the blocks that the layers are in
    False: {"relu3_1": (15, 11), "relu4_1": (7, 5), "relu4_2": (7, 5), "relu5_1": (3, 2)},
    True: {"relu3_1": (16, 12), "relu4_1": (8, 6), "relu4_2": (8, 6), "relu5_1": (4, 3)},
}


@pytest.fixture(scope="module", params=[False, True])
def rounding(request) -> tuple[SequentialEncoder, dict[str, int], dict[str, tuple[int, int]]]:
    """An encoder, the positions of its layers and their sides."""
    sides = SIDES[request.param]
    counts = {layer: height * width for layer, (height, width) in sides.items()}
    return vgg19(weights=None, ceil_mode=request.param), counts, sides


def test_the_gram_matrices_of_risser_2017(rounding):
    encoder, counts, _ = rounding
    weights = risser_2017.criterion(encoder, size=SIZE).losses["gram"].layer_weights
    assert weights["relu5_1"] == counts["relu5_1"] ** 2


def test_the_content_and_the_means_of_li_2017(rounding):
    encoder, counts, _ = rounding
    losses = li_2017.criterion(encoder, statistics="linear", content_weight=1.0, size=SIZE).losses
    assert losses["content"].layer_weights["relu4_2"] == 512 * counts["relu4_2"]
    assert losses["style"].layer_weights["relu5_1"] == 1e3 * counts["relu5_1"]


def test_the_content_of_gatys_2016(rounding):
    encoder, counts, _ = rounding
    losses = gatys_2016.criterion(encoder, variant="paper", size=SIZE).losses
    assert losses["content"].layer_weights["relu4_2"] == 512 * counts["relu4_2"] / 2


def test_the_content_and_the_patches_of_li_wand_2016(rounding):
    encoder, counts, sides = rounding
    losses = li_wand_2016.criterion(encoder, variant="paper", size=SIZE).losses
    assert losses["content"].layer_weights["relu4_2"] == 512 * counts["relu4_2"]
    for layer, channels in (("relu3_1", 256), ("relu4_1", 512)):
        height, width = sides[layer]
        assert losses["style"].layer_weights[layer] == 9 * channels * (height - 2) * (width - 2)


class LookingEncoder(Encoder):
    """One that looks at the values of the image, which a copy without data has not."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 2, 1)

    @property
    def layers(self):
        return ("every third",)

    def forward(self, image, layers):
        assert layers == ("every third",)
        assert float(image.sum()) == 0
        return {"every third": self.convolution(image)[:, :, ::3, ::3]}

    def geometry(self, layer):
        del layer
        return LayerGeometry(stride=3, receptive_field=1, minimum_size=1)


def test_an_encoder_that_cannot_be_run_without_data_is_asked_too():
    criterion = risser_2017.criterion(
        LookingEncoder(), size=(7, 6), gram_layers="every third", histogram_layers="every third",
        histogram_weights=[1.0],
    )  # fmt: skip
    assert criterion.losses["gram"].layer_weights["every third"] == (3 * 2) ** 2


def test_an_image_that_is_too_small_for_a_layer_is_refused():
    with pytest.raises(ValueError, match=r"at least 16 pixels .* 'relu5_1', got 8 x 8"):
        risser_2017.criterion(vgg19(weights=None), size=(8, 8))
