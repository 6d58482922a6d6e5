from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.metrics._features import check_network
from pystyle.metrics._frechet_distance import frechet_distance
from pystyle.metrics._kernel_distance import KernelDistance, kernel_distance
from pystyle.metrics._precision_recall import PrecisionRecall, precision_recall
from pystyle.metrics._statistics import FeatureStatistics
from pystyle.metrics._versions import versions


@dataclass(frozen=True)
class SetComparison:
    """What :func:`compare_sets` found.

    Attributes:
        frechet: The Fréchet distance; the FID through :func:`published_inception`.
        kernel: The kernel distance with its deviation; then the KID.
        precision_recall: Quality and variety.
        count: How many pictures there were.
        reference_count: How many images of the reference.
        settings: What else the figures depend on, with how images were resized.
        versions: Of the packages that computed them.

    Example:
        >>> kernel, shares = KernelDistance(0.012, 0.001, 100), PrecisionRecall(0.5, 0.25)
        >>> print(SetComparison(20.5, kernel, shares, 100, 90, {"network": "Inception"}, {}))
        Fréchet distance 20.5, kernel distance 0.012 ± 0.001, precision 0.50, recall 0.25; 100 pictures ...
    """

    frechet: float
    kernel: KernelDistance
    precision_recall: PrecisionRecall
    count: int
    reference_count: int
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    def __str__(self) -> str:
        """The figures, with what they depend on."""
        precision, recall = self.precision_recall
        return (
            f"Fréchet distance {self.frechet:.4g}, kernel distance {self.kernel}, "
            f"precision {precision:.2f}, recall {recall:.2f}; "
            f"{self.count} pictures beside {self.reference_count}, {self.settings['network']}"
        )


def compare_sets(
    pictures: Iterable[Tensor],
    reference: Iterable[Tensor],
    network: Callable[[Tensor], Tensor],
    *,
    neighbors: int = 3,
    num_subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> SetComparison:
    """Compare two sets of images by what a network sees in them: the FID, the KID, precision and recall.

    Images come in any number of batches, of any sizes. Their features alone are kept, 8 KiB for each image
    with the network of the FID.

    Args:
        pictures: Batches of pictures.
        reference: Batches of what they are compared with, such as paintings.
        network: Gives features for a batch, such as :func:`published_inception`.
        neighbors: Of :func:`precision_recall`.
        num_subsets: Of :func:`kernel_distance`.
        subset_size: Of :func:`kernel_distance`.
        seed: Of :func:`kernel_distance`.

    Raises:
        TypeError: If a set is something else than batches, or `network` no function.
        ValueError: If a set has not more than `neighbors` images, or a number is not positive.

    Warns:
        UserWarning: If a set has no more images than the features have channels, with both numbers.

    Shape:
        - pictures, reference: each (batch, 3, height, width)
        - network: to (batch, channels)

    Example:
        >>> import torch
        >>> def mean_color(images):
        ...     return images.mean((2, 3))
        >>> pictures, paintings = torch.rand(8, 3, 4, 4), torch.rand(6, 3, 5, 5)
        >>> comparison = compare_sets(pictures.split(3), [paintings], mean_color)
        >>> comparison.count, comparison.reference_count, comparison.settings["network"]
        (8, 6, 'mean_color')
    """
    check_network(network, "`network`")
    own = _features(pictures, network, "`pictures`")
    other = _features(reference, network, "`reference`")
    statistics = []
    for features in (own, other):
        statistics.append(FeatureStatistics())
        statistics[-1].update(features)
    found = precision_recall(own, other, neighbors=neighbors)
    return SetComparison(
        frechet_distance(*statistics),
        kernel_distance(own, other, num_subsets=num_subsets, subset_size=subset_size, seed=seed),
        found,
        len(own),
        len(other),
        {"network": _name_of(network), "neighbors": neighbors, "num_subsets": num_subsets, "seed": seed},
        versions(),
    )


def _features(images: Iterable[Tensor], network: Callable[[Tensor], Tensor], label: str) -> Tensor:
    if isinstance(images, str | Tensor) or not hasattr(images, "__iter__"):
        files = "`map(read_image, paths)` or `DataLoader(images, batch_size=8)`"
        hint = "`images.split(8)`" if isinstance(images, Tensor) else files
        raise TypeError(f"{label} must be batches of images, got a {type(images).__name__}. Write {hint}.")
    with torch.no_grad():
        found = [network(_checked_batch(batch, label)) for batch in images]
    if not found:
        raise ValueError("`pictures` and `reference` must have at least one batch of images, got none.")
    return torch.cat(found)


def _checked_batch(batch: Any, label: str) -> Tensor:
    if not isinstance(batch, Tensor) or batch.ndim != 4:
        got = f"a tensor of shape {tuple(batch.shape)}" if isinstance(batch, Tensor) else type(batch).__name__
        raise TypeError(
            f"{label} must give batches of shape (batch, 3, height, width), got {got}. Images of a data set "
            "come in batches from `DataLoader(images, batch_size=8)`."
        )
    return batch


def _name_of(network: Callable[[Tensor], Tensor]) -> str:
    if isinstance(network, nn.Module):
        return f"{type(network).__name__}({network.extra_repr()})"
    return getattr(network, "__name__", type(network).__name__)
