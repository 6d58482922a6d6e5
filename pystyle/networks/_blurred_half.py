from torch import Tensor
from torch.nn.functional import avg_pool2d

from pystyle.networks._convolution import bordered


def blurred_half(features: Tensor) -> Tensor:
    """Every second pixel of the features blurred by (1, 2, 1), mirrored beyond the border.

    Means of two pixels, twice, are cheaper than a convolution with the same weights.
    """
    return avg_pool2d(avg_pool2d(bordered(features, 1, "reflect"), 2, 1), 2, 2)
