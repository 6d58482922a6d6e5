from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pystyle._arguments import whole_number, whole_numbers
from pystyle.encoders._architectures import Padding
from pystyle.encoders._construction import construction
from pystyle.networks._convolution import Convolution
from pystyle.networks._instance_normalization import instance_normalization
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._stylizer import Stylizer

_BLOCKS = 5
_WIDTHS = _BLOCKS + 5


class TransformNetwork(Stylizer):
    """A network that paints in the styles that it has learned, one or many.

    Two convolutions of stride 2, five residual blocks, and two that double the size again. What the network
    knows of a style is a scale and a shift for each channel behind each convolution but the last; all else
    is shared. So a style more costs 100 numbers per unit of `width`, and styles blend by their names.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter of it. Or those
            of each layer, as :func:`pruned` leaves them: of the three on the way down, the last of which is
            that of all that is added up; of the five inside blocks; of the two on the way up.
        styles: The names of the styles.
        border: What is beyond the border; see :class:`Convolution`. Where the size is doubled, pixels are
            repeated; their mirror is the same there.

    Raises:
        ValueError: If a width is not positive, or there are not ten of them, there is no name, or one twice,
            or the border is another.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4
        - code: (batch, 2, channels of all normalisations)

    Example:
        >>> import torch
        >>> network = TransformNetwork(width=4, styles=["waves", "wheat"])
        >>> network.bind([("waves", 0.7), ("wheat", 0.3)])(torch.rand(1, 3, 50, 37)).shape
        torch.Size([1, 3, 50, 37])
        >>> sum(parameter.numel() for parameter in TransformNetwork(width=32).parameters())
        1679235

    References:
        Johnson, Alahi and Fei-Fei, *Perceptual Losses for Real-Time Style Transfer and Super-Resolution*,
        ECCV 2016, table 1 of the supplement, with instance normalisation and the resize-convolutions of the
        published PyTorch example in place of transposed ones, and a sigmoid in place of a scaled hyperbolic
        tangent. Many styles: Dumoulin, Shlens and Kudlur, *A Learned Representation for Artistic Style*,
        ICLR 2017, section 2.2.
    """

    can_wrap = True

    def __init__(
        self,
        *,
        width: int | Sequence[int] = 32,
        styles: Sequence[str] = ("style",),
        border: Padding = "replicate",
    ) -> None:
        super().__init__()
        full, half, wide, *inside, half_up, full_up = _checked_widths(width)
        self.width = tuple(map(int, width)) if isinstance(width, Sequence) else int(width)
        self.styles = _checked_names(styles)
        self.border: Padding = border
        self.down = nn.ModuleList(
            [
                Convolution(3, full, 9, border=border),
                Convolution(full, half, stride=2, border=border),
                Convolution(half, wide, stride=2, border=border),
            ]
        )
        ways = [way for count in inside for way in ((wide, count), (count, wide))]
        self.blocks = nn.ModuleList([Convolution(*way, border=border) for way in ways])
        self.up = nn.ModuleList([ResizeConvolution(wide, half_up), ResizeConvolution(half_up, full_up)])
        self.output = Convolution(full_up, 3, 9, border=border)
        self.channels = (full, half, wide, *(count for _, count in ways), half_up, full_up)
        codes = torch.zeros(len(self.styles), 2, sum(self.channels))
        codes[:, 0] = 1
        self.codes = nn.Parameter(codes)

    def represent_style(self, style: Tensor) -> Tensor:  # noqa: ARG002
        """Not for this network, which takes names.

        Raises:
            ValueError: Always, with the names.
        """
        raise ValueError(
            f"`style` must be one of the names {self.styles}: a TransformNetwork paints what it has learned. "
            "`AnyStyleNetwork` takes images; `pystyle.training.train` teaches this one a new style."
        )

    def named_code(self, name: str) -> Tensor:
        """The scales and shifts of a style."""
        if name not in self.styles:
            raise ValueError(f"`name` must be one of the learned styles {self.styles}, got {name!r}.")
        return self.codes[self.styles.index(name)][None]

    def forward(self, content: Tensor, code: Tensor) -> Tensor:
        """The picture, in [0, 1]."""
        scales, shifts = (torch.split(part, list(self.channels), 1) for part in code.unbind(1))
        parts = iter(zip(scales, shifts, strict=True))

        def normalized(features: Tensor) -> Tensor:
            return instance_normalization(features, *next(parts))

        features = 2 * content - 1
        for layer in self.down:
            features = normalized(layer(features)).relu_()
        for first, second in zip(self.blocks[::2], self.blocks[1::2], strict=True):
            features = features + normalized(second(normalized(first(features)).relu_()))
        for layer in self.up:
            features = normalized(layer(features)).relu_()
        picture: Tensor = self.output(features).sigmoid_()
        return picture

    def for_new_styles(self, names: Sequence[str]) -> "TransformNetwork":
        """A copy for other styles, of which only the scales and shifts are still to be learned.

        Train it with :func:`pystyle.training.train`, and join it with this one by :meth:`with_styles_of`.
        Dumoulin et al., section 3.2, learn a new style so, in a fraction of the steps.

        Args:
            names: The names of the new styles. They begin as the mean of those that are known.

        Raises:
            ValueError: If there is no name, or one twice.

        Example:
            >>> network = TransformNetwork(width=2, styles=["waves", "wheat"])
            >>> new = network.for_new_styles(["stars"])
            >>> new.styles, [name for name, weight in new.named_parameters() if weight.requires_grad]
            (('stars',), ['codes'])
        """
        names = _checked_names(names)
        codes = self.codes.mean(0).expand(len(names), -1, -1)
        network = remade(self, {**self.state_dict(), "codes": codes}, width=self.width, styles=names)
        network.requires_grad_(False)
        network.codes.requires_grad_(True)
        return network

    def with_styles_of(self, other: "TransformNetwork") -> "TransformNetwork":
        """A network with the styles of both.

        Args:
            other: One of :meth:`for_new_styles` of this network.

        Raises:
            ValueError: If the two share a name, or differ in more than their styles.

        Example:
            >>> network = TransformNetwork(width=2, styles=["waves", "wheat"])
            >>> network.with_styles_of(network.for_new_styles(["stars"])).styles
            ('waves', 'wheat', 'stars')
        """
        shared = {name: weight for name, weight in self.state_dict().items() if name != "codes"}
        theirs = other.state_dict()
        if type(other) is not type(self) or not all(
            torch.equal(weight, theirs[name].to(weight)) for name, weight in shared.items()
        ):
            raise ValueError(
                "`other` must differ from the network in its styles alone, and has other weights. Make it "
                "with `for_new_styles`, which shares them."
            )
        codes = torch.cat([self.codes, other.codes.to(self.codes)])
        return remade(self, {**shared, "codes": codes}, width=self.width, styles=self.styles + other.styles)


def remade(
    network: TransformNetwork,
    weights: Mapping[str, Tensor],
    *,
    width: int | Sequence[int],
    styles: Sequence[str],
) -> TransformNetwork:
    """A network with other weights, and for the rest as the given one: its type and device, card and mode."""
    with construction():
        made = TransformNetwork(width=width, styles=styles, border=network.border)
    # First in its type, so that nothing is rounded on the way.
    made.to(network.codes).load_state_dict(weights)
    made.card = dict(network.card)
    return made.train(network.training)


def _checked_widths(width: int | Sequence[int]) -> tuple[int, ...]:
    """The channels of each layer."""
    if not isinstance(width, Sequence):
        full = whole_number(width, "`width`", least=1)
        return (full, 2 * full, *[4 * full] * (1 + _BLOCKS), 2 * full, full)
    widths = whole_numbers(width, "`width`", least=1)
    if len(widths) != _WIDTHS:
        raise ValueError(
            f"`width` must be one number, or one of each of {_WIDTHS} layers: three on the way down, "
            f"{_BLOCKS} inside blocks and two on the way up, got {len(widths)}."
        )
    return widths


def _checked_names(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise ValueError(f"`styles` must be different names, at least one, got {names!r}.")
    return tuple(str(name) for name in names)
