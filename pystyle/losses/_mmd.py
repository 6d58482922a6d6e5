from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from pystyle._arguments import number, seed_number, whole_number
from pystyle.functional import maximum_mean_discrepancy
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import Draws, with_options


class MMDLoss(Loss):
    """The squared maximum mean discrepancy of the features, estimated from random pairs of positions.

    A kernel says how similar two feature vectors are. If those of the image are as similar to each other as
    to those of the reference, on average, both have the same distribution, as far as the kernel sees.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the discrepancy of an all-zero map.
        reference: The name of the image to compare with.
        kernel: ``"linear"``, ``"polynomial"`` or ``"gaussian"``.
        degree: Of the polynomial kernel.
        offset: What the polynomial kernel adds to the product before it takes the power.
        bandwidth: The standard deviation of the Gaussian kernel; from the distances of the pairs if not
            given.
        resample: Draw other pairs at each evaluation, as the paper does. The loss is then another function
            each time, which L-BFGS does not take.
        seed: Determines the pairs, the same for every device.

    Raises:
        ValueError: If `kernel` is unknown, or `degree` or `bandwidth` is not positive.

    Example:
        >>> MMDLoss("relu3_1", kernel="polynomial", seed=1)
        MMDLoss('relu3_1', kernel='polynomial', seed=1)

    Note:
        Of two kernels all pairs of positions are as cheap: the linear one is :class:`MeanLoss` times the
        number of channels, and the polynomial one of degree 2 without offset is :class:`GramLoss` times its
        square. The estimate from pairs is noisy and may be negative.

        An image that is optimised for held pairs fits these alone and becomes noise, so take `resample` and
        Adam. A Gaussian kernel hardly sees features that are far from all of those of the reference.

    References:
        Li, Wang, Liu, Hou. *Demystifying neural style transfer*. IJCAI 2017, section 4.1.
    """

    reference = "style"
    spatial = "set"
    independent_positions = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        kernel: Literal["linear", "polynomial", "gaussian"] = "gaussian",
        degree: int = 2,
        offset: float = 0.0,
        bandwidth: float | None = None,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        if kernel not in ("linear", "polynomial", "gaussian"):
            raise ValueError(f"`kernel` must be 'linear', 'polynomial' or 'gaussian', got {kernel!r}.")
        self.kernel = kernel
        self.degree = whole_number(degree, "`degree`", least=1)
        self.offset = number(offset, "`offset`")
        self.bandwidth = None if bandwidth is None else number(bandwidth, "`bandwidth`", above=0)
        self.resample = resample
        self.seed = seed_number(seed)
        self._draws = Draws(self.seed, resample=resample)

    def represent(self, features: Tensor) -> Tensor:
        """The feature vectors, (batch, channels, positions)."""
        return features.flatten(2)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The estimate, averaged over the batch."""
        counts = representation.shape[2], target.shape[2]
        generator = self._draws.generator()
        order = torch.randperm(counts[0], generator=generator, device="cpu")
        # Sets of the same size are shuffled alike, so that equal ones have no distance at all.
        other = (
            order if counts[0] == counts[1] else torch.randperm(counts[1], generator=generator, device="cpu")
        )
        return maximum_mean_discrepancy(
            representation[:, :, order.to(representation.device)],
            target[:, :, other.to(target.device)],
            kernel=self.kernel,
            degree=self.degree,
            offset=self.offset,
            bandwidth=self.bandwidth,
        ).mean()

    def generators(self) -> Sequence[Generator]:
        """The generator of the choices that are made anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return with_options(
            super().extra_repr(),
            {
                "kernel": (self.kernel, "gaussian"),
                "degree": (self.degree, 2),
                "offset": (self.offset, 0.0),
                "bandwidth": (self.bandwidth, None),
                "resample": (self.resample, False),
                "seed": (self.seed, 0),
            },
        )
