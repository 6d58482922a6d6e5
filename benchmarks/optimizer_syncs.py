"""Count what one step of L-BFGS launches and how often it waits for the device: torch's and ours.

    python benchmarks/optimizer_syncs.py --edge-size 64 --output benchmarks/results/optimizer_syncs.jsonl

A number that is read back to the host (`item`, `float`, `if tensor`) makes the host wait for a GPU; it is
the operator `_local_scalar_dense`, which shows on a CPU too. Both optimizers run on the objective of Gatys
from the content image, without bounds; the operators of a step are counted after the history is full,
without those of the objective.

The lines also hold the bytes of state per pixel, how many iterates of the two are equal to the last bit, and
how far they are apart at most. The first step is rounded differently, because torch multiplies and adds at
once there, and a run on this objective makes much of a last bit: "nudged" is how far two runs of torch are
apart whose initial images differ in the last bit of one value.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from objectives import gatys_criterion, square_pair
from records import Line, append, machine, read, table
from strategies import evaluator
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pystyle.encoders import vgg19
from pystyle.optim import LBFGS

SYNC = "aten._local_scalar_dense"
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "torch": partial(torch.optim.LBFGS, max_iter=1, tolerance_grad=0, tolerance_change=0),
    "pystyle": partial(LBFGS, initial_step=None),
}

COLUMNS = (
    "history_size",
    "num_steps",
    "operators",
    "syncs",
    "loss",
    "equal_iterates",
    "largest_difference",
    "nudged_difference",
    "state_bytes_per_pixel",
)

Gradient = Callable[[Tensor], tuple[Tensor, Tensor]]


class OperatorCounter(TorchDispatchMode):
    """Counts the operators that are launched inside it, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count, and do what is asked."""
        self.counts[str(func.overloadpacket)] += 1
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Run:
    """What a run leaves: its iterates, the last loss, the operators of the last step, the bytes of state."""

    iterates: list[Tensor]
    loss: float
    operators: Counter[str]
    state_bytes: int

    def distance(self, other: "Run") -> float:
        """The largest difference of two iterates of the same number."""
        pairs = zip(self.iterates, other.iterates, strict=True)
        return max(float((a - b).abs().max()) for a, b in pairs)


def run(name: str, start: Tensor, gradient: Gradient, *, history_size: int, num_steps: int) -> Run:
    """Take steps, each evaluated before it, so that the counter sees the optimizer alone."""
    image = start.clone().requires_grad_()
    optimizer = OPTIMIZERS[name]([image], history_size=history_size)
    iterates = []
    for _ in range(num_steps):
        loss, image.grad = gradient(image.detach())
        counter = OperatorCounter()
        with counter:
            optimizer.step(lambda loss=loss: loss)
        iterates.append(image.detach().clone())
    state = sum(tensor.nbytes for tensor in _tensors(optimizer.state_dict()["state"]))
    return Run(iterates, float(loss), counter.counts, state)


def compare(start: Tensor, gradient: Gradient, *, history_size: int, num_steps: int) -> list[Line]:
    """One line for each optimizer."""
    length = {"history_size": history_size, "num_steps": num_steps}
    runs = {name: run(name, start, gradient, **length) for name in OPTIMIZERS}
    nudged = start.clone()
    nudged.view(-1)[0] = torch.nextafter(nudged.view(-1)[0], torch.tensor(2.0))
    pairs = zip(runs["torch"].iterates, runs["pystyle"].iterates, strict=True)
    between = {
        "equal_iterates": sum(torch.equal(a, b) for a, b in pairs),
        "largest_difference": runs["torch"].distance(runs["pystyle"]),
        "nudged_difference": runs["torch"].distance(run("torch", nudged, gradient, **length)),
    }
    return [
        {
            "optimizer": name,
            **length,
            "operators": sum(found.operators.values()),
            "syncs": found.operators[SYNC],
            "loss": found.loss,
            "state_bytes_per_pixel": found.state_bytes / (start.numel() / 3),
            "history_bytes_per_pixel": 2 * history_size * 3 * start.element_size(),
            **between,
        }
        for name, found in runs.items()
    ]


def _tensors(state: object) -> list[Tensor]:
    if isinstance(state, Tensor):
        return [state]
    values = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else []
    return [tensor for value in values for tensor in _tensors(value)]


def main() -> None:
    """Measure the lengths of history that are missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edge-size", type=int, default=64)
    parser.add_argument("--history-sizes", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/optimizer_syncs.jsonl"))
    arguments = parser.parse_args()
    content, style = square_pair(arguments.edge_size)
    evaluate = evaluator(gatys_criterion(vgg19()), {"content": content, "style": style})

    def gradient(image: Tensor) -> tuple[Tensor, Tensor]:
        terms, found = evaluate(image)
        return terms.total, found.contiguous()

    done = {(line["edge_size"], line["history_size"]) for line in read(arguments.output)}
    for history_size in arguments.history_sizes:
        if (arguments.edge_size, history_size) not in done:
            for line in compare(content, gradient, history_size=history_size, num_steps=history_size + 20):
                where = {"edge_size": arguments.edge_size, "machine": machine(torch.device("cpu"))}
                append(arguments.output, line | where)
    rows = (
        [line["optimizer"], *(f"{line[column]:.6g}" for column in COLUMNS)] for line in read(arguments.output)
    )
    print(table(["optimizer", *COLUMNS], rows))


if __name__ == "__main__":
    main()
