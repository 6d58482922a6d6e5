import io
import os
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pystyle._arguments import float_type, path_of, whole_number
from pystyle.images._atomic import checked_place, put_in_place, temporary_file
from pystyle.training._draws import Draws, Images, images_of

_KIND = "file of crops"


class CropFile(Dataset[Tensor]):
    """Crops in one file, which is mapped into memory and not read into it.

    A training that reads photographs decodes each of them again and again. Here they are cropped once, and
    lie as bytes, one behind the other, in a file of NumPy's format (`.npy`). Processes share it, only what a
    step needs is read, and it moves to another machine as one file.

    Args:
        path: The file, as :meth:`write` makes it.

    Raises:
        ValueError: If the file has no crops.
        OSError: If it cannot be read.

    Shape:
        - output: (3, height, width), RGB in [0, 1], on the CPU

    Example:
        >>> import tempfile, torch
        >>> path = tempfile.mkdtemp() + "/crops.npy"
        >>> crops = CropFile.write(path, torch.rand(2, 3, 40, 60), count=8, crop_size=32)
        >>> len(crops), crops[0].shape
        (8, torch.Size([3, 32, 32]))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Copies map it, too, and the program may have gone to another folder.
        self.path = path_of(path).absolute()
        try:
            self._crops = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(_refused(path, str(error))) from error
        if not isinstance(self._crops, np.ndarray):
            self._crops.close()
            raise ValueError(_refused(path, "It is an archive of arrays."))
        shape = self._crops.shape
        if self._crops.dtype != np.uint8 or len(shape) != 4 or shape[1] != 3 or 0 in shape:
            raise ValueError(_refused(path, f"It has {self._crops.dtype} of the shape {shape}."))

    @classmethod
    def write(
        cls,
        path: str | os.PathLike[str],
        images: Images | Tensor,
        *,
        count: int,
        crop_size: int,
        seed: int = 0,
    ) -> Self:
        """Draw crops as a training draws them, and write them to a file.

        Args:
            path: The file; what is there is replaced when all is written.
            images: What they are cut out of: a tensor, a list of tensors (3, height, width), an
                :class:`ImageFolder`, or any dataset of torch.
            count: How many; each image comes once before one comes twice.
            crop_size: The edge of a crop in pixels. A phase of :func:`train` with smaller crops cuts them out
                of these.
            seed: Of all that is drawn.

        Returns:
            The crops in the file.

        Raises:
            ValueError: If a number is not positive, or there are no images.
            OSError: If the file cannot be written; what was there is left as it was.
        """
        draws = Draws(images_of(images, "images"), (whole_number(seed, "`seed`", least=0), 0), label="images")
        count = whole_number(count, "`count`", least=1)
        size = whole_number(crop_size, "`crop_size`", least=1)
        place = checked_place(path, kind=_KIND)
        # Not through a map: a disk that is full would end the process.
        with temporary_file(place, _pieces(draws, count, size)) as temporary:
            put_in_place(temporary, place)
        return cls(place)

    @property
    def description(self) -> dict[str, Any]:
        """What tells it from another file, wherever it lies: how many crops, of which size, and some of
        them."""
        some = np.linspace(0, len(self) - 1, num=min(len(self), 16)).round().astype(int)
        return {"shape": list(self._crops.shape), "some": torch.from_numpy(self._crops[some])}

    def __len__(self) -> int:
        """The number of crops."""
        return len(self._crops)

    def __getitem__(self, index: int) -> Tensor:
        """A crop."""
        if not 0 <= index < len(self):
            raise IndexError(f"The file has {len(self)} crops, got the index {index}.")
        return (torch.from_numpy(np.array(self._crops[index])).float() / 255).to(float_type())

    def __getstate__(self) -> dict[str, Any]:
        """The path alone: a process that gets it maps the file itself."""
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]


def _pieces(draws: Draws, count: int, size: int) -> Iterator[bytes]:
    """The bytes of the file, of which only a crop is in memory at a time."""
    head = io.BytesIO()
    shape = (count, 3, size, size)
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    yield head.getvalue()
    for position in range(count):
        crop = (draws.image(position, size) * 255).round().byte().cpu()
        yield crop.contiguous().numpy().tobytes()


def _refused(path: str | os.PathLike[str], reason: str) -> str:
    return f"`path` must be a file that `CropFile.write` has written, got '{os.fspath(path)}'. {reason}"
