"""What the notebooks of Gatys, Ecker and Bethge print of a run, and how each run is made.

`first` and `high-resolution` are leongatys/PytorchNeuralStyleTransfer, commit be6c8e2,
`NeuralStyleTransfer.ipynb`, which prints the total loss. `torch` and `torch-high-resolution` are
leongatys/NeuralImageSynthesis, commit cced0b9, `BasicStyleTransfer.ipynb`, which prints the loss of each
layer, too. Both take the same two files.
"""

from typing import Literal, NamedTuple

LAYERS = (
    "style.relu1_1", "style.relu2_1", "style.relu3_1", "style.relu4_1", "style.relu5_1", "content.relu4_2",
)  # fmt: skip


class Stage(NamedTuple):
    """One run of a notebook.

    Attributes:
        edge_size: The short side of the images, or with ``"torch"`` the root of their area.
        published: The losses by the number of evaluations: the total, and those of the layers if printed.
        variant: Which of both releases.
        antialias: Whether the images are filtered before they are made smaller.
        after: The run whose picture this one begins with; the content if none.
    """

    edge_size: int
    published: dict[int, dict[str, float]]
    variant: Literal["code", "torch"] = "code"
    antialias: bool = True
    after: str | None = None


def _totals(*totals: float) -> dict[int, dict[str, float]]:
    return {50 * number: {"total": total} for number, total in enumerate(totals, 1)}


def _layers(*rows: tuple[float, ...]) -> dict[int, dict[str, float]]:
    return {
        50 * number: dict(zip((*LAYERS, "total"), row, strict=True)) for number, row in enumerate(rows, 1)
    }


FIRST = _totals(
    1388532.5, 707860.75, 538045.44, 469374.88, 433804.63,
    411657.56, 395248.25, 383885.31, 375128.75, 368493.78,
)  # fmt: skip
TORCH = _layers(
    (42312.92, 281870.79, 81805.08, 477769.20, 6846.43, 370374.94, 1260979.36),
    (25844.77, 70588.66, 26393.47, 166011.84, 5498.00, 361751.84, 656088.59),
    (11745.42, 23107.85, 13837.14, 107255.06, 4748.59, 341582.97, 502277.02),
    (6378.08, 12368.51, 9342.43, 83739.62, 4325.31, 325341.06, 441495.01),
    (3775.39, 8331.00, 7018.47, 72154.75, 4103.38, 313242.56, 408625.55),
    (2387.91, 6060.61, 5608.92, 64865.09, 3964.38, 305028.25, 387915.16),
    (1586.46, 4507.14, 4841.89, 60689.75, 3885.83, 298607.28, 374118.34),
    (1075.30, 3393.06, 4332.29, 57683.71, 3799.40, 293678.59, 363962.35),
    (749.15, 2671.78, 3926.99, 55342.77, 3745.74, 290066.03, 356502.45),
    (539.91, 2173.59, 3653.82, 53720.32, 3715.57, 286966.88, 350770.08),
)
TORCH_HIGH = _layers(
    (897.82, 41997.93, 33281.61, 112886.85, 2112.49, 506174.88, 697351.58),
    (694.53, 9814.66, 9105.01, 50985.76, 1992.71, 422732.03, 495324.70),
    (659.88, 4972.97, 5135.02, 40072.49, 2152.83, 375831.63, 428824.82),
    (562.69, 3432.15, 3720.30, 35565.63, 2276.14, 348683.72, 394240.63),
)
STAGES = {
    "torch": Stage(512, TORCH, variant="torch"),
    "torch-high-resolution": Stage(1024, TORCH_HIGH, variant="torch", after="torch"),
    "first": Stage(512, FIRST),
    "first-aliased": Stage(512, FIRST, antialias=False),
    "high-resolution": Stage(
        800, _totals(393681.66, 318565.34, 288719.72, 272176.63), after="first"
    ),
}  # fmt: skip
