from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from torch import Tensor, nn

from pystyle.encoders import Normalize
from pystyle.images import resize

Fit: TypeAlias = Literal["whole", "center"]
"""What of an image a network sees: all of it, squeezed into its square; or the square in the middle."""


class Preparation(nn.Module):
    """Images as a network of a fixed size wants them; differentiable.

    Args:
        size: Height and width of what it sees.
        mean: What is subtracted from each colour.
        std: What each colour is then divided by.
        fit: ``"whole"`` brings images to this size, whatever their shape, so that each pixel counts;
            ``"center"`` brings the short side to it and cuts out the middle.
        interpolation: How images are resized, antialiased.

    Raises:
        ValueError: If `fit` is unknown.

    Shape:
        - images: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 3, *size)
    """

    def __init__(
        self,
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        *,
        fit: Fit = "whole",
        interpolation: Literal["bilinear", "bicubic"] = "bicubic",
    ) -> None:
        super().__init__()
        if fit not in get_args(Fit):
            raise ValueError(f"`fit` must be one of {get_args(Fit)}, got {fit!r}.")
        self.size, self.fit, self.interpolation = size, fit, interpolation
        self.normalize = Normalize(mean, std)

    def forward(self, images: Tensor) -> Tensor:
        """The images at the size of the network, normalised."""
        if self.fit == "whole":
            seen = resize(images, self.size, interpolation=self.interpolation)
        else:
            seen = self._middle(images)
        prepared: Tensor = self.normalize(seen)
        return prepared

    def _middle(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        scale = max(self.size[0] / height, self.size[1] / width)
        # Long sides are cut to whole pixels, as torchvision does, and not rounded.
        size = (max(int(height * scale), self.size[0]), max(int(width * scale), self.size[1]))
        seen = resize(images, size, interpolation=self.interpolation)
        top, left = (size[0] - self.size[0]) // 2, (size[1] - self.size[1]) // 2
        return seen[:, :, top : top + self.size[0], left : left + self.size[1]]


def missing(function: str, package: str) -> str:
    """What is said where a package is not installed."""
    return f'`{function}` needs the package {package}. Install it with `pip install "pystyle-nst[text]"`.'
