"""Several images in one picture."""

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.images._levels import check_single_image
from pystyle.images._pil import check_background
from pystyle.images._resize import resize
from pystyle.images._sources import Picture, as_image, is_picture

_FONT_SIZE = 16
_TITLE_HEIGHT = 24


def contact_sheet(
    images: Sequence[Picture] | Sequence[Sequence[Picture]],
    *,
    columns: int | None = None,
    height: int = 256,
    gap: int = 8,
    titles: Sequence[str] | Sequence[Sequence[str]] | None = None,
    captions: Sequence[str] | Sequence[Sequence[str]] | None = None,
    background: Sequence[float] = (1.0, 1.0, 1.0),
) -> Tensor:
    """Returns one picture in which several images, of any sizes, stand in rows and columns.

    Each image is brought to the same height and centred in its column, above it its title and below
    it its caption. A column is as wide as the widest of them in it.

    Args:
        images: Rows of images, of which the last may be shorter; or a flat sequence. Each is a tensor or
            anything that `as_image` takes.
        columns: Number of images per row of a flat sequence; None puts all of them in one row.
        height: Height of every image in pixels.
        gap: Pixels around and between the images.
        titles: One text for each image, nested or flat as `images` are. "" leaves the place empty.
        captions: Likewise, for below the images.
        background: Colour, RGB in [0, 1], around the images. Texts are black on a light one and white on a
            dark one.

    Returns:
        A new float32 tensor on the CPU.

    Raises:
        TypeError: An image is none, or a tensor that is not floating.
        ValueError: There are no images, an image cannot be shown, the number of titles or captions is not the
            number of images, or an argument is out of its range.

    Shape:
        Input: each ``([1,] channels, height, width)``, one or three channels in [0, 1].
        Output: ``(1, 3, sheet height, sheet width)``.

    Example:
        >>> import torch
        >>> images = [torch.rand(1, 3, 20, 20), torch.rand(3, 40, 80), torch.rand(1, 10, 10)]
        >>> contact_sheet(images, columns=2, height=50, gap=10).shape
        torch.Size([1, 3, 130, 180])
    """
    check_background(background)
    if columns is not None:
        columns = whole_number(columns, "`columns`", least=1)
    height, gap = whole_number(height, "`height`", least=1), whole_number(gap, "`gap`", least=0)
    rows = _rows(images, columns)
    if not any(rows):
        raise ValueError("`images` must contain at least one image, got none.")
    cells = [[_cell(image, height) for image in row] for row in rows]
    # From top to bottom what a row of the sheet is made of.
    bands = [
        *([_strips(titles, "titles", rows, columns, background)] if titles is not None else []),
        cells,
        *([_strips(captions, "captions", rows, columns, background)] if captions is not None else []),
    ]
    return _assembled(bands, gap, background)[None]


def _assembled(bands: list[list[list[Tensor]]], gap: int, background: Sequence[float]) -> Tensor:
    widths = [
        max(piece.shape[2] for piece in column if piece is not None)
        for column in zip_longest(*(row for band in bands for row in band))
    ]
    heights = [max(piece.shape[1] for row in band for piece in row) for band in bands]
    count, pitch = len(bands[0]), sum(heights) + gap
    sheet = _filled(gap + count * pitch, gap + sum(width + gap for width in widths), background)
    for index in range(count):
        top = gap + index * pitch
        for band, height in zip(bands, heights, strict=True):
            left = gap
            for width, piece in zip(widths, band[index], strict=False):
                _paste(piece, sheet, top, left, width)
                left += width + gap
            top += height
    return sheet


def _paste(piece: Tensor, sheet: Tensor, top: int, left: int, width: int) -> None:
    left += (width - piece.shape[2]) // 2
    sheet[:, top : top + piece.shape[1], left : left + piece.shape[2]] = piece


def _cell(image: Picture, height: int) -> Tensor:
    image = image if isinstance(image, Tensor) else as_image(image)
    single = check_single_image(image).to("cpu", torch.float32).clamp(0, 1)
    return resize(single.expand(3, -1, -1)[None], height, edge="height")[0]


def _strips(
    texts: Sequence[str] | Sequence[Sequence[str]],
    name: str,
    rows: list[list[Any]],
    columns: int | None,
    background: Sequence[float],
) -> list[list[Tensor]]:
    found = _rows(texts, columns)
    if [len(row) for row in found] != [len(row) for row in rows]:
        raise ValueError(
            f"`{name}` must have one text for each image, got rows of {[len(row) for row in found]} {name} "
            f"for rows of {[len(row) for row in rows]} images."
        )
    return [[_strip(text, background) for text in row] for row in found]


def _strip(text: str, background: Sequence[float]) -> Tensor:
    text = " ".join(text.split())  # Pillow cannot measure several lines.
    font = ImageFont.load_default(_FONT_SIZE)
    ink = Image.new("L", (math.ceil(font.getlength(text)) or 1, _TITLE_HEIGHT))
    ImageDraw.Draw(ink).text((0, 0), text, fill=255, font=font)
    opacity = torch.from_numpy(np.array(ink, dtype=np.float32)) / 255
    ground = _filled(opacity.shape[0], opacity.shape[1], background)
    colour = 0.0 if ground[:, 0, 0].mean() > 0.5 else 1.0
    return torch.lerp(ground, torch.full_like(ground, colour), opacity)


def _filled(height: int, width: int, colour: Sequence[float]) -> Tensor:
    return torch.tensor(colour, dtype=torch.float32, device="cpu")[:, None, None].repeat(1, height, width)


def _rows(items: Sequence[Any], columns: int | None) -> list[list[Any]]:
    flat = [item for item in items if is_picture(item)]
    if not flat:
        if columns is not None and len(items):
            raise ValueError(f"`columns` is for a flat sequence; the rows are given already, got {columns}.")
        return [list(row) for row in items]
    if len(flat) != len(items):
        raise ValueError(
            "`images` and `titles` must be rows or flat, got a mixture. Put every row in a list."
        )
    step = columns or len(flat)
    return [flat[start : start + step] for start in range(0, len(flat), step)]
