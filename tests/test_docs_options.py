"""The tables of `docs/command-line.md` have the options of their commands, and values that can be given."""

import re
from pathlib import Path

import pytest

from pystyle.cli._parser import _COMMANDS, _parsers

PAGE = (Path(__file__).parents[1] / "docs/command-line.md").read_text(encoding="utf-8")
COMMANDS = {
    "Training a network": "train",
    "Painting with a network": "paint",
    "Painting clips": "video",
    "Painting meshes": "texture",
    "Painting what a camera sees": "live",
    "Serving": "serve",
    "Exporting networks": "export",
    "Smaller networks": "compress",
    "Judging pictures": "judge",
    "Measuring the machine": "bench",
}
NAMED = re.compile(r"`(--[a-z][a-z0-9-]*)")


def table_under(heading):
    """The rows of the first table of a section: the left and the right cell."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = section.partition("| option | what it does |\n|---|---|\n")[2].partition("\n\n")[0]
    return [tuple(row.strip("| ").split(" | ", 1)) for row in table.splitlines()]


def actions_of(command):
    return {name: action for action in _parsers()[1][command]._actions for name in action.option_strings}


def test_each_table_is_that_of_a_command():
    assert PAGE.count("| option | what it does |") == len(COMMANDS)
    assert all(table_under(heading) for heading in COMMANDS)


@pytest.mark.parametrize(("heading", "command"), COMMANDS.items())
def test_a_table_names_each_option_of_its_command_and_no_other(heading, command):
    rows, options = table_under(heading), actions_of(command)
    assert {name for left, _ in rows for name in NAMED.findall(left)} <= set(options)
    told = {name for row in rows for cell in row for name in NAMED.findall(cell)}
    assert {name for name in options if name.startswith("--")} - told <= {"--help", "--output"}


@pytest.mark.parametrize(("heading", "command"), COMMANDS.items())
def test_values_in_a_table_are_those_of_its_option(heading, command):
    options = actions_of(command)
    for left, right in table_under(heading):
        match = re.fullmatch(r"`(--[a-z-]+) (NAME|FACTOR|PIXELS)`", left)
        for value in re.findall(r"`([a-z][a-z0-9-]*)`", right) if match else ():
            action = options[match[1]]
            if value not in _COMMANDS:
                assert value in (action.choices or [value])
                (action.type or str)(value)
