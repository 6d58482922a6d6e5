import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, leaky_relu

from pystyle._arguments import number, whole_number
from pystyle.networks._gaussian_weights import gaussian_weights
from pystyle.networks._instance_normalization import InstanceNormalization
from pystyle.networks._one_style_network import OneStyleNetwork

_WIDEST = 8
_SLOPE = 0.2
_NUM_DROPPED = 3


class UNetGenerator(OneStyleNetwork):
    """The generator of pix2pix: a network that has learned one style, as a rule from pairs.

    Convolutions of 4 x 4 halve the size `num_layers` times, and transposed ones double it as often. Each of
    these but the first gets, besides what the one before it made, the features of the same size on the way
    down. So edges need not pass through the narrowest place.

    Args:
        width: Channels of the first layer. Each layer has twice as many as the one before, up to eight times
            these.
        num_layers: How often the size is halved. With 8 of them a content of 256 pixels is one pixel in the
            middle, and the stride is 256.
        dropout: How many of the features of the first three layers of the way up are left out in a training,
            as a fraction. In evaluation mode, in which a network paints, all are there.
        style: The name of the style.

    Attributes:
        stride: The side of a content is a multiple of it: 2 to the power of `num_layers`.

    Raises:
        ValueError: If a number is not positive, `num_layers` is 1, or `dropout` is not in [0, 1).
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of the stride
        - code: (batch, 0), which tells nothing: there is one style

    Example:
        >>> network = UNetGenerator(width=4, num_layers=3)
        >>> network.stride, network.bind("style")(torch.rand(1, 3, 50, 37)).shape
        (8, torch.Size([1, 3, 50, 37]))
        >>> with torch.device("meta"):
        ...     sum(parameter.numel() for parameter in UNetGenerator().parameters())
        54413955

    Note:
        The published network normalises by the statistics of the batch it is given, also when it paints, and
        the paper mostly takes batches of one image. Here each image is normalised by itself, with learned
        scales and shifts, in a batch of any size, which is the same for one image. In its first version the
        innermost layer was normalised as well, which made zeros of its one pixel; its authors removed that,
        and it is not so here. The paper's dropout also acts when a picture is painted, as its only noise: a
        painter of this library paints the same each time. Contents are mapped to [-1, 1], and the hyperbolic
        tangent of the last layer to [0, 1]. Only the last layer has biases; a normalisation or the authors'
        code takes them away from all others. Weights are drawn by torch's global generator, from N(0, 0.02).

    References:
        Isola, Zhu, Zhou and Efros, *Image-to-Image Translation with Conditional Adversarial Networks*, CVPR
        2017, section 3.2.1 and appendix 6.1.1, after Ronneberger, Fischer and Brox, *U-Net*, MICCAI 2015.
    """

    can_wrap = True

    def __init__(
        self,
        *,
        width: int = 64,
        num_layers: int = 8,
        dropout: float = 0.5,
        style: str = "style",
    ) -> None:
        super().__init__(style)
        self.width = whole_number(width, "`width`", least=1)
        self.num_layers = whole_number(num_layers, "`num_layers`", least=2)
        self.dropout = number(dropout, "`dropout`", least=0, below=1)
        self.stride = 2**self.num_layers
        widths = [self.width * min(2**layer, _WIDEST) for layer in range(self.num_layers)]
        self.down = nn.ModuleList(
            _layer(nn.Conv2d, inputs, outputs, normalized=0 < index < self.num_layers - 1)
            for index, (inputs, outputs) in enumerate(zip([3, *widths[:-1]], widths, strict=True))
        )
        # All but the innermost get the features of the way down beside.
        joined = [widths[-1], *(2 * channels for channels in widths[-2:0:-1])]
        self.up = nn.ModuleList(
            _layer(nn.ConvTranspose2d, inputs, outputs)
            for inputs, outputs in zip(joined, widths[-2::-1], strict=True)
        )
        self.output = nn.ConvTranspose2d(2 * self.width, 3, 4, 2, 1)
        gaussian_weights(self)

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture, in [0, 1]."""
        features = self.down[0](2 * content - 1)
        beside = []
        for layer in self.down[1:]:
            beside.append(features)
            features = layer(leaky_relu(features, _SLOPE))
        for index, layer in enumerate(self.up):
            features = layer(features.relu())
            if index < _NUM_DROPPED:
                features = dropout(features, self.dropout, self.training)
            features = torch.cat([features, beside.pop()], 1)
        picture: Tensor = self.output(features.relu()).tanh()
        return (picture + 1) / 2


def _layer(
    kind: type[nn.Conv2d | nn.ConvTranspose2d], inputs: int, outputs: int, *, normalized: bool = True
) -> nn.Sequential:
    """A layer that halves the size or doubles it."""
    layer = nn.Sequential(kind(inputs, outputs, 4, 2, 1, bias=False))
    if normalized:
        normalization = InstanceNormalization(outputs, affine=True)
        nn.init.normal_(normalization.get_parameter("weight"), 1.0, 0.02)
        layer.append(normalization)
    return layer
