"""What is printed on standard output: all of it in one place."""

import ast
import json
from pathlib import Path

import pytest

import pystyle.cli
from pystyle.cli._tell import tell_facts


def test_numbers_that_are_not_finite_are_null_wherever_they_stand(capsys):
    nan, inf = float("nan"), float("inf")
    tell_facts({"a": nan, "b": [1, -inf, {"c": (inf, 0.5)}], "d": {"e": None, "f": "NaN", "g": True}})
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told == {"a": None, "b": [1, None, {"c": [None, 0.5]}], "d": {"e": None, "f": "NaN", "g": True}}


def test_no_command_prints_by_itself():
    found = set()
    for path in Path(pystyle.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                streams = [ast.unparse(keyword.value) for keyword in node.keywords]
                found.update([] if "sys.stderr" in streams else [path.name])
    assert found == {"_tell.py"}
