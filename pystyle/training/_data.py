"""The contents and styles of a training, checked before the first step."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset

from pystyle._arguments import whole_number
from pystyle.networks import Stylizer
from pystyle.networks._codes import check_picture, for_network
from pystyle.training._batches import Batch, Batches
from pystyle.training._crop_file import CropFile
from pystyle.training._draws import Draws, checked, images_of
from pystyle.training._image_folder import ImageFolder
from pystyle.training._phase import Phase
from pystyle.training._processes import processes


def described_images(images: Any) -> Any:
    """What tells one training's images from another's: themselves, if they are in memory, or their files.

    No image of a data set is read for it: what is drawn may differ each time.
    """
    if isinstance(images, Tensor | list | tuple):
        return images
    if isinstance(images, ImageFolder | CropFile):
        return images.description
    parts: dict[str, Any] = {"kind": f"{type(images).__qualname__} of {len(images)}"}
    if isinstance(images, TensorDataset):
        parts["tensors"] = images.tensors
    elif isinstance(images, Subset):
        parts["dataset"] = described_images(images.dataset)
        parts["indices"] = torch.tensor([int(index) for index in images.indices], device="cpu")
    elif isinstance(images, ConcatDataset):
        parts["datasets"] = [described_images(one) for one in images.datasets]
    elif hasattr(images, "description"):
        parts["description"] = images.description
    return parts


def learned_images(network: Stylizer, styles: Any) -> list[Tensor]:
    """One image for each style that the network learns by name.

    Raises:
        ValueError: If there are not as many, or one is too small.
    """
    images = images_of(styles, "styles")
    if len(images) != len(network.styles):
        raise ValueError(
            f"`styles` must have one image for each style of the network, {len(network.styles)}, got "
            f"{len(images)}. The styles are {', '.join(map(repr, network.styles))}."
        )
    found = [checked(images[index], "styles")[None] for index in range(len(images))]
    for image in found:
        check_picture(image, "styles", network)
    return [for_network(network, image) for image in found]


def batches_of(
    network: Stylizer,
    contents: Any,
    styles: Any,
    *,
    phases: Sequence[Phase],
    batch_size: int,
    num_parts: int,
    drawn: bool,
    paired: bool,
    seed: int,
) -> Batches:
    """The batches of a training, or the share of this process of them.

    Args:
        network: What they are for.
        contents: The contents.
        styles: The styles.
        phases: The phases.
        batch_size: Contents in a step.
        num_parts: How many batches a step sees, one behind the other.
        drawn: Whether styles are drawn; those that are learned by name may not be.
        paired: Whether the style of a content is that with its number.
        seed: Of all that is drawn.

    Raises:
        ValueError: If a size does not fit the network or the number of processes, or images have no pairs.
    """
    shared = processes()
    batch_size = whole_number(batch_size, "`batch_size`", least=1)
    for phase in phases:
        size, crop_size = phase.batch_size or batch_size, phase.crop_size
        if size % shared.count:
            raise ValueError(f"`batch_size` must be a multiple of the {shared.count} processes, got {size}.")
        if crop_size is not None and (crop_size % network.stride or crop_size < network.smallest):
            raise ValueError(
                f"`crop_size` must be a multiple of {network.stride} and at least {network.smallest} for a "
                f"{type(network).__name__}, got {crop_size}."
            )
    if paired and len(images_of(contents, "contents")) != len(images_of(styles, "styles")):
        raise ValueError(
            "`styles` must have as many images as `contents` if they are paired, got "
            f"{len(styles)} and {len(contents)}."
        )
    return Batches(
        Draws(images_of(contents, "contents"), (seed, 0), label="contents"),
        Draws(images_of(styles, "styles"), (seed, 1), label="styles") if drawn else None,
        num_styles=len(network.styles),
        phases=phases,
        batch_size=batch_size,
        num_parts=num_parts,
        paired=paired,
        rank=shared.index,
        num_ranks=shared.count,
    )


def read_batches(batches: Batches, start: int, num_workers: int, network: Stylizer) -> Iterator[Batch]:
    """The batches from a step on, on the device of the network."""
    loader: DataLoader[Batch] = DataLoader(
        batches,
        batch_size=None,
        sampler=range(start, len(batches)),
        num_workers=num_workers,
        # What the loader draws for its workers is nobody's business.
        generator=torch.Generator(),
    )
    # It draws a seed on torch's default device, though its generator is that of the CPU.
    with torch.device("cpu"):
        batches_read = iter(loader)
    for batch in batches_read:
        styles = batch.styles
        yield Batch(
            for_network(network, batch.contents),
            for_network(network, styles) if isinstance(styles, Tensor) else styles,
        )
