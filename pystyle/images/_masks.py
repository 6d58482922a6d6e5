"""Masks in files: a folder with a grey image for each region."""

import os
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pystyle.images._errors import ImageReadError
from pystyle.images._read import DEFAULT_MAX_PIXELS, read_image
from pystyle.images._write import write_image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pgm")
_GREY_TOLERANCE = 0.05


def read_mask(source: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Tensor:
    """The mask in a grey image file: white is inside; black, and what is transparent, outside.

    Args:
        source: Path of the file; see :func:`read_image`.
        max_pixels: Largest accepted product of width and height; see :func:`read_image`.

    Returns:
        A mask for :class:`~pystyle.MaskedImage`.

    Raises:
        ImageReadError: If the file cannot be read, or is coloured.

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
    if float((image.amax(1) - image.amin(1)).max()) > _GREY_TOLERANCE:
        raise ImageReadError(
            f"Cannot take '{os.fspath(source)}' for a mask: it is coloured. Make it grey, or read an image "
            "with a colour for each region with `masks_from_segmentation`."
        )
    return image.mean(1, keepdim=True)


def read_masks(folder: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> dict[str, Tensor]:
    """The masks in a folder, by the names of their files.

    Args:
        folder: A folder with a grey image for each region, such as ``sky.png``. Other files, and those
            whose names begin with a dot, are left alone.
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
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageReadError(f"Cannot read masks from '{folder}': it is not a folder.")
    files = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.name[0] != "."
    )
    if not files:
        raise ImageReadError(
            f"Cannot read masks from '{folder}': it has no image. Put a grey one there for each region."
        )
    names = [path.stem for path in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ImageReadError(f"Cannot read masks from '{folder}': two files are named {twice!r}.")
    return {path.stem: read_mask(path, max_pixels=max_pixels) for path in files}


def write_masks(masks: Mapping[str, Tensor], folder: str | os.PathLike[str]) -> None:
    """Write a grey PNG for each mask into a folder, which is made if it is not there.

    Args:
        masks: The masks by the names of their regions, which become the names of the files.
        folder: The folder.

    Raises:
        ValueError: If a name cannot be that of a file.

    Shape:
        - masks: (1, 1, height, width), in [0, 1] or booleans

    Example:
        >>> import tempfile
        >>> import torch
        >>> write_masks({"sky": torch.ones(1, 1, 2, 2)}, tempfile.mkdtemp())
    """
    folder = Path(folder)
    for name in masks:
        if not name or name[0] == "." or Path(name).name != name:
            raise ValueError(f"The names of `masks` must be possible names of files, got {name!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in masks.items():
        image = mask.float() if not mask.is_floating_point() else mask
        write_image(image.expand(1, 3, -1, -1), folder / f"{name}.png")
