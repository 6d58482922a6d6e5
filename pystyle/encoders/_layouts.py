"""Where the outputs of modules have their rows, columns and channels, found out by varying the image."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

Size = tuple[int, int]
Shape = tuple[int, ...]


class Layout(NamedTuple):
    """The axes of an output: batch, channels, rows and columns, or batch, channels and tokens, in any order.

    Tokens are the positions row by row, after a number of further ones such as the class token.
    """

    batch: int
    channels: int
    positions: tuple[int, ...]
    stride: int
    num_prefix_tokens: int = 0

    def as_map(self, output: Tensor, size: Size) -> Tensor:
        """The output for an image of this size as (batch, channels, rows, columns).

        Raises:
            ValueError: If the tokens are no grid.
        """
        features = output.permute(self.batch, self.channels, *self.positions)
        if len(self.positions) == 2:
            return features
        tokens = features[:, :, self.num_prefix_tokens :]
        rounded_down = size[0] // self.stride, size[1] // self.stride
        rounded_up = -(-size[0] // self.stride), -(-size[1] // self.stride)
        for rows, columns in (rounded_down, rounded_up):
            if rows * columns == tokens.shape[2]:
                return tokens.reshape(*tokens.shape[:2], rows, columns)
        raise ValueError(
            f"The tokens of an image must be a grid of stride {self.stride}, got {tokens.shape[2]} for "
            f"{size[0]} x {size[1]} pixels. Build the encoder with `size_multiple={self.stride}`."
        )


def layout_from_growth(shapes: Sequence[Shape], side: int) -> Layout | None:
    """The layout by the shapes for a square image, one that is twice as tall and one twice as wide."""
    square, tall, wide = shapes
    if not len(square) == len(tall) == len(wide):
        return None
    more_rows = [new - old for new, old in zip(tall, square, strict=True)]
    more_columns = [new - old for new, old in zip(wide, square, strict=True)]
    rows = [axis for axis, more in enumerate(more_rows) if more]
    columns = [axis for axis, more in enumerate(more_columns) if more]
    if len(rows) != 1 or len(columns) != 1:
        return None
    growth = more_rows[rows[0]]
    if growth != more_columns[columns[0]] or growth < 1:
        return None
    if len(square) == 4 and rows != columns:
        return _layout(square, (rows[0], columns[0]), side / growth)
    if len(square) == 3 and rows == columns:
        # Tokens: the growth is the number of positions of the square itself.
        return _layout(square, (rows[0],), side / math.sqrt(growth), square[rows[0]] - growth)
    return None


def layout_of_square(shape: Shape, side: int) -> Layout | None:
    """The likely layout by the shape for a square image: channels first, else channels last, else tokens."""
    if len(shape) == 4:
        for rows, columns in ((2, 3), (1, 2)):
            if shape[rows] == shape[columns] > 1 and side % shape[rows] == 0:
                return _layout(shape, (rows, columns), side / shape[rows])
    if len(shape) == 3:
        grid = math.isqrt(shape[1])
        if grid > 1 and side % grid == 0:
            return _layout(shape, (1,), side / grid, shape[1] - grid**2)
    return None


def _layout(
    shape: Shape, positions: tuple[int, ...], stride: float, num_prefix_tokens: int = 0
) -> Layout | None:
    batch = 1 if 0 in positions else 0
    (channels,) = set(range(len(shape))) - {batch, *positions}
    # The shapes are those of one image: a longer axis in its place is none of images.
    if shape[batch] != 1 or stride != int(stride) or num_prefix_tokens < 0:
        return None
    return Layout(batch, channels, positions, int(stride), num_prefix_tokens)
