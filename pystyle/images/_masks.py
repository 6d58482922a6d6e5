"""Masks in files: a folder with a grey image for each region."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from torch import Tensor

from pystyle._arguments import check_mapping, path_of
from pystyle.images._errors import ImageReadError
from pystyle.images._formats import is_image_file
from pystyle.images._read import DEFAULT_MAX_PIXELS, read_image
from pystyle.images._resize import Edge, resize
from pystyle.images._write import write_image

_GREY_TOLERANCE = 0.05

_BRIGHTEST_LABEL = 32
"""Of 255. A mask that is nowhere brighter has hardly an inside; numbers of regions are so."""


def read_mask(
    source: str | os.PathLike[str] | IO[bytes],
    *,
    edge_size: int | None = None,
    edge: Edge = "short",
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Tensor:
    """The mask in a grey image file: white is inside; black, and what is transparent, outside.

    Args:
        source: Path of the file, or a binary file object; see :func:`read_image`.
        edge_size: Length in pixels that one edge gets, as in :func:`read_image`; None keeps the size.
        edge: Which edge has that length: "short", "long", "height" or "width".
        max_pixels: Largest accepted product of width and height; see :func:`read_image`.

    Returns:
        A mask for :class:`~pystyle.MaskedImage`.

    Raises:
        ImageReadError: If the file cannot be read, is coloured, or has numbers of regions instead of black
            and white: its brightest value is above 0, but at most 32/255.

    Shape:
        - output: (1, 1, height, width), in [0, 1]

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import torch
        >>> path = Path(tempfile.mkdtemp(), "sky.png")
        >>> write_image(torch.tensor([1.0, 0.0]).expand(1, 3, 2, 2), path)
        >>> read_mask(path)[0, 0]
        tensor([[1., 0.],
                [1., 0.]])
    """
    image = read_image(source, background=(0.0, 0.0, 0.0), max_pixels=max_pixels)
    what = f"'{os.fspath(source)}'" if isinstance(source, str | os.PathLike) else "the stream"
    if float((image.amax(1) - image.amin(1)).max()) > _GREY_TOLERANCE:
        raise ImageReadError(
            f"Cannot take {what} for a mask: it is coloured. Make it grey, or read an image with a colour "
            "for each region with `masks_from_segmentation`."
        )
    mask = image.mean(1, keepdim=True)
    brightest = float(mask.max())
    if 0 < brightest * 255 < _BRIGHTEST_LABEL + 0.5:
        raise ImageReadError(
            f"Cannot take {what} for a mask: its brightest value is {_as_level(brightest)}. Is this a label "
            "image, with a number for each region? Read it with `masks_from_segmentation(read_image(...))`, "
            "or make white of what is inside."
        )
    return mask if edge_size is None else resize(mask, edge_size, edge=edge, interpolation="bilinear")


def _as_level(value: float) -> str:
    most = 255 if round(value * 255, 3) % 1 == 0 else 65535
    return f"{round(value * most)}/{most}"


def read_masks(
    folder: str | os.PathLike[str],
    *,
    edge_size: int | None = None,
    edge: Edge = "short",
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> dict[str, Tensor]:
    """The masks in a folder, by the names of their files.

    Args:
        folder: A folder with a grey image for each region, such as ``sky.png``. Files that are no images by
            their names nor their first bytes, and those whose names begin with a dot, are left alone.
        edge_size: Length in pixels that one edge of each gets; None keeps the sizes. With the `edge_size` of
            :func:`read_image` they have the size of their image.
        edge: Which edge has that length: "short", "long", "height" or "width".
        max_pixels: Largest accepted product of width and height of each; see :func:`read_image`.

    Returns:
        The masks of :func:`read_mask`, in alphabetical order.

    Raises:
        ImageReadError: If there are none, two have one name, or one cannot be read.

    Example:
        >>> import tempfile
        >>> import torch
        >>> sky = torch.tensor([1.0, 0.0]).expand(1, 1, 2, 2)
        >>> folder = tempfile.mkdtemp()
        >>> write_masks({"sky": sky, "ground": 1 - sky}, folder)
        >>> list(read_masks(folder))
        ['ground', 'sky']
    """
    folder = path_of(folder)
    if not folder.is_dir():
        raise ImageReadError(f"Cannot read masks from '{folder}': it is not a folder.")
    files = sorted(
        path for path in folder.iterdir() if path.name[0] != "." and path.is_file() and is_image_file(path)
    )
    if not files:
        raise ImageReadError(
            f"Cannot read masks from '{folder}': it has no image. Put a grey one there for each region."
        )
    names = [path.stem for path in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ImageReadError(f"Cannot read masks from '{folder}': two files are named {twice!r}.")
    return {
        path.stem: read_mask(path, edge_size=edge_size, edge=edge, max_pixels=max_pixels) for path in files
    }


def write_masks(masks: Mapping[str, Tensor], folder: str | os.PathLike[str]) -> None:
    """Write a grey PNG for each mask into a folder, which is made if it is not there.

    Args:
        masks: The masks by the names of their regions, which become the names of the files.
        folder: The folder.

    Raises:
        ValueError: If a name cannot be that of a file, or a mask has another shape.

    Shape:
        - masks: (1, 1, height, width), in [0, 1] or booleans

    Example:
        >>> import tempfile
        >>> import torch
        >>> write_masks({"sky": torch.ones(1, 1, 2, 2)}, tempfile.mkdtemp())
    """
    check_mapping(masks, "`masks`", '{"sky": mask}')
    folder = path_of(folder)
    for name, mask in masks.items():
        if not name or name[0] == "." or Path(name).name != name:
            raise ValueError(f"The names of `masks` must be possible names of files, got {name!r}.")
        if mask.ndim != 4 or mask.shape[:2] != (1, 1):
            raise ValueError(
                f"The mask {name!r} must have the shape (1, 1, height, width), got {tuple(mask.shape)}."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in masks.items():
        write_image(mask if mask.is_floating_point() else mask.float(), folder / f"{name}.png")
