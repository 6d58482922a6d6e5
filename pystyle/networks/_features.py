from abc import abstractmethod

from torch import Tensor, nn

from pystyle.networks._bands import bands
from pystyle.networks._feature_moments import Moments, MomentSums


class Features(nn.Module):
    """What a network sees of an image: features of half and of a quarter of its size.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, :attr:`fine_channels`, height / 2, width / 2) and
          (batch, :attr:`coarse_channels`, height / 4, width / 4), rounded up
    """

    fine_channels: int
    coarse_channels: int
    halo: int
    """How many rows of the image above and below its own a coarse feature sees, at most."""

    @abstractmethod
    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The features."""

    def moments(self, image: Tensor, *, numbers: int) -> tuple[Moments, Moments]:
        """Those of both features, of which never more than a band is there.

        Args:
            image: The image.
            numbers: See :func:`~pystyle.networks._bands.bands`.
        """
        sums = MomentSums(), MomentSums()
        for band in bands(image, halo=self.halo, multiple=4, numbers=numbers):
            for own, features, down in zip(sums, self(band.of(image)), (2, 4), strict=True):
                own.add(band.own(features, down=down))
        return sums[0].moments(), sums[1].moments()
