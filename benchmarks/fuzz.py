"""Damage files in every way and see whether each is read or refused as it is documented.

    python benchmarks/fuzz.py --seconds 600 --seed 0
    python benchmarks/fuzz.py --seed 0 --only "PNG 1234" --save wrong.png

The second line takes up one input again and writes it. An input is a valid file of one kind after one to four
mutations. It must end in a value or in the documented class of error: not in another one, a warning, words on
standard error, a crash, a hang, or more memory than so small a file has reason to take. Each input follows
from its name and the seed. Linux only.
"""

import argparse
import json
import logging
import mmap
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from fuzz_kinds import Kind, kinds

_SECONDS = 10
"""What one input may take."""
_MEMORY = 512 * 2**20
"""What an input may take beside the program, in bytes."""

_DOCUMENTED = re.compile(
    "Corrupt EXIF|Tag data larger|Tag offset|Truncated File|Metadata Warning|Invalid APNG|Image size .* limit"
    "|An image has the transfer function"
)
"""Warnings of Pillow about metadata and large frames, which only filters of the whole process could stop, and
ours about curves of colours that are not known."""
_TIFF = (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+")
"""libtiff writes what it thinks of a damaged file to standard error by itself."""


class Worker:
    """A process that tries inputs until its time is over, or it dies of one.

    Args:
        kinds: What is tried.
        seed: Of the mutations.
        place: Memory that is shared with the parent, for the name of the input in work.
        folder: For the files.
        stream: Where findings are written, as lines of JSON.
    """

    def __init__(
        self, kinds: dict[str, Kind], seed: int, place: mmap.mmap, folder: Path, stream: int
    ) -> None:
        self.kinds, self.seed, self.place, self.folder, self.stream = kinds, seed, place, folder, stream
        self.tried, self.read = Counter[str](), Counter[str]()
        self.caught: list[warnings.WarningMessage] = []
        self.words = tempfile.TemporaryFile()  # noqa: SIM115

    def work(self, first: int, deadline: float) -> None:
        """Try inputs of all kinds in turn, from this number on."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.dup2(self.words.fileno(), 2)
        with warnings.catch_warnings(record=True) as self.caught:
            warnings.simplefilter("always")
            number = first
            while time.monotonic() < deadline:
                for name in self.kinds:
                    self.try_one(f"{name} {number}")
                number += 1
                if number % 100 == 0:
                    self.tell_counts()
        self.tell_counts()

    def try_one(self, name: str) -> None:
        """Try the input of this name, and tell what is wrong."""
        kind = self.kinds[name.split()[0]]
        path = self.folder / f"checkpoint-00000001{kind.suffix}"
        data = kind.file(name, self.seed)
        path.write_bytes(data)
        self.place[:] = name.encode().ljust(len(self.place))
        self.tried[name.split()[0]] += 1
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)
        try:
            kind.read(path)
            self.read[name.split()[0]] += 1
        except kind.error:
            pass
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            message = f"{type(error).__name__}: {str(error)[:200]}"
            self.tell({"input": name, "wrong": message, "at": f"{where.filename}:{where.lineno}"})
        signal.setitimer(signal.ITIMER_REAL, 0)
        path.unlink()
        for warning in self.caught:
            if not _DOCUMENTED.match(str(warning.message)):
                self.tell({"input": name, "wrong": f"{warning.category.__name__}: {warning.message}"})
        self.caught.clear()
        if self.words.seek(0, os.SEEK_END):
            self.words.seek(0)
            words = self.words.read().decode(errors="replace")
            if not data.startswith(_TIFF):
                self.tell({"input": name, "wrong": f"said {words!r}"})
            self.words.seek(0)
            self.words.truncate()

    def tell_counts(self) -> None:
        """Write what was tried since the last time."""
        self.tell({"tried": self.tried, "read": self.read})
        self.tried.clear()
        self.read.clear()

    def tell(self, finding: dict[str, Any]) -> None:
        """Write a line for the parent."""
        os.write(self.stream, json.dumps(finding).encode() + b"\n")


def fuzz(
    kinds: dict[str, Kind], *, seed: int, seconds: float
) -> tuple[Counter[str], Counter[str], list[dict[str, str]]]:
    """Try inputs for so many seconds; how many were tried and read, and the findings."""
    tried, read, findings = Counter[str](), Counter[str](), []
    deadline, first = time.monotonic() + seconds, 0
    while time.monotonic() < deadline or not tried:
        place = mmap.mmap(-1, 100)
        with tempfile.TemporaryDirectory() as folder:
            lines, status = _forked(partial(_work, kinds, seed, place, Path(folder), first, deadline))
        for line in lines:
            if "tried" in line:
                tried.update(line["tried"])
                read.update(line["read"])
            else:
                findings.append(line)
        if status == 0:
            break
        name = place[:].decode().strip()
        findings.append({"input": name, "wrong": f"the process ended with {_ending(status)}"})
        first = int(name.split()[1]) + 1
    return tried, read, findings


def _work(
    kinds: dict[str, Kind],
    seed: int,
    place: mmap.mmap,
    folder: Path,
    first: int,
    deadline: float,
    stream: int,
) -> None:
    Worker(kinds, seed, place, folder, stream).work(first, deadline)


def _forked(function: Callable[[int], None]) -> tuple[list[Any], int]:
    """The lines that the function writes in a process of its own, and how that ended."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            function(writing)
        except BaseException:
            traceback.print_exc(file=sys.__stdout__)
            os._exit(70)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        lines = [json.loads(line) for line in stream]
    return lines, os.waitpid(process, 0)[1]


def _ending(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return f"the code {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    return f"no answer in {_SECONDS} seconds" if number == signal.SIGALRM else signal.Signals(number).name


def main() -> int:
    """Carry the command line out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="the name of one input, such as 'PNG 1234'")
    parser.add_argument("--save", type=Path, help="where to write the input of `--only`")
    options = parser.parse_args()
    torch.set_num_threads(1)
    # Says on standard error what nobody listens to, such as that a damaged checkpoint is left out.
    logging.getLogger("pystyle").addHandler(logging.NullHandler())
    everything = kinds()
    if options.only is not None:
        kind = everything[options.only.split()[0]]
        with tempfile.TemporaryDirectory() as folder:
            path = options.save or Path(folder, f"checkpoint-00000001{kind.suffix}")
            path.write_bytes(kind.file(options.only, options.seed))
            kind.read(path)
        return 0
    tried, read, findings = fuzz(everything, seed=options.seed, seconds=options.seconds)
    print("| kind | tried | read | refused |\n|---|---|---|---|")
    for name in everything:
        print(f"| {name} | {tried[name]} | {read[name]} | {tried[name] - read[name]} |")
    print(f"| all | {tried.total()} | {read.total()} | {(tried - read).total()} |")
    for finding in findings:
        print(json.dumps(finding))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
