import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from pystyle.networks import Convolution, HaarBands, haar_parts, haar_unpooling

_CHANNELS = ((512, 256), (256, 128), (128, 64))
"""What comes to the three stages, and what they have from their first convolution on."""
_DEPTHS = (3, 1, 1)
"""How many convolutions there are behind an unpooling, before the next stage begins."""


class WaveletDecoder(nn.Module):
    """The mirror of VGG-19 to relu4_1, with unpoolings that get the details of the poolings back.

    Args:
        concatenates: Whether an unpooling gives each band by itself, and the features from before the
            pooling beside them; otherwise their sum.
    """

    def __init__(self, *, concatenates: bool) -> None:
        super().__init__()
        self.concatenates = concatenates
        factor = 5 if concatenates else 1
        self.before = nn.ModuleList(_convolution(coming, going) for coming, going in _CHANNELS)
        self.behind = nn.ModuleList(
            _convolutions(factor * going, going, depth)
            for (_, going), depth in zip(_CHANNELS, _DEPTHS, strict=True)
        )
        self.last = _convolution(_CHANNELS[-1][1], 3)

    def stage(self, index: int, features: Tensor, details: HaarBands, original: Tensor) -> Tensor:
        """The features of the next stage, the coarsest stage having the index 0.

        Args:
            index: Which stage.
            features: What comes in.
            details: The bands of the pooling of this size; its low one is not looked at.
            original: The features from before that pooling.
        """
        bands = details._replace(low=relu(self.before[index](features)))
        if self.concatenates:
            features = torch.cat([*haar_parts(bands), original], 1)
        else:
            features = haar_unpooling(bands)
        found: Tensor = self.behind[index](features)
        return found

    def picture(self, features: Tensor) -> Tensor:
        """The picture, of the features of the finest stage."""
        found: Tensor = self.last(features)
        return found


def _convolution(in_channels: int, out_channels: int) -> Convolution:
    return Convolution(in_channels, out_channels, border="reflect")


def _convolutions(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
    """So many, each with a ReLU."""
    coming = [in_channels] + [out_channels] * (depth - 1)
    return nn.Sequential(
        *(layer for channels in coming for layer in (_convolution(channels, out_channels), nn.ReLU()))
    )
