from collections.abc import Sequence
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn.functional import leaky_relu_
from torch.nn.utils.parametrizations import spectral_norm

from pystyle._arguments import whole_number
from pystyle.networks._blurred_half import blurred_half
from pystyle.networks._gaussian_weights import gaussian_weights
from pystyle.networks._instance_normalization import InstanceNormalization

PatchNormalization = Literal["instance", "batch"]
_WIDEST = 8
_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """A network that tells real pictures from painted ones, patch by patch.

    Each score is of one patch, :attr:`receptive_field` pixels wide and high, so it judges brushwork and not
    where things are. `num_layers` convolutions halve the size, two more keep it; all have kernels of 4 x 4.

    Args:
        in_channels: Channels of the images; six for a picture and its content together.
        width: Channels of the first layer. Each layer has twice as many as the one before, up to eight times
            these.
        num_layers: How many layers halve the size. The patches have 16, 34, 70, 142 and 286 pixels with one
            to five of them.
        normalization: How all layers but the first and the last normalise. A batch is judged as its images
            one by one with ``"instance"`` and None. A gradient penalty, which is of each image alone, wants
            one of these.
        spectral: Divide each kernel by its largest singular value, so that no layer amplifies.
        antialias: Blur before pixels are dropped, as CUT does: a convolution of stride 1, then every second
            pixel of its features blurred by (1, 2, 1). There are as many scores, each of a larger patch: of
            84 pixels with three layers.

    Attributes:
        receptive_field: The side of the patch that a score judges, in pixels.
        smallest: The smallest side of an image, in pixels: it has one score.

    Raises:
        ValueError: If a number is not positive, the normalisation another, or an image has other channels or
            is too small.

    Shape:
        - image: (batch, in_channels, height, width), in [0, 1]
        - output: (batch, 1, height / 2^num_layers - 2, width / 2^num_layers - 2), rounded down; of any range

    Example:
        >>> import torch
        >>> discriminator = PatchDiscriminator()
        >>> discriminator.receptive_field, discriminator.smallest
        (70, 24)
        >>> sum(parameter.numel() for parameter in discriminator.parameters())
        2764737
        >>> PatchDiscriminator(width=2)(torch.rand(1, 3, 64, 80)).shape
        torch.Size([1, 1, 6, 8])

    Note:
        Images are mapped to [-1, 1] before the first layer, as published networks get them. Instance
        normalisation has no scales and shifts, so convolutions before it have biases, as in the authors'
        code, though it takes them away again. Weights are drawn by torch's global generator, from N(0, 0.02).
        A spectral one is saved by its `state_dict` and copied, but torch cannot pickle it whole.

    References:
        Isola, Zhu, Zhou and Efros, *Image-to-Image Translation with Conditional Adversarial Networks*, CVPR
        2017, section 3.2.2 and appendix 6.1.2, with batch normalisation; Zhu, Park, Isola and Efros,
        *Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks*, ICCV 2017, with
        instance normalisation. Miyato, Kataoka, Koyama and Yoshida, *Spectral Normalization for Generative
        Adversarial Networks*, ICLR 2018. Park, Efros, Zhang and Zhu, *Contrastive Learning for Unpaired
        Image-to-Image Translation*, ECCV 2020, with `antialias`, after Zhang, *Making Convolutional Networks
        Shift-Invariant Again*, ICML 2019.
    """

    def __init__(
        self,
        in_channels: int = 3,
        *,
        width: int = 64,
        num_layers: int = 3,
        normalization: PatchNormalization | None = "instance",
        spectral: bool = False,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        if normalization is not None and normalization not in get_args(PatchNormalization):
            raise ValueError(
                f"`normalization` must be one of {get_args(PatchNormalization)} or None, "
                f"got {normalization!r}."
            )
        self.in_channels = whole_number(in_channels, "`in_channels`", least=1)
        self.width = whole_number(width, "`width`", least=1)
        self.num_layers = whole_number(num_layers, "`num_layers`", least=1)
        self.normalization: PatchNormalization | None = normalization
        self.spectral, self.antialias = bool(spectral), bool(antialias)
        widths = [self.width * min(2**layer, _WIDEST) for layer in range(self.num_layers + 1)]
        strides = [*[1 if antialias else 2] * self.num_layers, 1, 1]
        biases = [True, *[normalization != "batch"] * self.num_layers, True]
        sizes = zip([self.in_channels, *widths], [*widths, 1], strides, biases, strict=True)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 4, stride, 1, bias=bias) for inputs, outputs, stride, bias in sizes
        )
        self.normalizations = nn.ModuleList(_normalization(normalization, width) for width in widths[1:])
        half = [(4, 1), (3, 2)] if antialias else [(4, 2)]
        self.receptive_field = _receptive_field([*half * self.num_layers, (4, 1), (4, 1)])
        self.smallest = 3 * 2**self.num_layers
        gaussian_weights(self)
        if spectral:
            for layer in self.convolutions:
                spectral_norm(layer)

    def forward(self, image: Tensor) -> Tensor:
        """The scores of the patches: the higher, the more real."""
        self._check(image)
        *layers, last = self.convolutions
        # The first layer does not normalise.
        normalizations = [nn.Identity(), *self.normalizations]
        features = 2 * image - 1
        for index, (layer, normalization) in enumerate(zip(layers, normalizations, strict=True)):
            features = leaky_relu_(normalization(layer(features)), _SLOPE)
            if self.antialias and index < self.num_layers:
                features = blurred_half(features)
        scores: Tensor = last(features)
        return scores

    def _check(self, image: Tensor) -> None:
        shape = tuple(image.shape)
        if len(shape) != 4 or shape[1] != self.in_channels:
            raise ValueError(
                f"`image` must have the shape (batch, {self.in_channels}, height, width), got {shape}. "
                "`in_channels` says how many channels a discriminator takes."
            )
        if min(shape[2:]) < self.smallest:
            raise ValueError(
                f"`image` must have sides of at least {self.smallest} pixels for a discriminator with "
                f"`num_layers={self.num_layers}`, got {shape[2]} x {shape[3]}. Fewer layers take less."
            )


def _normalization(kind: PatchNormalization | None, channels: int) -> nn.Module:
    if kind is None:
        return nn.Identity()
    return InstanceNormalization(channels) if kind == "instance" else nn.BatchNorm2d(channels)


def _receptive_field(kernels: Sequence[tuple[int, int]]) -> int:
    """How many pixels a score sees, along one side, through kernels of a size and a stride."""
    field = 1
    for size, stride in reversed(kernels):
        field = (field - 1) * stride + size
    return field
