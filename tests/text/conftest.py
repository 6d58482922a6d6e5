"""An encoder whose space is known: the mean colour of an image, and the names of colours."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize


class Colours:
    """Knows the mean colour of an image, and words for colours."""

    words: ClassVar = {
        "red": (1.0, 0.0, 0.0),
        "green": (0.0, 1.0, 0.0),
        "blue": (0.0, 0.0, 1.0),
        "cyan": (0.0, 1.0, 1.0),
        "grey": (1.0, 1.0, 1.0),
        "a photo": (1.0, 1.0, 1.0),
    }

    def encode_images(self, images: Tensor) -> Tensor:
        """The mean colour."""
        return normalize(images.mean((2, 3)), dim=1, eps=1e-6)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """The colour of the last word that is known."""
        names = [max(self.words, key=text.rfind) for text in texts]
        return normalize(torch.tensor([self.words[name] for name in names]), dim=1)


@pytest.fixture
def colours() -> Colours:
    """The encoder."""
    return Colours()


@pytest.fixture(scope="session")
def plain() -> Callable[..., Tensor]:
    """A picture of one colour."""

    def make(*colour: float, size: tuple[int, int] = (8, 10), dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.tensor(colour, dtype=dtype).reshape(1, 3, 1, 1).expand(1, 3, *size).contiguous()

    return make
