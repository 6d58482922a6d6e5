"""What `pystyle paint` does with a photograph."""

import time
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from pystyle._arguments import explained_allocations
from pystyle._wrapping import nearest_multiples
from pystyle.checkpoints import fingerprint
from pystyle.cli._picture import size_of
from pystyle.colors._transfer import in_colors
from pystyle.images import resize
from pystyle.networks import Painter
from pystyle.runner import Result
from pystyle.typing import Colors


@explained_allocations("Painting the picture")
def painted(
    paint: Painter, photograph: Tensor, size: tuple[int, int], *, strength: float, colors: Colors
) -> Tensor:
    """The picture of a photograph.

    Args:
        paint: The network with its style.
        photograph: The photograph.
        size: Height and width of the picture; sides that wrap are rounded to multiples of the stride.
        strength: How much of the style, from 0 to 1.
        colors: Whose: ``"style"``; ``"content"``, its colours as a whole; ``"luminance"``, its colours at
            each pixel.
    """
    size = nearest_multiples(size, paint.wrap, paint.network.stride)
    content = resize(photograph, size, wrap=paint.wrap)
    return in_colors(paint(content, strength=strength), content, colors)


class PaintingRecipe:
    """What is done to each photograph of a folder. Its public attributes are what a job is told by.

    Args:
        paint: The network with its style.
        styles: The names of the styles.
        edge_size: The short edge of the pictures, or the name of that of a photograph.
        strength: How much of the style.
        colors: Whose colours.
    """

    def __init__(
        self, paint: Painter, *, styles: Sequence[str], edge_size: int | str, strength: float, colors: Colors
    ) -> None:
        self._paint = paint
        self.network, self.precision = type(paint.network).__name__, paint.precision
        self.weights = fingerprint(paint.network)
        self.code = fingerprint(list(paint.codes.values()))
        self.styles, self.edge_size = list(styles), edge_size
        self.strength, self.colors = strength, colors
        self.wrap = paint.wrap

    def __call__(self, image: Tensor, style: Any, *, alpha: Tensor | None = None) -> Result:
        """The picture, as transparent as the photograph."""
        del style  # It is in the painter.
        start, size = time.perf_counter(), size_of(image, self.edge_size)
        picture = painted(self._paint, image, size, strength=self.strength, colors=self.colors)
        if alpha is not None:
            exactly = (picture.shape[2], picture.shape[3])
            alpha = resize(alpha, exactly, interpolation="bilinear", wrap=self._paint.wrap)
        return Result(picture, {}, "finished", time.perf_counter() - start, alpha=alpha)
