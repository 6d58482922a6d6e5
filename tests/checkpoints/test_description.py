"""What a run was asked to do, in words that tell two runs apart."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.checkpoints import describe, differences, environment
from pystyle.encoders import SequentialEncoder


def make(rate):
    return lambda params: torch.optim.Adam(params, lr=rate)


@dataclass
class Options:
    rows: int
    _cache: int = 0


def criterion(weight=1.0, seed=0):
    torch.manual_seed(seed)
    encoder = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3)})
    return Criterion(encoder, {"style": GramLoss("conv", weight=weight), "content": ContentLoss("conv")})


SLOPE = torch.linspace(0, 1, 5)


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        (5, 6, "value"),
        (1, True, "value"),
        (None, 0, "value"),
        ((0.0, 1.0), (0.0, 0.9), "value.1"),
        ([1], [1, 2], "value"),
        ({"a": 1}, {"a": 2}, "value.a"),
        ({"a", "b"}, {"a", "c"}, "value"),
        (SLOPE, SLOPE + 1e-7, "value"),
        (SLOPE, SLOPE.double(), "value"),
        (SLOPE, SLOPE[None], "value"),
        (np.arange(3), np.arange(1, 4), "value"),
        (Path("a"), Path("b"), "value"),
        (Options(3), Options(4), "value.rows"),
        (torch.optim.Adam, torch.optim.SGD, "value"),
        (partial(torch.optim.Adam, lr=0.1), partial(torch.optim.Adam, lr=0.2), "value.lr"),
        (partial(torch.optim.Adam, lr=0.1), torch.optim.Adam, "value.lr"),
        (lambda x: x + 1, lambda x: x + 2, "value"),
        (make(0.1), make(0.2), "value.rate"),
        (criterion(), criterion(weight=2.0), "value.losses.style.weight"),
        (criterion(), criterion(seed=1), "value.encoder"),
    ],
)
def test_a_difference_is_found_and_named(before, now, name):
    found = differences(describe({"value": before}), describe({"value": now}))
    assert found
    assert all(text.startswith(f"`{name}") for text in found)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"a.b": 1}, {"a": {"b": 1}}),
        ({"a.b": 1}, {"'a": {"b'": 1}}),
        ({"": {"a": 1}}, {"a": 1}),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 2}}),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 2, "a": {"b": 1}}),
        ({1: "a", "1": "b"}, {1: "c", "1": "b"}),
        (partial(make(0.1), rate=0.3), partial(make(0.2), rate=0.3)),
    ],
)
def test_what_lies_at_places_that_read_the_same_is_told_apart(before, now):
    assert describe({"value": before}) != describe({"value": now})


def test_names_without_dots_stand_as_they_are():
    found = describe({"a": {"b-1": 1, 2: 3}, "c": {"d.e": 4, "f": {}}})
    assert found == {"a.b-1": "1", "a.2": "3", "c.'d.e'": "4", "c.f": "empty"}


@pytest.mark.parametrize(
    "make_value",
    [
        lambda: {"b": [1.5, (None, "x")], "a": {3, 1, 2}},
        lambda: partial(torch.optim.Adam, lr=0.1, betas=(0.9, 0.99)),
        lambda: make(0.3),
        lambda: criterion(seed=3),
        lambda: Options(2),
        lambda: SLOPE.clone(),
        lambda: [(torch.ones(1, 3, 2, 2), 0.5)],
    ],
)
def test_what_was_made_alike_is_described_alike(make_value):
    assert describe({"value": make_value()}) == describe({"value": make_value()})
    assert differences(describe({"value": make_value()}), describe({"value": make_value()})) == []


def test_what_is_private_does_not_count():
    assert describe({"options": Options(1, 5)}) == describe({"options": Options(1, 6)})


def test_what_contains_itself_is_described():
    ring = [1]
    ring.append(ring)
    assert describe({"ring": ring}) == {"ring": "2 in a row", "ring.0": "1", "ring.1": "itself"}


def test_the_memory_format_does_not_count():
    image = torch.rand(1, 3, 4, 5)
    assert describe({"x": image}) == describe({"x": image.contiguous(memory_format=torch.channels_last)})


PROGRAM = """
from pystyle.checkpoints import describe
print(describe({"names": {"a", "b", "c", "d"}, "test": lambda x: x in {"p", "q", "r", "s"}}))
"""


@pytest.mark.slow
@pytest.mark.long
def test_a_description_is_the_same_in_every_process():
    command = [sys.executable, "-c", PROGRAM]
    outputs = {
        subprocess.run(
            command, capture_output=True, check=True, timeout=120, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in "12"
    }
    assert len(outputs) == 1
    assert b"'a', 'b', 'c', 'd'" in outputs.pop()


def test_differences_name_what_came_and_went():
    found = differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    assert found == ["`a` was 1 and is not there", "`b` was 2 and is 3", "`c` was not there and is 4"]


def test_the_environment_knows_the_threads():
    assert environment()["threads"] == str(torch.get_num_threads())
    assert environment()["torch"] == torch.__version__
