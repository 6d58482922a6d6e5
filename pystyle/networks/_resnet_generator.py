from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from torch import Tensor, nn

from pystyle._arguments import whole_number
from pystyle.encoders._architectures import Padding
from pystyle.networks._blurred_half import blurred_half
from pystyle.networks._convolution import Convolution, bordered
from pystyle.networks._gaussian_weights import gaussian_weights
from pystyle.networks._instance_normalization import instance_normalization
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.networks._resize_convolution import ResizeConvolution

Upsampling = Literal["resize", "transposed"]


class ResNetGenerator(OneStyleNetwork):
    """The generator of CycleGAN and CUT: a network that has learned one style, as a rule from adversaries.

    A convolution of 7 x 7, two that halve the size, residual blocks, two that double it again, and one of
    7 x 7. All but the last normalise each image by itself, without scales or shifts.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter of it.
        num_blocks: How many residual blocks there are.
        upsampling: How the size is doubled: by :class:`ResizeConvolution`, or by transposed convolutions as
            published, which paint checkerboards.
        antialias: Blur before pixels are dropped, as CUT does: a convolution of stride 1, then every second
            pixel of a picture blurred by (1, 2, 1). ``"resize"`` doubles the size bilinearly then.
        border: What is beyond the border of the two convolutions that halve the size. The published networks
            have ``"zeros"`` there, and mirrors in all others that keep their size.
        style: The name of the style.

    Raises:
        ValueError: If a number is not positive, or the way to double the size or the border is another.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4, at least 8
        - code: (batch, 0), which tells nothing: there is one style

    Example:
        >>> import torch
        >>> network = ResNetGenerator(width=4, num_blocks=2)
        >>> network.bind("style")(torch.rand(1, 3, 50, 37)).shape
        torch.Size([1, 3, 50, 37])
        >>> sum(parameter.numel() for parameter in ResNetGenerator(upsampling="transposed").parameters())
        11378179

    Note:
        The networks of the papers are ``ResNetGenerator(upsampling="transposed", border="zeros")`` of
        CycleGAN and ``ResNetGenerator(antialias=True, border="zeros")`` of CUT, whose enlarged features have
        zeros beyond the border where these have the last pixels again. Contents are mapped to [-1, 1], and
        the hyperbolic tangent of the last layer to [0, 1]. Normalisation takes the biases of all layers but
        the last away; only :meth:`features` sees them. Weights are drawn by torch's global generator, from
        N(0, 0.02).

    References:
        Zhu, Park, Isola and Efros, *Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
        Networks*, ICCV 2017, section 4 and appendix 7.2, after Johnson, Alahi and Fei-Fei, ECCV 2016. Park,
        Efros, Zhang and Zhu, *Contrastive Learning for Unpaired Image-to-Image Translation*, ECCV 2020.
        Zhang, *Making Convolutional Networks Shift-Invariant Again*, ICML 2019.
    """

    smallest = 8

    can_wrap = True

    def __init__(
        self,
        *,
        width: int = 64,
        num_blocks: int = 9,
        upsampling: Upsampling = "resize",
        antialias: bool = False,
        border: Padding = "reflect",
        style: str = "style",
    ) -> None:
        super().__init__(style)
        if upsampling not in get_args(Upsampling):
            raise ValueError(f"`upsampling` must be one of {get_args(Upsampling)}, got {upsampling!r}.")
        self.width = whole_number(width, "`width`", least=1)
        self.num_blocks = whole_number(num_blocks, "`num_blocks`", least=1)
        self.upsampling: Upsampling = upsampling
        self.antialias = bool(antialias)
        self.border: Padding = border
        wide, wider, stride = 2 * self.width, 4 * self.width, 1 if antialias else 2
        self.first = nn.Conv2d(3, self.width, 7)
        self.down = nn.ModuleList(
            Convolution(inputs, 2 * inputs, stride=stride, border=border) for inputs in (self.width, wide)
        )
        self.blocks = nn.ModuleList(_Block(wider) for _ in range(self.num_blocks))
        self.up = nn.ModuleList(_doubling(inputs, upsampling, antialias) for inputs in (wider, wide))
        self.output = Convolution(self.width, 3, 7, border="reflect")
        gaussian_weights(self)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of what :meth:`features` gives, from the pixels on.

        Example:
            >>> ResNetGenerator(width=2, num_blocks=2).layers
            ('pixels', 'down1', 'down2', 'block1', 'block2')
        """
        return ("pixels", "down1", "down2", *(f"block{index + 1}" for index in range(self.num_blocks)))

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture, in [0, 1]."""
        for _, features in self._encoded(content):  # noqa: B007
            pass
        for layer in self.up:
            features = instance_normalization(layer(features)).relu_()
        picture: Tensor = self.output(features).tanh()
        return (picture + 1) / 2

    def features(self, content: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """What layers of the first half see of images, for contrasts between them.

        What is behind the last of these layers is not computed.

        Args:
            content: The images.
            layers: Names of :attr:`layers`, in any order. ``"pixels"`` are those that the first convolution
                gets: in [-1, 1], with three mirrored ones beyond each border. ``"down1"`` and ``"down2"`` are
                the convolutions that halve the size, before they are normalised, and with `antialias` before
                the size is halved. A ``"block"`` is what the block adds up.

        Returns:
            The features, in the order of the names. Gradients flow through them.

        Raises:
            ValueError: If a layer has another name.

        Shape:
            - content: (batch, 3, height, width), multiples of 4
            - output: each (batch, channels, height, width) of its layer

        Example:
            >>> import torch
            >>> network = ResNetGenerator(width=2, num_blocks=5, antialias=True)
            >>> layers = ["pixels", "down1", "down2", "block1", "block5"]      # those of CUT
            >>> for layer in network.features(torch.rand(1, 3, 16, 16), layers):
            ...     print(tuple(layer.shape))
            (1, 3, 22, 22)
            (1, 4, 16, 16)
            (1, 8, 8, 8)
            (1, 8, 4, 4)
            (1, 8, 4, 4)

        Note:
            The authors of CUT count the parts of their network, and contrast 0, 4, 8, 12 and 16: the padding,
            the two convolutions that halve the size, and the first and the fifth block, as above.

        References:
            Park, Efros, Zhang and Zhu, ECCV 2020, section 3.
        """
        wrong = [layers] if isinstance(layers, str) else [name for name in layers if name not in self.layers]
        if wrong:
            raise ValueError(f"`layers` must be some of the names {self.layers}, got {wrong[0]!r}.")
        missing = set(layers)
        found = {}
        for name, features in self._encoded(content) if missing else ():
            if name in missing:
                found[name] = features
            if found.keys() == missing:
                break
        return [found[name] for name in layers]

    def _encoded(self, content: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The layers up to the last block, each of which is computed when it is asked for."""
        pixels = bordered(2 * content - 1, 3, "reflect")
        yield "pixels", pixels
        features = instance_normalization(self.first(pixels)).relu_()
        for index, layer in enumerate(self.down, 1):
            convolved = layer(features)
            yield f"down{index}", convolved
            features = instance_normalization(convolved).relu_()
            if self.antialias:
                features = blurred_half(features)
        for index, block in enumerate(self.blocks, 1):
            features = block(features)
            yield f"block{index}", features


class _Block(nn.Module):
    """Two convolutions, normalised, whose result is added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels, border="reflect")
        self.second = Convolution(channels, channels, border="reflect")

    def forward(self, features: Tensor) -> Tensor:
        hidden = instance_normalization(self.first(features)).relu_()
        return features + instance_normalization(self.second(hidden))


def _doubling(channels: int, upsampling: Upsampling, antialias: bool) -> nn.Module:
    """A layer that doubles the size and halves the channels."""
    if upsampling == "transposed":
        return nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1)
    return ResizeConvolution(channels, channels // 2, mode="bilinear" if antialias else "nearest")
