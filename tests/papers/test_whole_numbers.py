"""Whole numbers may be of any type: 4.0 and numpy's 4 are 4."""

import numpy as np
import pytest
import torch

from pystyle import Criterion
from pystyle.papers import (
    chen_2018,
    gatys_2015,
    johnson_2016,
    sanakoyeu_2018,
    ulyanov_2016,
    ulyanov_2017,
)

NETWORKS = {
    "johnson_2016": lambda two: johnson_2016.network(width=two),
    "cartoon": lambda two: chen_2018.network(width=two, num_blocks=two),
    "anime": lambda two: chen_2018.network(recipe="anime", width=two, num_blocks=two),
    "sanakoyeu_2018": lambda two: sanakoyeu_2018.network(width=two, num_blocks=two),
    "ulyanov_2016": lambda two: ulyanov_2016.PyramidNetwork(channels=two, num_scales=two),
    "ulyanov_2017": lambda two: ulyanov_2017.ResidualNetwork(width=two),
}


@pytest.mark.parametrize("kind", [float, np.int64])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_as_wide_and_deep_as_they_are_told(name, kind):
    found, expected = (
        {key: tuple(value.shape) for key, value in NETWORKS[name](two).state_dict().items()}
        for two in (kind(2), 2)
    )
    assert found == expected


@pytest.mark.parametrize("kind", [float, np.int64])
def test_filters_are_as_large_as_they_are_told(kind, picture):
    image = picture(0, 12, 12)
    for filtered in (johnson_2016.median_filter, chen_2018.smoothed_edges):
        assert torch.equal(filtered(image, size=kind(5)), filtered(image, size=5))


@pytest.mark.parametrize("kind", [float, np.int64])
def test_as_many_components_are_kept_as_are_asked_for(kind, picture):
    style, image = picture(0, 12, 12), picture(1, 12, 12)
    values = []
    for count in (kind(2), 2):
        loss = gatys_2015.ReducedGramLoss("image", num_components=count)
        values.append(float(Criterion(None, {"texture": loss}).bind({"style": style})(image).total))
    assert values[0] == values[1]


@pytest.mark.parametrize("size", [64.0, np.int64(64), torch.tensor(64), (64, np.int64(64))])
def test_a_sample_is_as_large_as_it_is_told(size):
    network = ulyanov_2016.PyramidNetwork(channels=1, num_scales=2)
    assert ulyanov_2016.sample(network, size=size).shape == (1, 3, 64, 64)


def test_what_is_no_whole_number_is_refused(picture):
    for call, message in (
        (lambda: gatys_2015.ReducedGramLoss("image", num_components=2.5), "`num_components` must be a whole"),
        (lambda: chen_2018.smoothed_edges(picture(0, 12, 12), size=0), "`size` must be at least 1, got 0"),
        (
            lambda: ulyanov_2016.sample(ulyanov_2016.PyramidNetwork(), size=0),
            r"`size\[0\]` must be at least 1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
