"""Ctrl-C ends a method of several runs, and not only the run that it comes in."""

from functools import partial

import pytest
import torch

from pystyle.encoders import vgg16
from pystyle.papers import (
    galerne_2024,
    gatys_2016,
    gatys_2017,
    kolkin_2019,
    kolkin_2022,
    li_wand_2016,
    luan_2017,
    risser_2017,
    ruder_2016,
)
from pystyle.typing import MaskedImage

HALF = torch.zeros(1, 1, 32, 48)
HALF[..., :24] = 1


def still(*_):
    return torch.zeros(1, 2, 32, 48)


METHODS = {
    "galerne_2024": lambda one, two: partial(galerne_2024.style_transfer, one, two, steps=(2, 2), largest=24),
    "gatys_2016, two stages": lambda one, two: partial(
        gatys_2016.high_resolution, one, two, edge_sizes=(24, 32), num_steps=(2, 2)
    ),
    "gatys_2017": lambda one, two: partial(
        gatys_2017.style_transfer,
        MaskedImage(one, {"left": HALF, "right": 1 - HALF}),
        MaskedImage(two, {"left": HALF, "right": 1 - HALF}),
        edge_sizes=(24, 32),
        num_steps=(2, 2),
        propagation="simple",
    ),
    "kolkin_2019": lambda one, two: partial(
        kolkin_2019.style_transfer, one, two, edge_sizes=(24, 32), num_steps=2, num_samples=32
    ),
    "kolkin_2022": lambda one, two: partial(
        kolkin_2022.style_transfer, one, two, edge_size=48, num_levels=2, num_steps=2
    ),
    "li_wand_2016": lambda one, two: partial(
        li_wand_2016.style_transfer, one, two, edge_sizes=(48, 64), num_steps=2, variant="code"
    ),
    "luan_2017": lambda one, two: partial(
        luan_2017.style_transfer, one, two, edge_size=32, num_steps=(2, 2), variant="paper"
    ),
    "risser_2017": lambda one, _: partial(risser_2017.texture_synthesis, one, scales=(0.5, 1.0), num_steps=2),
    "ruder_2016": lambda one, two: partial(
        ruder_2016.style_transfer, [one, one], two, still, num_steps=(2, 2)
    ),
    "ruder_2016, several passes": lambda one, two: partial(
        ruder_2016.multi_pass, [one, one], two, still, num_passes=2, num_steps=2
    ),
}


@pytest.mark.parametrize("name", METHODS)
def test_an_interrupt_ends_all_levels_and_frames_that_would_come(name, encoder, picture):
    seen = []

    def interrupt(step):
        seen.append(step.index)
        if step.index == 2:
            raise KeyboardInterrupt

    method = METHODS[name](picture(0, dtype=torch.float32), picture(1, dtype=torch.float32))
    network = vgg16(weights=None) if name.startswith("kolkin") else encoder
    results = method(encoder=network, callbacks=(interrupt,))
    assert seen == [1, 2]
    assert results[0].interrupted
    assert all(result is results[0] for result in results)
