import torch
from torch import Tensor

from pystyle.metrics._features import checked_features


class FeatureStatistics:
    """Number, mean and covariance of feature vectors that come in parts: a stream in constant memory.

    Sums are kept in float64, each part centred before it is squared, so that neither the order nor the size
    of the parts matters but for the last digits.

    Attributes:
        count: How many vectors came.

    Example:
        >>> import torch
        >>> statistics = FeatureStatistics()
        >>> for part in (torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 1.0], [4.0, 4.0]])):
        ...     statistics.update(part)
        >>> statistics.count, statistics.mean.tolist()
        (3, [2.0, 2.0])
        >>> statistics.covariance.tolist()      # divided by 3 - 1
        [[4.0, 3.0], [3.0, 3.0]]

    References:
        Chan, Golub and LeVeque, *Algorithms for Computing the Sample Variance*, The American Statistician 37,
        1983, equation 2.1.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all vectors."""
        self.count = 0
        self._mean = torch.zeros((), device="cpu")
        self._scatter = torch.zeros((), device="cpu")

    def update(self, features: Tensor) -> None:
        """Add vectors.

        Args:
            features: The vectors.

        Raises:
            ValueError: If they are no matrix of finite numbers, or have other channels than those before.

        Shape:
            - features: (number, channels)
        """
        rows = checked_features(features, "features")
        if self.count and rows.shape[1] != len(self._mean):
            raise ValueError(
                f"`features` must have {len(self._mean)} channels as those before, got {rows.shape[1]}."
            )
        if not len(rows):
            return
        mean = rows.mean(0)
        centred = rows - mean
        apart, total = mean - self._mean.to(mean), self.count + len(rows)
        between = torch.outer(apart, apart) * (self.count * len(rows) / total)
        self._scatter = self._scatter.to(mean) + centred.mT @ centred + between
        self._mean = self._mean.to(mean) + apart * (len(rows) / total)
        self.count = total

    @property
    def mean(self) -> Tensor:
        """The mean, (channels,), in float64.

        Raises:
            ValueError: If no vector came.
        """
        self._require(1)
        return self._mean

    @property
    def covariance(self) -> Tensor:
        """The unbiased covariance, (channels, channels), in float64.

        Raises:
            ValueError: If fewer than two vectors came.
        """
        self._require(2)
        return self._scatter / (self.count - 1)

    def _require(self, least: int) -> None:
        if self.count < least:
            raise ValueError(f"`update` must have come with at least {least} vectors, got {self.count}.")
