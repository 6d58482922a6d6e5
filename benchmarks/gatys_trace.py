"""The published losses of Gatys, Ecker, Bethge 2016, evaluation by evaluation, against ours.

    python benchmarks/gatys_trace.py --content Tuebingen_Neckarfront.jpg --style vangogh_starry_night.jpg

The notebooks of both of their releases print the losses of the photograph of Tübingen (1024 x 768) in the
manner of the Starry Night (970 x 768); `gatys_printed.py` has the numbers. Both images are in the folder
`Images` of leongatys/PytorchNeuralStyleTransfer; in NeuralImageSynthesis the same files are called
`suppfig4_content2.jpg` and `suppfig7_style1.jpg`. A line of JSON is written at each of these evaluations, and
every 50 evaluations the run is saved (up to 1 GB), so that the script goes on where it was interrupted.

The stage ``torch`` is the older release, whose notebook prints the loss of each layer and makes the images
smaller with a Gaussian filter; the others are the newer one. The stage ``first-aliased`` shrinks the images
bilinearly without the filter against aliasing that Pillow and torchvision have today: nobody knows with which
version the loss was printed, and it matters.

The notebook of the newer release counts an evaluation too many: what it prints as the loss of evaluation 50
is that of the 49th. So a line has the loss of both. That of the older one counts right.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import torch
from gatys_printed import LAYERS, STAGES, Stage
from records import Line, append, machine, read, table
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.images import read_image, resize, write_image
from pystyle.optim import LBFGS
from pystyle.papers import gatys_2016

COLUMNS = ("stage", "evaluation", "published", "total", "ratio", "total_one_before", "ratio_one_before")


class Run:
    """A stage that can be saved and taken up again.

    Args:
        content: The photograph at its full size.
        style: The painting at its full size.
        stage: What the notebook did.
        checkpoint: The file of the saved run.
        device: Where to compute.
        init: What to start from; the content if not given.
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor,
        stage: Stage,
        *,
        checkpoint: Path,
        device: torch.device,
        init: Tensor | None = None,
    ) -> None:
        smaller = gatys_2016.working_sizes(content, style, variant=stage.variant, edge_size=stage.edge_size)
        if not stage.antialias:
            smaller = tuple(
                interpolate(full, small.shape[2:], mode="bilinear")
                for full, small in zip((content, style), smaller, strict=True)
            )
        content, style = smaller
        references = {"content": content.to(device), "style": style.to(device)}
        criterion = gatys_2016.criterion(vgg19().to(device), variant=stage.variant)
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


def trace(
    run: Run, stage: str, *, published: dict[int, dict[str, float]], log: Path, every: int = 50
) -> Tensor:
    """Run to the last published evaluation, write the lines that are missing, and give the picture."""
    done = {line["evaluation"] for line in read(log) if line["stage"] == stage}
    while run.evaluations < max(published):
        found = run.step()
        number = run.evaluations
        if number in published and number not in done:
            line = {"stage": stage, **compared(found, published[number]), **machine(run.image.device)}
            append(log, line)
            print(report([line]), flush=True)
        if number % every == 0 or number == max(published):
            run.save()
    return run.image.detach().clamp(0, 1)


def compared(found: Line, published: dict[str, float]) -> Line:
    """What an evaluation found, with what was printed of it and the ratios of both."""
    total = published["total"]
    return {
        "published": total,
        **found,
        "ratio": found["total"] / total,
        "ratio_one_before": found["total_one_before"] / total,
        "layer_ratios": {name: found[name] / value for name, value in published.items() if name != "total"},
    }


def report(lines: list[Line]) -> str:
    """The lines as tables of Markdown: the totals, and the ratios of the layers where they were printed."""
    totals = table(
        COLUMNS,
        ([f"{line[name]:.6g}" if name not in ("stage", "evaluation") else line[name] for name in COLUMNS]
         for line in lines),
    )  # fmt: skip
    layers = [line for line in lines if line.get("layer_ratios")]
    ratios = table(
        ("stage", "evaluation", *LAYERS, "total"),
        ([line["stage"], line["evaluation"], *(f"{line['layer_ratios'][name]:.3f}" for name in LAYERS),
          f"{line['ratio']:.3f}"] for line in layers),
    )  # fmt: skip
    return f"{totals}\n\n{ratios}" if layers else totals


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--content", type=Path, required=True, help="the photograph of Tübingen, 1024 x 768")
    parser.add_argument("--style", type=Path, required=True, help="the Starry Night, 970 x 768")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=["torch"])
    parser.add_argument("--edge-size", type=int, help="another size, to try the script; means nothing")
    parser.add_argument("--evaluations", type=int, help="go no further than this")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    content, style = read_image(arguments.content), read_image(arguments.style)
    log, pictures = arguments.output / "gatys_trace.jsonl", dict[str, Tensor]()
    for name in arguments.stages:
        stage = STAGES[name]
        if stage.after is not None and stage.after not in pictures:
            parser.error(f"{name} begins with the picture of {stage.after}: name both stages, in that order.")
        if arguments.edge_size:
            stage = stage._replace(edge_size=arguments.edge_size)
        limit = arguments.evaluations or max(stage.published)
        wanted = {number: losses for number, losses in stage.published.items() if number <= limit}
        checkpoint = arguments.output / f"gatys-trace-{name}.pt"
        init = None if stage.after is None else pictures[stage.after]
        run = Run(content, style, stage, checkpoint=checkpoint, device=arguments.device, init=init)
        pictures[name] = trace(run, name, published=wanted, log=log)
        write_image(pictures[name].cpu(), arguments.output / f"gatys-trace-{name}.png")
    print(report(read(log)))


if __name__ == "__main__":
    main()
