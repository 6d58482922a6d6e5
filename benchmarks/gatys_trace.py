"""The published loss of Gatys, Ecker, Bethge 2016, evaluation by evaluation, against ours.

    python benchmarks/gatys_trace.py --content Tuebingen_Neckarfront.jpg --style vangogh_starry_night.jpg

Their notebook (leongatys/PytorchNeuralStyleTransfer, commit be6c8e2) prints the total loss of the photograph
of Tübingen (1024 x 768) in the manner of the Starry Night (970 x 768); both are in its folder `Images`. A
line of JSON is written at each of these evaluations, and every 50 evaluations the run is saved (up to 1 GB),
so that the script goes on where it was interrupted.

The stage ``first-aliased`` shrinks the images bilinearly without the filter against aliasing that Pillow and
torchvision have today: nobody knows with which version the loss was printed, and it matters.

The notebook counts an evaluation too many: what it prints as the loss of evaluation 50 is that of the 49th.
So a line has the loss of both.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from records import Line, append, machine, read, table
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.images import read_image, resize, write_image
from pystyle.optim import LBFGS
from pystyle.papers import gatys_2016

COLUMNS = ("stage", "evaluation", "published", "total", "ratio", "total_one_before", "ratio_one_before")


class Stage(NamedTuple):
    """One run of the notebook.

    Attributes:
        edge_size: The short side of the images.
        published: The total loss by the number of evaluations.
        antialias: Whether the images are filtered before they are made smaller.
    """

    edge_size: int
    published: dict[int, float]
    antialias: bool = True


FIRST = {
    50: 1388532.5, 100: 707860.75, 150: 538045.44, 200: 469374.88, 250: 433804.63,
    300: 411657.56, 350: 395248.25, 400: 383885.31, 450: 375128.75, 500: 368493.78,
}  # fmt: skip
STAGES = {
    "first": Stage(512, FIRST),
    "first-aliased": Stage(512, FIRST, antialias=False),
    "high-resolution": Stage(800, {50: 393681.66, 100: 318565.34, 150: 288719.72, 200: 272176.63}),
}


class Run:
    """A stage that can be saved and taken up again.

    Args:
        content: The photograph at its full size.
        style: The painting at its full size.
        edge_size: The short side.
        init: What to start from; the content if not given.
        checkpoint: The file of the saved run.
        device: Where to compute.
        antialias: Whether the images are filtered before they are made smaller.
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor,
        edge_size: int,
        *,
        init: Tensor | None,
        checkpoint: Path,
        device: torch.device,
        antialias: bool = True,
    ) -> None:
        smaller = gatys_2016.working_sizes(content, style, edge_size=edge_size)
        if not antialias:
            smaller = tuple(
                interpolate(full, small.shape[2:], mode="bilinear")
                for full, small in zip((content, style), smaller, strict=True)
            )
        content, style = smaller
        references = {"content": content.to(device), "style": style.to(device)}
        criterion = gatys_2016.criterion(vgg19().to(device))
        self.evaluator = EagerEvaluation().bind(criterion, references)
        start = references["content"]
        if init is not None:
            start = resize(init.to(device), (content.shape[2], content.shape[3]), interpolation="bilinear")
        self.image = start.clone().requires_grad_()
        self.optimizer = partial(LBFGS, history_size=100, initial_step=None)([self.image])
        self.checkpoint = checkpoint
        self.evaluations, self.seconds, self.last = 0, 0.0, float("nan")
        if checkpoint.exists():
            saved = torch.load(checkpoint, map_location=device, weights_only=True)
            self.evaluations, self.seconds, self.last = (
                saved[name] for name in ("evaluations", "seconds", "last")
            )
            self.image.data.copy_(saved["image"])
            self.optimizer.load_state_dict(saved["optimizer"])

    def step(self) -> Line:
        """One evaluation and one step; what the evaluation found."""
        terms = None

        def closure() -> Tensor:
            nonlocal terms
            terms, self.image.grad = self.evaluator(self.image.detach())
            return terms.total

        start = time.perf_counter()
        self.optimizer.step(closure)
        values = {name: float(value) for name, value in terms.items()}
        total = float(terms.total)
        self.seconds += time.perf_counter() - start
        self.evaluations += 1
        line = {"evaluation": self.evaluations, "total": total, "total_one_before": self.last, **values}
        self.last = total
        return {**line, "seconds": round(self.seconds, 1)}

    def save(self) -> None:
        """Write everything that the next evaluation depends on, in one move."""
        saved = {
            "image": self.image.detach(), "optimizer": self.optimizer.state_dict(),
            "evaluations": self.evaluations, "seconds": self.seconds, "last": self.last,
        }  # fmt: skip
        part = self.checkpoint.with_suffix(".part")
        torch.save(saved, part)
        part.replace(self.checkpoint)


def trace(run: Run, stage: str, *, published: dict[int, float], log: Path, every: int = 50) -> Tensor:
    """Run to the last published evaluation, write the lines that are missing, and give the picture."""
    done = {line["evaluation"] for line in read(log) if line["stage"] == stage}
    while run.evaluations < max(published):
        found = run.step()
        number = run.evaluations
        if number in published and number not in done:
            wanted = published[number]
            ratios = {
                "ratio": found["total"] / wanted,
                "ratio_one_before": found["total_one_before"] / wanted,
            }
            append(log, {"stage": stage, "published": wanted, **found, **ratios, **machine(run.image.device)})
            print(f"{stage} {number}: {found['total']:.1f}, published {wanted}, ratio {ratios['ratio']:.4f}")
        if number % every == 0 or number == max(published):
            run.save()
    return run.image.detach().clamp(0, 1)


def report(lines: list[Line]) -> str:
    """The lines as a table of Markdown."""
    return table(
        COLUMNS,
        ([f"{line[name]:.6g}" if name not in ("stage", "evaluation") else line[name] for name in COLUMNS]
         for line in lines),
    )  # fmt: skip


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, required=True, help="the photograph of Tübingen, 1024 x 768")
    parser.add_argument("--style", type=Path, required=True, help="the Starry Night, 970 x 768")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=["first"])
    parser.add_argument("--edge-size", type=int, help="another short side, to try the script; means nothing")
    parser.add_argument("--evaluations", type=int, help="go no further than this")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    content, style = read_image(arguments.content), read_image(arguments.style)
    log, picture = arguments.output / "gatys_trace.jsonl", None
    for name in arguments.stages:
        edge_size, published, antialias = STAGES[name]
        limit = arguments.evaluations or max(published)
        checkpoint = arguments.output / f"gatys-trace-{name}.pt"
        run = Run(
            content,
            style,
            arguments.edge_size or edge_size,
            init=picture,
            checkpoint=checkpoint,
            device=arguments.device,
            antialias=antialias,
        )
        wanted = {number: total for number, total in published.items() if number <= limit}
        picture = trace(run, name, published=wanted, log=log)
        write_image(picture.cpu(), arguments.output / f"gatys-trace-{name}.png")
    print(report(read(log)))


if __name__ == "__main__":
    main()
