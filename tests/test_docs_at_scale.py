"""The arithmetic of the page "At scale" is that of the figures that it names."""

import re
from pathlib import Path

import pytest

from pystyle.cli._bench_figures import SECONDS

PAGE = (Path(__file__).parents[1] / "docs" / "at-scale.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z-]+)`(.*?) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) (hours?|days) \|$", PAGE, re.M)


def test_the_page_has_networks_and_optimisation():
    assert {row[0] for row in ROWS} == {"any-style", "any-style-light", "masters", "stylize"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0] + row[1])
def test_hours_are_seconds_times_pictures(row):
    name, how, seconds, million, hundred_millions, unit = row
    if not how:
        assert float(seconds) == SECONDS[name, 512, "bfloat16"]
    hours = float(seconds) * 1e6 / 3600
    assert float(million.replace(",", "")) == pytest.approx(hours, rel=0.04)
    # A hundred times as many, by a thousand workers.
    shared = float(hundred_millions) * (24 if unit == "days" else 1)
    assert shared == pytest.approx(hours / 10, rel=0.04)


def test_terabytes_are_megabytes_times_pictures():
    rows = re.findall(
        r"^\| \w+, ([\d.]+) (MB|kB) each \| ([\d.]+) (TB|GB) \| ([\d.]+) (TB|GB) \|$", PAGE, re.M
    )
    units = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
    assert len(rows) == 3
    for each, unit, million, its_unit, hundred_millions, their_unit in rows:
        size = float(each) * units[unit]
        assert float(million) * units[its_unit] == pytest.approx(1e6 * size, rel=0.01)
        assert float(hundred_millions) * units[their_unit] == pytest.approx(1e8 * size, rel=0.01)
