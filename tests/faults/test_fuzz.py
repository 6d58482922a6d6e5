"""Damaged files end in a value or in the documented class of error; see `benchmarks/fuzz.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
SCRIPTS = Path(__file__).parents[2] / "benchmarks"


def output(*arguments):
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(SCRIPTS), *sys.path]),
    }
    process = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=280
    )
    assert process.returncode in (0, 1), process.stderr
    return process.stdout


def check(seconds, seed):
    rows, findings = [], []
    for line in output(str(SCRIPTS / "fuzz.py"), "--seconds", seconds, "--seed", seed).splitlines():
        if line.startswith("{"):
            findings.append(line)
        else:
            rows.append(line.strip("| ").split(" | "))
    assert findings == []
    # A header of two lines and a last one of sums.
    assert len(rows) == 2 + 14 + 1
    for name, tried, read, refused in rows[2:]:
        assert int(tried) == int(read) + int(refused)
        # How many there are depends on who else uses the machine.
        assert int(tried) > 0, name
    assert all(int(number) > 0 for number in rows[-1][1:])


@pytest.mark.slow
def test_damaged_files_are_read_or_refused():
    check("5", "0")


@pytest.mark.slow
@pytest.mark.long
def test_damaged_files_are_read_or_refused_for_longer():
    check("30", "1")


WRONG = """
import ctypes, json, os, sys, time, warnings
import fuzz
from fuzz_kinds import Kind

class RightError(Exception):
    pass

def at(number, act):
    def read(path):
        calls = int(path.read_text())
        if calls == number:
            act()
        if calls % 2:
            raise RightError
    return read

class Numbered(Kind):
    def file(self, name, seed):
        return name.split()[1].encode()

def kind(number, act):
    return Numbered([b""], "", (), at(number, act), RightError)

fuzz._SECONDS = 1
found = fuzz.fuzz(
    {
        "crash": kind(3, lambda: ctypes.string_at(0)),
        "class": kind(4, lambda: {}["key"]),
        "hang": kind(5, lambda: time.sleep(60)),
        "memory": kind(6, lambda: bytes(2**30)),
        "warning": kind(7, lambda: warnings.warn("look out")),
        "words": kind(8, lambda: os.write(2, b"look out")),
        "exit": kind(9, lambda: sys.exit(3)),
    },
    seed=0,
    seconds=5,
)[2]
print(json.dumps({finding["input"]: finding["wrong"] for finding in found}))
"""


@pytest.mark.slow
def test_whatever_else_happens_is_found_and_named():
    assert json.loads(output("-c", WRONG).splitlines()[-1]) == {
        "crash 3": "the process ended with SIGSEGV",
        "class 4": "KeyError: 'key'",
        "hang 5": "the process ended with no answer in 1 seconds",
        "memory 6": "MemoryError: ",
        "warning 7": "UserWarning: look out",
        "words 8": "said 'look out'",
        "exit 9": "the process ended with the code 70",
    }
