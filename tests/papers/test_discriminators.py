"""The discriminators of the papers keep the promises of discriminators."""

import pytest
import torch

from pystyle.papers import (
    chen_2018,
    gulrajani_2017,
    isola_2017,
    park_2020,
    sanakoyeu_2018,
    zhang_2019,
    zhu_2017,
)
from pystyle.testing import check_discriminator

DISCRIMINATORS = {
    "isola_2017": (isola_2017.discriminator, {"channels": 6}),
    "zhu_2017": (zhu_2017.discriminator, {}),
    "gulrajani_2017": (gulrajani_2017.discriminator, {}),
    "sanakoyeu_2018": (sanakoyeu_2018.discriminator, {"size": 132}),
    "chen_2018": (chen_2018.discriminator, {}),
    "chen_2018, anime": (lambda width: chen_2018.discriminator(recipe="anime", width=width), {}),
    "zhang_2019": (zhang_2019.discriminator, {"size": 128}),
    "park_2020": (park_2020.discriminator, {}),
}


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_discriminator_of_a_paper_keeps_its_promises(name):
    make, options = DISCRIMINATORS[name]
    torch.manual_seed(0)
    check_discriminator(make(width=4), **options)
