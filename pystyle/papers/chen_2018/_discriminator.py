from torch import Tensor, nn
from torch.nn.functional import leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from pystyle._arguments import whole_number
from pystyle.networks import InstanceNormalization
from pystyle.networks._gaussian_weights import gaussian_weights
from pystyle.papers._normalizations import normalization_layer
from pystyle.papers.chen_2018._recipes import Recipe, check_recipe

_SLOPE = 0.2


class CartoonDiscriminator(nn.Module):
    """A shallow network that judges patches of 37 pixels: whether edges are drawn is seen there.

    Kernels of 3 x 3; two of the seven convolutions halve the size.

    Args:
        width: Channels of the first layer; eight times as many in the last but one.
        spectral: As in AnimeGAN: divide each kernel by its largest singular value, without biases.

    Raises:
        ValueError: If the width is not positive.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1], at least 8 pixels
        - output: (batch, 1, height / 4, width / 4), rounded up

    Example:
        >>> import torch
        >>> CartoonDiscriminator(width=2)(torch.rand(1, 3, 32, 50)).shape
        torch.Size([1, 1, 8, 13])
    """

    def __init__(self, width: int = 32, *, spectral: bool = False) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.spectral = bool(spectral)
        widths = [3, *(times * self.width for times in (1, 2, 4, 4, 8, 8)), 1]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(widths[index], widths[index + 1], 3, 2 if index in (1, 3) else 1, 1, bias=not spectral)
            for index in range(7)
        )
        self.normalizations = nn.ModuleDict(
            {str(index): _normalization(widths[index + 1], torch7=not spectral) for index in (2, 4, 5)}
        )
        gaussian_weights(self)
        if spectral:
            for layer in self.convolutions:
                spectral_norm(layer)

    def forward(self, image: Tensor) -> Tensor:
        """The scores of the patches: the higher, the more they are drawn."""
        *layers, last = self.convolutions
        features = 2 * image - 1
        for index, layer in enumerate(layers):
            features = layer(features)
            if str(index) in self.normalizations:
                features = self.normalizations[str(index)](features)
            features = leaky_relu(features, _SLOPE)
        scores: Tensor = last(features)
        return scores


def _normalization(channels: int, *, torch7: bool) -> nn.Module:
    """Instance normalisation whose scales begin at random, or at 1."""
    if torch7:
        return normalization_layer("instance", channels)
    return InstanceNormalization(channels, affine=True)


def discriminator(*, recipe: Recipe = "cartoon", width: int = 32) -> CartoonDiscriminator:
    """The discriminator, with random weights; see :class:`CartoonDiscriminator`.

    Args:
        recipe: Whose discriminator; that of AnimeGAN is spectral.
        width: Channels of the first layer.

    Raises:
        ValueError: If the recipe is unknown, or the width not positive.

    Example:
        >>> sum(parameter.numel() for parameter in discriminator().parameters())
        1129665
        >>> sum(parameter.numel() for parameter in discriminator(recipe="anime").parameters())
        1128800
    """
    check_recipe(recipe)
    return CartoonDiscriminator(width, spectral=recipe == "anime")
