import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pystyle._arguments import float_type, number, path_of, whole_number
from pystyle.images import read_image, resize
from pystyle.images._formats import EXTENSIONS
from pystyle.images._read import DEFAULT_MAX_PIXELS


class ImageFolder(Dataset[Tensor]):
    """The images of a folder and the folders in it, as random crops.

    Names that begin with a dot are left out. An image is resized by a random factor, cropped, and mirrored
    half of the time. What is drawn comes from torch's global generator, as that of the transforms of
    torchvision does; :func:`train` sets it for each image.

    Args:
        folder: The folder.
        crop_size: The edge of a crop in pixels; None for whole images.
        scales: The short side of a resized image, as multiples of `crop_size`: from the smallest to the
            largest. It is never larger than the image itself, unless that is smaller than the crop.
        mirror: Whether half of the crops are mirrored.
        augment: Called with each crop, of shape (3, height, width); a transform of
            `torchvision.transforms.v2`, say.
        in_memory: Keep the images as bytes in memory, so that each is read once: 3 bytes a pixel.
        max_pixels: Largest accepted product of width and height of an image.

    Raises:
        ValueError: If the folder has no images, or a number is impossible.
        NotADirectoryError: If there is no such folder.

    Shape:
        - output: (3, height, width), RGB in [0, 1], on the CPU

    Example:
        >>> import tempfile, torch
        >>> from pystyle.images import write_image
        >>> folder = tempfile.mkdtemp()
        >>> write_image(torch.rand(1, 3, 40, 60), folder + "/photo.png")
        >>> ImageFolder(folder, crop_size=32)[0].shape
        torch.Size([3, 32, 32])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        crop_size: int | None = 256,
        scales: tuple[float, float] = (1.0, 2.0),
        mirror: bool = True,
        augment: Callable[[Tensor], Tensor] | None = None,
        in_memory: bool = False,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        # The program may go to another folder.
        self.folder = path_of(folder).absolute()
        if not self.folder.is_dir():
            raise NotADirectoryError(f"`folder` must be a folder with images, got '{folder}', which is none.")
        self.paths: Sequence[Path] = sorted(
            path
            for path in self.folder.rglob("*")
            if path.suffix.lower() in EXTENSIONS and path.is_file() and not self._is_hidden(path)
        )
        if not self.paths:
            raise ValueError(f"`folder` must have images in it, got '{folder}' with none that can be read.")
        self.crop_size = None if crop_size is None else whole_number(crop_size, "`crop_size`", least=1)
        low, high = (number(scale, "`scales`", least=1) for scale in scales)
        if low > high:
            raise ValueError(f"`scales` must go from the smallest to the largest, got {scales}.")
        self.scales, self.mirror, self.augment, self.in_memory = (low, high), mirror, augment, in_memory
        self.max_pixels = whole_number(max_pixels, "`max_pixels`", least=1)
        self._kept: dict[int, np.ndarray] = {}

    @property
    def description(self) -> dict[str, Any]:
        """What tells it from another folder, wherever it lies: its files, and how crops are made of them."""
        names = [path.relative_to(self.folder).as_posix() for path in self.paths]
        options = {"crop_size": self.crop_size, "scales": self.scales, "mirror": self.mirror}
        return {"files": names, **options, "augment": self.augment}

    def __len__(self) -> int:
        """The number of images."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        """A crop of an image."""
        if not 0 <= index < len(self):
            raise IndexError(f"The folder has {len(self)} images, got the index {index}.")
        # Whatever torch's default device is: processes that read have no accelerator, and what `augment`
        # draws is the same everywhere.
        with torch.device("cpu"):
            image = self._image(index)
            if self.crop_size is not None:
                image = self._crop(image, self.crop_size)
            if self.mirror and bool(torch.rand((), dtype=torch.float32) < 0.5):
                image = image.flip(2)
            return image if self.augment is None else self.augment(image)

    def _is_hidden(self, path: Path) -> bool:
        """Whether it is none of the pictures, such as what a Mac keeps beside each: ``._photo.jpg``."""
        return any(name.startswith(".") for name in path.relative_to(self.folder).parts)

    def _image(self, index: int) -> Tensor:
        if not self.in_memory:
            return self._read(index)
        if index not in self._kept:
            self._kept[index] = (self._read(index) * 255).round().byte().numpy()
        return (torch.from_numpy(self._kept[index]).float() / 255).to(float_type())

    def _read(self, index: int) -> Tensor:
        return read_image(self.paths[index], max_pixels=self.max_pixels)[0]

    def _crop(self, image: Tensor, size: int) -> Tensor:
        low, high = self.scales
        short = min(image.shape[1:])
        edge = int(size * (low + (high - low) * float(torch.rand((), dtype=torch.float32))))
        edge = max(min(edge, short), size)
        # The part of the image that the crop is made of; only that is resized.
        part = min(round(size * short / edge), short)
        top, left = (int(torch.randint(side - part + 1, ())) for side in image.shape[1:])
        piece = image[None, :, top : top + part, left : left + part]
        return piece[0] if part == size else resize(piece, size, edge="short")[0].clamp(0, 1)
