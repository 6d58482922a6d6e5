"""Where the picture of a run goes, and where it goes if that does not take it."""

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from pystyle.cli._inputs import STANDARD_STREAM
from pystyle.images import resize, scaled_size, write_image
from pystyle.images._rescue import rescue_image
from pystyle.images._write import WITH_ALPHA, checked_format

_RESCUED_FROM_STREAM = "pystyle.png"


@dataclass(frozen=True)
class Saved:
    """Where a picture is.

    Attributes:
        place: For messages.
        problem: Why it is not where it should be; None if it is.
        path: The file that it is in instead; None if it is where it should be.
    """

    place: str
    problem: str | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Picture:
    """The file of a picture.

    Attributes:
        output: Its path, or ``-`` for standard output.
        encoding: Arguments of `write_image`.
        alpha: How opaque the photograph is; None if it is so everywhere.
    """

    output: str
    encoding: Mapping[str, Any] = field(default_factory=dict)
    alpha: Tensor | None = None

    def save(self, image: Tensor) -> Saved:
        """Write an image there, or elsewhere if that is impossible.

        Raises:
            Exception: If it cannot be written anywhere.
        """
        is_stream = self.output == STANDARD_STREAM
        place = "standard output" if is_stream else f"'{self.output}'"
        encoding = {**self.encoding, "alpha": self._alpha(image)}
        try:
            if is_stream:
                _write_to_standard_output(image, encoding)
            else:
                write_image(image, self.output, **encoding)
        except Exception as error:
            path = _RESCUED_FROM_STREAM if is_stream else self.output
            elsewhere = rescue_image(
                image,
                path,
                bits=encoding.get("bits", 8),
                metadata=encoding.get("metadata"),
                alpha=encoding["alpha"],
            )
            if elsewhere is None:
                raise
            reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
            problem = f"The picture could not be written to {place}: {reason}."
            return Saved(f"'{elsewhere}'", problem, elsewhere)
        return Saved(place)

    def _alpha(self, image: Tensor) -> Tensor | None:
        """How opaque the picture is, at its size."""
        if self.alpha is None:
            return None
        return resize(self.alpha, (image.shape[2], image.shape[3]), interpolation="bilinear")


def can_be_transparent(output: str) -> bool:
    """Whether a picture in this file, or in standard output, can be transparent."""
    return output == STANDARD_STREAM or checked_format(output) in WITH_ALPHA


def size_of(content: Tensor, edge_size: int | str | Sequence[int]) -> tuple[int, int]:
    """Height and width of the picture of a content, by its short edge or those of all levels."""
    height, width = content.shape[-2:]
    if isinstance(edge_size, str):  # The original size.
        return height, width
    return scaled_size((height, width), edge_size if isinstance(edge_size, int) else edge_size[-1])


def _write_to_standard_output(image: Tensor, encoding: Mapping[str, Any]) -> None:
    # At once: of a picture that cannot be encoded nothing should be in the stream.
    stream = io.BytesIO()
    write_image(image, stream, format="png", **encoding)
    sys.stdout.buffer.write(stream.getvalue())
    sys.stdout.buffer.flush()
