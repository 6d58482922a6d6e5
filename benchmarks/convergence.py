"""Measure how fast loops bring down the loss of the picture that is saved, and how noisy it becomes.

    python benchmarks/convergence.py --edge-size 256 --output benchmarks/results/convergence.jsonl

The objective is that of Gatys for all, from the content image. After 50, 100, 200 and 500 evaluations the
picture is clamped and rounded to 8 bits, and its loss is that of our eager evaluation in float32: other
arguments of pystyle must not be judged by themselves. Seconds are those of the loop alone. The noise is the
energy of the finest band relative to the noisier one of the sources; a loss means nothing without it.

Further runs of pystyle, each with a name and with arguments in the form of key=value:

    python benchmarks/convergence.py --pystyle long history_size=100 --pystyle half precision=bfloat16 \
        --pystyle strips strategy=StripEvaluation rows=64 --pystyle average averaging=0.97

They are the options of `LBFGS`, the arguments of a strategy, `bounds` and `averaging`.

Lines are written as they come, and what is there already is not run again.
"""

import argparse
import ast
from collections.abc import Callable
from pathlib import Path

import torch
from loops import Checkpoint, Loop, crowson_loop, pystiche_loop, pystyle_loop
from objectives import gatys_criterion
from pictures import PAIRS, read_pair
from records import Line, append, machine, read, table
from torch import Tensor
from variants import VARIANTS

from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.images import quantise, resize
from pystyle.metrics import finest_band_energy

EVALUATIONS = (50, 100, 200, 500)
FIGURES = ("loss", "saved_loss", "noise")


def measure(
    loop: Loop,
    content: Tensor,
    style: Tensor,
    evaluations: tuple[int, ...],
    write: Callable[[Line], None],
    *,
    encoder: SequentialEncoder,
) -> None:
    """Write the figures at each of the numbers of evaluations."""
    objective = gatys_criterion(encoder).bind({"content": content, "style": style})
    noisier = max(float(finest_band_energy(image)) for image in (content, style))

    def report(checkpoint: Checkpoint) -> None:
        line: Line = {"evaluations": checkpoint.evaluations, "saved_loss": None, "noise": None}
        # A loop that diverged has no picture.
        if bool(checkpoint.image.isfinite().all()):
            # Loops without bounds go far, and what is saved is clamped.
            picture = quantise(checkpoint.image.clamp(0, 1))
            with torch.no_grad():
                line["saved_loss"] = float(objective(picture).total)
                line["loss"] = float(objective(checkpoint.image).total)
            line["noise"] = float(finest_band_energy(picture)) / noisier
        clocks = {"seconds": checkpoint.seconds, "processor_seconds": checkpoint.processor_seconds}
        write(line | clocks)

    loop(encoder, content, style, evaluations, report)


def loops_of(arguments: argparse.Namespace) -> dict[str, tuple[Loop, dict[str, object]]]:
    """The loops by name, with the arguments that go into their lines."""
    loops: dict[str, tuple[Loop, dict[str, object]]] = {
        "pystiche": (pystiche_loop, {}),
        "crowson": (crowson_loop, {}),
        "pystyle": (pystyle_loop(), {}),
    }
    loops = {name: loop for name, loop in loops.items() if name in arguments.loops}
    reason = VARIANTS["pystiche"].missing(arguments.device)
    if reason and loops.pop("pystiche", None):
        print(f"pystiche is left out: {reason}.")
    for name, *words in arguments.pystyle:
        options = {key: _value(value) for key, _, value in (word.partition("=") for word in words)}
        loops[name] = pystyle_loop(**options), options
    return loops


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


def run_missing(arguments: argparse.Namespace) -> None:
    """Run what is not in the file yet."""
    done = {_key(line) for line in read(arguments.output)}
    encoder = vgg19().to(arguments.device)
    for pair in PAIRS[: arguments.pairs]:
        content, style = (
            quantise(resize(image, arguments.edge_size)).to(arguments.device) for image in read_pair(pair)
        )
        for name, (loop, options) in loops_of(arguments).items():
            where: Line = {"loop": name, "options": options, "pair": "-".join(pair)}
            where |= {"edge_size": arguments.edge_size}

            def write(line: Line, where: Line = where) -> None:
                line = where | line | {"machine": machine(arguments.device)}
                if _key(line) not in done:
                    append(arguments.output, line)

            if any(_key(where | {"evaluations": count}) not in done for count in arguments.evaluations):
                measure(loop, content, style, tuple(arguments.evaluations), write, encoder=encoder)


def _key(line: Line) -> tuple[object, ...]:
    return line["loop"], str(line["options"]), line["pair"], line["edge_size"], line["evaluations"]


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-size", type=int, default=256, help="of the short edge")
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="how many of the pairs in pictures.py")
    parser.add_argument("--evaluations", type=int, nargs="+", default=list(EVALUATIONS))
    names = ("pystiche", "crowson", "pystyle")
    parser.add_argument("--loops", nargs="*", choices=names, default=list(names))
    parser.add_argument("--pystyle", nargs="+", action="append", default=[], metavar="NAME KEY=VALUE")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/convergence.jsonl"))
    arguments = parser.parse_args()
    run_missing(arguments)
    lines = [line for line in read(arguments.output) if line["edge_size"] == arguments.edge_size]
    rows = [
        [line["pair"], line["loop"], line["evaluations"]]
        + ["diverged" if line["saved_loss"] is None else f"{line[name]:.4g}" for name in FIGURES]
        + [f"{line['seconds']:.0f}", f"{line['processor_seconds']:.0f}"]
        for line in sorted(lines, key=lambda line: (line["pair"], line["evaluations"], line["loop"]))
    ]
    clocks = ("seconds", "processor seconds")
    print(table(["pair", "loop", "evaluations", "loss of the iterate", "as saved", "noise", *clocks], rows))


if __name__ == "__main__":
    main()
