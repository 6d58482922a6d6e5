from collections.abc import Sequence

from torch import Generator, Tensor

from pystyle._arguments import seed_number, whole_number
from pystyle.functional import channel_means, grid_positions, mean_absolute_error, raw_moments
from pystyle.losses import Loss
from pystyle.losses._representation import tensors_of
from pystyle.losses._sampling import at_positions
from pystyle.typing import Representation


class SampledMomentLoss(Loss):
    """The mean absolute differences of means and covariances at some positions, others at each evaluation.

    It is :class:`pystyle.MomentLoss` at a price that does not grow with the image: the products of 2179
    channels at all positions of a large one are most of the work.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        num_samples: Positions of the image, from a regular grid.
        num_style_samples: Positions of the style, from a regular grid.
        resample: Take another grid of the image at each evaluation.
        seed: Of the grids.

    Raises:
        ValueError: If a number of samples is not positive.

    Example:
        >>> SampledMomentLoss("relu3_1", weight=0.5)
        SampledMomentLoss('relu3_1', weight=0.5)
    """

    reference = "style"
    spatial = "set"
    independent_positions = True
    takes_maps = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        num_samples: int = 1024,
        num_style_samples: int = 5000,
        resample: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(layers, weight=weight)
        self.num_samples = whole_number(num_samples, "`num_samples`", least=1)
        self.num_style_samples = whole_number(num_style_samples, "`num_style_samples`", least=1)
        self._generator = Generator().manual_seed(seed_number(seed)) if resample else None

    def represent(self, features: Representation) -> Representation:
        """The features as they are."""
        return features

    def prepare(self, representation: Representation) -> tuple[Tensor, Tensor]:
        """The mean, (batch, channels), and the covariance of the reference, (batch, channels, channels)."""
        return self._moments(representation, self.num_style_samples, None)

    def compare(self, representation: Representation, target: tuple[Tensor, Tensor]) -> Tensor:
        """The sum of both mean absolute differences to the target."""
        mean, matrix = self._moments(representation, self.num_samples, self._generator)
        return mean_absolute_error(mean, target[0]) + mean_absolute_error(matrix, target[1])

    def generators(self) -> Sequence[Generator]:
        """The generator of the grids that are drawn anew each time."""
        return () if self._generator is None else (self._generator,)

    def _moments(
        self, features: Representation, count: int, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        first = tensors_of(features)[0]
        height, width = first.shape[2:]
        grid = grid_positions(height, width, count, generator=generator, device=first.device)
        samples = at_positions(features, grid)
        mean = channel_means(samples)
        # Of large means the difference of raw moments would be rounding error.
        return mean, raw_moments(samples - mean.unsqueeze(2)).second
