import os
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from pystyle.functional import channel_mean_std
from pystyle.networks import FrozenEncoder, Stylizer, by_region, instance_normalization, mirror
from pystyle.papers._any_size import content_for, masks_for, picture_for, style_for
from pystyle.papers._images import check_masks
from pystyle.papers._normalized_vgg import normalized_vgg19
from pystyle.typing import MaskedImage

LAYER = "relu4_1"


class AdaINNetwork(Stylizer):
    """The network of the paper: an encoder, AdaIN, and a decoder.

    The code of a style is the mean and the deviation of each channel of its features. The blend of codes is
    equation 15, and a strength below 1 is equation 14.

    Args:
        layer: Where the features are taken, and the decoder begins.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Raises:
        ValueError: If VGG-19 has no such layer.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: (batch, 2, channels)

    Example:
        >>> paint = AdaINNetwork(layer="relu2_1", weights=None).bind(torch.rand(1, 3, 32, 40))
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])
    """

    stride = 8
    can_wrap = True

    def __init__(
        self, *, layer: str = LAYER, weights: str | os.PathLike[str] | None = "caffe_normalized"
    ) -> None:
        super().__init__()
        self.layer, self.weights = layer, weights
        encoder = normalized_vgg19(weights)
        self.encoder = FrozenEncoder(encoder, [layer])
        self.decoder = mirror(encoder, layer, border="reflect")

    def represent_style(self, style: Tensor) -> Tensor:
        """The means and the deviations of the features."""
        return channel_mean_std(self.features(style))

    def forward(self, content: Tensor, code: Tensor) -> Tensor:
        """The picture; some of its pixels may leave [0, 1]."""
        return self.mixed(content, code, 1.0)

    def mixed(self, content: Tensor, code: Tensor, strength: float) -> Tensor:
        """The picture of features between those of the content and those with the moments of the style.

        With a strength of 0 it is what the decoder makes of the content.
        """
        features = self.features(content)
        picture: Tensor = self.decoder(torch.lerp(features, adain(features, code).to(features), strength))
        return picture

    def features(self, image: Tensor) -> Tensor:
        """What the encoder sees of an image."""
        (found,) = self.encoder(image)
        features: Tensor = found
        return features


def adain(features: Tensor, moments: Tensor) -> Tensor:
    """Features with these means and deviations, equation 8.

    Args:
        features: What changes.
        moments: What it gets, as :func:`~pystyle.functional.channel_mean_std` gives them.

    Returns:
        The features in their own type.

    Shape:
        - features, output: (batch, channels, height, width)
        - moments: (batch or 1, 2, channels), means first

    Example:
        >>> features = torch.tensor([[[[1.0, 3.0]]]])
        >>> adain(features, torch.tensor([[[10.0], [2.0]]])).round(decimals=3)
        tensor([[[[ 8., 12.]]]])
    """
    mean, std = moments.unbind(1)
    return instance_normalization(features, std, mean)


def network(
    *, layer: str = LAYER, weights: str | os.PathLike[str] | None = "caffe_normalized"
) -> AdaINNetwork:
    """The network, whose decoder has random weights; see :class:`AdaINNetwork`.

    Args:
        layer: Where the features are taken.
        weights: Those of VGG-19.

    Raises:
        ValueError: If VGG-19 has no such layer.

    Example:
        >>> sum(parameter.numel() for parameter in network(weights=None).parameters())
        3505219
    """
    return AdaINNetwork(layer=layer, weights=weights)


@torch.no_grad()
def regions(network: AdaINNetwork, content: MaskedImage, styles: Mapping[str, Tensor]) -> Tensor:
    """A picture with a style in each region, which are joined as features (section 7.3).

    Each region is normalised by its own mean and deviation. `network.bind` with styles by region joins
    finished pictures in place of features.

    Args:
        network: The network.
        content: A photograph with masks of regions. Where no mask is, it keeps its features.
        styles: A style for each region.

    Returns:
        The picture, of the type and on the device of the content.

    Raises:
        ValueError: If a region has no mask, or an image is too small or leaves [0, 1].
        TypeError: If an image is not floating-point.

    Shape:
        - content.image, output: (batch, 3, height, width), RGB in [0, 1]
        - styles: (1, 3, height, width) each

    Example:
        >>> masks = {"sky": torch.ones(1, 1, 32, 32).tril(), "land": torch.ones(1, 1, 32, 32).triu(1)}
        >>> photograph = MaskedImage(torch.rand(1, 3, 32, 32), masks)
        >>> small = network(layer="relu2_1", weights=None)
        >>> regions(small, photograph, {"sky": torch.rand(1, 3, 32, 32)}).shape
        torch.Size([1, 3, 32, 32])
    """
    check_masks(content, styles)
    transforms = {
        name: partial(adain, moments=network.represent_style(style_for(network, style, f"styles[{name!r}]")))
        for name, style in styles.items()
    }
    features = network.features(content_for(network, content.image))
    painted = by_region(features, masks_for(network, content.masks), transforms)
    return picture_for(network.decoder(painted), content.image)
