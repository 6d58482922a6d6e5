import io
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pystyle.images import write_image


@dataclass(frozen=True)
class Encoding:
    """How the files of pictures are encoded.

    Attributes:
        extension: Which says the format, such as ``".png"``.
        bits: Bits per channel.
        quality: Of formats that lose something.

    Raises:
        ValueError: If there is no such format, or it does not go with the others.
    """

    extension: str
    bits: Literal[8, 16]
    quality: int

    def __post_init__(self) -> None:
        if not self.extension.startswith("."):
            raise ValueError(f"`extension` must begin with a dot, such as '.png', got {self.extension!r}.")
        try:
            self.encoded(torch.zeros(1, 3, 1, 1))
        except ValueError as error:
            raise ValueError(str(error).replace("`format`", "`extension`")) from error

    def encoded(self, image: Tensor) -> bytes:
        """The bytes of the file of a picture."""
        stream = io.BytesIO()
        write_image(image, stream, format=self.extension, bits=self.bits, quality=self.quality)
        return stream.getvalue()
