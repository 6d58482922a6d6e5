"""The table of all methods: nothing is left out, and what is drawn of it."""

from typing import get_args

import pytest

from pystyle import papers
from pystyle.networks import pretrained_names
from pystyle.typing import StyleLossName

NICKNAMES = {"kolkin_2019": "strotss", "kolkin_2022": "nnst"}
OF_OTHERS = {"ruder_2016", "kwon_2022", "chung_2024", "mordvintsev_2018", "kato_2018"}
"""They paint clips or meshes, or need a text or a model of diffusion."""


@pytest.fixture(scope="module")
def methods(script):
    return script("methods").METHODS


def test_every_method_for_a_photograph_and_a_painting_is_there(methods):
    for name in get_args(StyleLossName):
        assert f"loss {name}" in methods or name == "wasserstein"  # That is the default.
    for name in papers.__all__:
        if hasattr(getattr(papers, name), "style_transfer") and name not in OF_OTHERS:
            assert NICKNAMES.get(name, name) in methods
    for name in pretrained_names():
        assert name in methods or name.startswith("masters")  # They paint in styles of their own.


def test_the_front_is_what_nothing_beats(script):
    front = script("methods_page").front
    points = {
        "a": (1.0, 5.0),
        "b": (2.0, 5.0),
        "c": (3.0, 2.0),
        "d": (2.5, 4.0),
        "e": (1.0, 6.0),
        "f": (9.0, 1.0),
    }
    assert front(points) == ["a", "d", "c", "f"]


def test_letters_are_the_same_each_time_and_differ_between_pairs(script):
    page = script("methods_page")
    orders = [page.shuffled(pair) for pair in (("a", "b"), ("a", "b"), ("c", "d"))]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(page.RANKED)


def test_correlations_are_those_of_ranks(script):
    correlation = script("methods_eye").correlation
    assert correlation([1.0, 5.0, 9.0], [2.0, 3.0, 100.0]) == pytest.approx(1)
    assert correlation([1.0, 5.0, 9.0], [9.0, 5.0, 1.0]) == pytest.approx(-1)
    assert correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) == 0
    # Equal ones share their ranks: 1 2.5 2.5 4 and 1 2 3 4 have 4.5 of 4.5 and 5 in common.
    assert correlation([0.0, 1.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]) == pytest.approx(4.5 / (4.5 * 5) ** 0.5)
    # Ranks 0 1 2 3 and 1 0 2 3: 1 - 6 (1 + 1) / (4 (16 - 1)).
    assert correlation([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 3.0, 4.0]) == pytest.approx(0.8)
