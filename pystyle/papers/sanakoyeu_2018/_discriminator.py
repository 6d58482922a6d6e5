from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from pystyle._arguments import whole_number
from pystyle.papers.sanakoyeu_2018._layers import convolution, normalization, same

_KERNEL = 5
_WIDTHS = (2, 2, 4, 8, 8, 16, 16)
_HEADS = {0: 5, 1: 10, 3: 10, 5: 6, 6: 3}
"""The kernels of the convolutions that give scores, by the layer that they look at."""
_SLOPE = 0.2
_SMALLEST = 2 ** len(_WIDTHS) + 1


class StyleAwareDiscriminator(nn.Module):
    """Seven convolutions that halve the size, and scores from five depths of them.

    The first scores are of small patches, which are brushwork, and the last of most of a painting.

    Args:
        width: Half the channels of the first layer.

    Raises:
        ValueError: If the width is not positive, or an image is smaller than 129 pixels.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], at least 129 pixels
        - output: a list of five, each (batch, 1, height / 2^n, width / 2^n), rounded up, for n of 1, 2, 4, 6
          and 7

    Example:
        >>> import torch
        >>> judge = StyleAwareDiscriminator(width=2)
        >>> [tuple(scores.shape[2:]) for scores in judge(torch.rand(1, 3, 144, 256))]
        [(72, 128), (36, 64), (9, 16), (3, 4), (2, 2)]
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        widths = [times * self.width for times in _WIDTHS]
        self.layers = nn.ModuleList(
            nn.Sequential(convolution(inputs, outputs, _KERNEL, stride=2), normalization(outputs))
            for inputs, outputs in zip([3, *widths[:-1]], widths, strict=True)
        )
        self.heads = nn.ModuleDict(
            {str(layer): convolution(widths[layer], 1, kernel) for layer, kernel in _HEADS.items()}
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """The scores from each depth: the higher, the more real."""
        if min(image.shape[2:]) < _SMALLEST:
            raise ValueError(
                f"`image` must have sides of at least {_SMALLEST} pixels, which are halved seven times, got "
                f"{image.shape[2]} x {image.shape[3]}."
            )
        features, scores = 2 * image - 1, []
        for index, layer in enumerate(self.layers):
            features = leaky_relu(layer(same(features, _KERNEL, 2)), _SLOPE)
            if index in _HEADS:
                scores.append(self.heads[str(index)](same(features, _HEADS[index])))
        return scores


def discriminator(*, width: int = 64) -> StyleAwareDiscriminator:
    """The discriminator, with random weights; see :class:`StyleAwareDiscriminator`.

    Args:
        width: Half the channels of the first layer.

    Raises:
        ValueError: If the width is not positive.

    Example:
        >>> sum(parameter.numel() for parameter in discriminator(width=2).parameters())
        53264
    """
    return StyleAwareDiscriminator(width)
