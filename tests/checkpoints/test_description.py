"""What a run was asked to do, in words that tell two runs apart."""

import array
import operator
import os
import random
import re
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss
from pystyle.checkpoints import describe, differences, environment, fingerprint
from pystyle.encoders import SequentialEncoder


def make(rate):
    return lambda params: torch.optim.Adam(params, lr=rate)


@dataclass
class Options:
    rows: int
    _cache: int = 0


class Statistic(Enum):
    MEAN = "mean"
    MAX = "max"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Side(Flag):
    LEFT = 1
    RIGHT = 2


class Shown:
    """Has no public attribute, and says what it is."""

    def __init__(self, inner):
        self._inner = inner

    def __repr__(self):
        return f"Shown({self._inner!r})"


class Counting:
    """Keeps what changes in a private attribute."""

    def __init__(self):
        self._count = 0
        self._lock = threading.Lock()


class Stateless:
    pass


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
        (Statistic.MEAN, Statistic.MAX),
        (Level.LOW, Level.HIGH),
        (Level.LOW, 1),
        (Side.LEFT, Side.LEFT | Side.RIGHT),
        ({Statistic.MEAN}, {Statistic.MAX}),
        (range(3), range(5)),
        (Fraction(1, 2), Fraction(1, 3)),
        (Decimal("0.1"), Decimal("0.10")),
        (date(2020, 1, 1), date(2021, 1, 1)),
        (timedelta(1), timedelta(2)),
        (deque([1]), deque([2])),
        (slice(1), slice(2)),
        (bytearray(b"a"), bytearray(b"b")),
        (re.compile("a" * 300), re.compile("a" * 301)),
        (re.compile("a"), re.compile("a", re.ASCII)),
        ({1: 1}.values(), {1: 2}.values()),
        ({1: 1}.keys(), {2: 1}.keys()),
        (torch.channels_last, torch.contiguous_format),
        (operator.itemgetter(1), operator.itemgetter(2)),
        (array.array("d", [1]), array.array("d", [2])),
        ("a".upper, "b".upper),
        (torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)),
        (random.Random(1), random.Random(2)),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (np.array(["a"]), np.array(["b"])),
        (Shown(1), Shown(2)),
        (Shown("a" * 200 + "1"), Shown("a" * 200 + "2")),
        (Stateless(), object()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_public_attributes_are_told_apart(before, now):
    holders = [{"value": before}, {"value": now}]
    assert describe(holders[0]) != describe(holders[1])
    assert fingerprint(before) != fingerprint(now)
    assert fingerprint(Options(before)) != fingerprint(Options(now))


@pytest.mark.parametrize(
    "make_value",
    [
        lambda: Fraction(2, 4),
        lambda: deque([1, {"a": SLOPE.clone()}]),
        lambda: re.compile("a"),
        lambda: operator.itemgetter(1),
        lambda: random.Random(3),
        lambda: np.random.default_rng(3),
        lambda: "a".upper,
        lambda: Shown("a"),
        lambda: Counting(),
        lambda: Stateless(),
        lambda: {Statistic.MEAN, Statistic.MAX},
    ],
)
def test_values_without_public_attributes_that_are_alike_are_described_alike(make_value):
    first, second = make_value(), make_value()
    assert fingerprint(first) == fingerprint(second)


def test_a_generator_is_known_by_its_seed():
    generator = torch.Generator().manual_seed(3)
    before = describe({"value": generator})
    torch.rand(1, generator=generator)
    assert describe({"value": generator}) == before == {"value": "torch.Generator on cpu with the seed 3"}


def test_members_and_modules_are_named():
    assert describe({"a": Statistic.MAX}) == {"a": f"{__name__}.Statistic.MAX", "a.value": "'max'"}
    assert describe({"a": nn.functional}) == {"a": "torch.nn.functional"}


def test_what_is_private_does_not_count_even_without_anything_public():
    counting = Counting()
    before = describe({"value": counting})
    counting._count += 1
    assert describe({"value": counting}) == before == {"value": f"{__name__}.Counting"}


@pytest.mark.parametrize("value", [threading.Lock(), (x for x in "ab"), memoryview(b"a")])
def test_what_nothing_tells_apart_is_refused(value):
    with pytest.raises(TypeError, match=r"`options\.rows` is a .*, and nothing tells two of these apart"):
        describe({"options": Options(value)})
    assert describe({"options": Options(1, value)}) == describe({"options": Options(1)})


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
