"""Images drawn from data as a function of a seed and a position, with no state to save."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pystyle.images import as_image, resize


class Images(Protocol):
    """Anything that has a length and gives an image for an index: a list of tensors, or a dataset.

    An image is a tensor of shape (3, height, width) in [0, 1], or whatever :func:`~pystyle.images.as_image`
    takes; of a tuple, such as an image with its label, the first item is. A training that goes on compares
    its class, its length, and what an attribute ``description`` says of its data, if there is one.

    Example:
        >>> import torch
        >>> images: Images = [torch.rand(3, 8, 8), torch.rand(3, 8, 6)]
    """

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int, /) -> Any:
        """One of them."""


class Draws:
    """The images that a training sees, at positions 0, 1, 2, and so on.

    Each image comes once before one comes twice. What the data draws from torch's global generator, as the
    transforms of torchvision do, depends on the seed and the position alone.

    Args:
        images: What is drawn from.
        seed: The seed.
        label: How errors call the images.
    """

    def __init__(self, images: Images, seed: Sequence[int], *, label: str) -> None:
        self.images, self.label = images, label
        self._seed = tuple(seed)

    def __len__(self) -> int:
        """How many different images there are."""
        return len(self.images)

    def index(self, position: int) -> int:
        """Which image is at a position."""
        epoch, place = divmod(position, len(self.images))
        order = torch.randperm(len(self.images), generator=_generator(*self._seed, 0, epoch), device="cpu")
        return int(order[place])

    def image(self, position: int, crop_size: int | None) -> Tensor:
        """The image at a position, or a random crop of it.

        Raises:
            TypeError: If the data gives no image.
            ValueError: If it leaves [0, 1].

        Shape:
            - output: (3, height, width)
        """
        with seeded(*self._seed, 1, position):
            image = checked(self.images[self.index(position)], self.label)
            return image if crop_size is None else _crop(image, crop_size)

    def paired_with(self, other: "Draws", position: int, crop_size: int | None) -> tuple[Tensor, Tensor]:
        """The images of both data with the number that is at a position, cropped alike.

        Raises:
            ValueError: If they differ in size.
        """
        number = self.index(position)
        found = []
        for draws in (self, other):
            with seeded(*self._seed, 1, position):
                found.append(checked(draws.images[number], draws.label))
        if found[0].shape != found[1].shape:
            sizes = " and ".join(f"{image.shape[1]} x {image.shape[2]}" for image in found)
            raise ValueError(
                f"`{self.label}` and `{other.label}` must have images of one size if they are paired, got "
                f"{sizes} for the number {number}."
            )
        if crop_size is None:
            return found[0], found[1]
        with seeded(*self._seed, 2, position):
            both = _crop(torch.cat(found), crop_size)
        return both[:3], both[3:]

    def batch(self, positions: Sequence[int], crop_size: int | None) -> Tensor:
        """The images at these positions.

        Raises:
            ValueError: If they differ in size and are not cropped.

        Shape:
            - output: (batch, 3, height, width)
        """
        return _stacked([self.image(position, crop_size) for position in positions], self.label)


def paired_batches(
    contents: Draws, styles: Draws, positions: Sequence[int], crop_size: int | None
) -> tuple[Tensor, Tensor]:
    """The contents at these positions, and the styles that belong to them."""
    pairs = [contents.paired_with(styles, position, crop_size) for position in positions]
    own, others = zip(*pairs, strict=True)
    return _stacked(own, contents.label), _stacked(others, styles.label)


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """What torch's global generator draws depends on these numbers alone; after it, on what was before."""
    before = torch.get_rng_state()
    try:
        _seed(_state(*numbers))
        yield
    finally:
        torch.set_rng_state(before)


def images_of(given: Any, label: str) -> Images:
    """What images are drawn from.

    Raises:
        TypeError: If it is nothing of this kind.
        ValueError: If there are none.
    """
    if not (hasattr(given, "__len__") and hasattr(given, "__getitem__")) or isinstance(given, str | Mapping):
        raise TypeError(
            f"`{label}` must be images: a tensor, a list of tensors (3, height, width), an ImageFolder or a "
            f"dataset with a length, got a {type(given).__name__}."
        )
    if len(given) == 0:
        raise ValueError(f"`{label}` must have at least one image, got none.")
    images: Images = given
    return images


def checked(item: Any, label: str) -> Tensor:
    """What data give for an index, as an image of shape (3, height, width).

    Raises:
        TypeError: If it is none.
        ValueError: If it leaves [0, 1].
    """
    if isinstance(item, tuple | list) and item:
        item = item[0]
    if isinstance(item, Tensor) and item.ndim == 3:
        item = item[None]
    try:
        # Whatever torch's default device is: batches are moved to the network.
        with torch.device("cpu"):
            return as_image(item)[0]
    except (TypeError, ValueError) as error:
        raise type(error)(f"`{label}` must give images of shape (3, height, width). {error}") from error


def _stacked(images: Sequence[Tensor], label: str) -> Tensor:
    sizes = {tuple(image.shape[1:]) for image in images}
    if len(sizes) > 1:
        found = " and ".join(f"{height} x {width}" for height, width in sorted(sizes)[:2])
        raise ValueError(
            f"`{label}` must give images of one size, because a batch is one tensor, got {found}. "
            "Give `crop_size`."
        )
    return torch.stack(list(images))


def _crop(image: Tensor, size: int) -> Tensor:
    if min(image.shape[1:]) < size:
        image = resize(image[None], size, edge="short")[0].clamp(0, 1)
    top, left = (int(torch.randint(edge - size + 1, (), device="cpu")) for edge in image.shape[1:])
    return image[:, top : top + size, left : left + size]


def _seed(state: int) -> None:
    """Seed torch's global generators."""
    # The function of torch for all of them takes a millisecond and a half, even where there is only one.
    if torch.accelerator.is_available():
        torch.manual_seed(state)
    else:
        torch.default_generator.manual_seed(state)


def _generator(*numbers: int) -> torch.Generator:
    return torch.Generator().manual_seed(_state(*numbers))


def _state(*numbers: int) -> int:
    """A number that looks random and depends on all of these."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
