"""Seconds and differences of exported networks: ONNX Runtime and torch by turns.

python benchmarks/exported_networks.py photo.jpg painting.jpg
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

from pystyle.images import read_image, resize
from pystyle.networks import pretrained
from pystyle.onnx import OnnxPainter

EDGE = 512
SIZES = (127, 254, 333)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photo", help="a photograph")
    parser.add_argument("painting", help="a painting, for the networks for any style")
    parser.add_argument("--rounds", type=int, default=5, help="how often each paints (default: %(default)s)")
    options = parser.parse_args()
    photo, painting = read_image(options.photo), read_image(options.painting, edge_size=256)
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    for name in ("masters", "any-style-light", "any-style"):
        print(line(name, photo, painting, options.rounds), flush=True)


def line(name: str, photo: Tensor, painting: Tensor, rounds: int) -> str:
    network = pretrained(name)
    style = network.styles[0] if network.styles else painting
    paint = network.bind(style)
    square = resize(photo, (EDGE, EDGE)).clamp(0, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        network.export(path, style=style)
        exported = OnnxPainter(path)
        seconds: dict[str, list[float]] = {"torch": [], "ONNX Runtime": []}
        for _ in range(rounds + 1):
            start = time.perf_counter()
            wanted = paint(square)
            between = time.perf_counter()
            found = exported(square.numpy())
            seconds["torch"].append(between - start)
            seconds["ONNX Runtime"].append(time.perf_counter() - between)
        differences = [np.abs(found - wanted.numpy()).max()]
        for edge in SIZES:
            content = resize(photo, edge).clamp(0, 1)
            differences.append(np.abs(exported(content.numpy()) - paint(content).numpy()).max())
        megabytes = path.stat().st_size / 1e6
    # The first of each warms up.
    timed = ", ".join(f"{kind} {median(values[1:]):.2f} s" for kind, values in seconds.items())
    return f"{name}: {megabytes:.1f} MB, difference {max(differences):.1e}, {timed}"


if __name__ == "__main__":
    main()
