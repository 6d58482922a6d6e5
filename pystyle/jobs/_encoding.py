import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from pystyle.images import Metadata, read_metadata, write_image
from pystyle.images._pil import check_background
from pystyle.images._size_limits import check_size
from pystyle.images._write import WITH_ALPHA, checked_format


@dataclass(frozen=True)
class Encoding:
    """How the files of pictures are encoded.

    Attributes:
        extension: Which says the format, such as ``".png"``.
        bits: Bits per channel.
        quality: Of formats that lose something.
        keep_metadata: Whether pictures get the metadata of their images.
        background: The ground of images that are transparent; None if their pictures are to be so, too, where
            the format can.

    Raises:
        ValueError: If there is no such format, or it does not go with the others.
    """

    extension: str
    bits: Literal[8, 16]
    quality: int
    keep_metadata: bool = False
    background: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.extension.startswith("."):
            raise ValueError(f"`extension` must begin with a dot, such as '.png', got {self.extension!r}.")
        if self.background is not None:
            check_background(self.background)
        try:
            self.encoded(torch.zeros(1, 3, 1, 1, device="cpu"), Metadata() if self.keep_metadata else None)
        except ValueError as error:
            message = str(error).replace("`format`", "`extension`")
            raise ValueError(message.replace("`metadata`", "`keep_metadata`")) from error

    def metadata(self, path: Path) -> Metadata | None:
        """What the picture of an image says beside its pixels."""
        return read_metadata(path) if self.keep_metadata else None

    def check(self, size: tuple[int, int] | None, metadata: Metadata | None) -> None:
        """Check that a picture of this height and width can be encoded, before it is painted.

        Raises:
            ValueError: If it cannot.
        """
        self.encoded(torch.zeros(1, 3, 1, 1, device="cpu"), metadata)
        if size is not None:
            check_size(checked_format(None, format=self.extension), *size)

    @property
    def keeps_alpha(self) -> bool:
        """Whether pictures may be transparent."""
        return self.background is None and checked_format(None, format=self.extension) in WITH_ALPHA

    def encoded(self, image: Tensor, metadata: Metadata | None = None, alpha: Tensor | None = None) -> bytes:
        """The bytes of the file of a picture."""
        stream = io.BytesIO()
        write_image(
            image,
            stream,
            format=self.extension,
            bits=self.bits,
            quality=self.quality,
            metadata=metadata,
            alpha=alpha,
        )
        return stream.getvalue()
