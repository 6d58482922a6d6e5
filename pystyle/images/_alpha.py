"""Colours for the part of an image that is transparent."""

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

_TRUSTED = 1 / 16
"""From this opacity on a pixel has colours of its own; below, they have been rounded to few levels."""


def filled(image: Tensor, alpha: Tensor) -> Tensor:
    """Returns the image with the colours of its surroundings where it is transparent.

    What lies there in a file is anything, often black. Taken for a picture it would be an edge around the
    opaque part, and every soft edge would have a fringe of it.

    Shape:
        - image, output: (1, 3, height, width)
        - alpha: (1, 1, height, width), the opacity in [0, 1]
    """
    return _pulled_and_pushed(image, (alpha / _TRUSTED).clamp(max=1))


def _pulled_and_pushed(image: Tensor, known: Tensor) -> Tensor:
    """Averages of what is known, at half the size again and again, where nothing is."""
    height, width = image.shape[2:]
    if max(height, width) == 1 or bool((known == 1).all()):
        return image
    share = avg_pool2d(known, 2, ceil_mode=True)
    mean = avg_pool2d(image * known, 2, ceil_mode=True) / share.clamp_min(1e-12)
    coarse = _pulled_and_pushed(mean, (4 * share).clamp(max=1))
    return image.lerp(interpolate(coarse, (height, width), mode="bilinear", align_corners=False), 1 - known)
