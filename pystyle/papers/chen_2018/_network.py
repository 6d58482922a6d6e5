from torch import Tensor, nn

from pystyle._arguments import whole_number
from pystyle.networks import Convolution, Stylizer
from pystyle.networks._gaussian_weights import gaussian_weights
from pystyle.networks._one_style_network import OneStyleNetwork
from pystyle.papers._normalizations import normalization_layer
from pystyle.papers.chen_2018._anime import AnimeNetwork
from pystyle.papers.chen_2018._recipes import Recipe, check_recipe


class CartoonNetwork(OneStyleNetwork):
    """The generator of CartoonGAN, for one style.

    Args:
        width: Channels at the full size; twice and four times as many at a half and a quarter of it.
        num_blocks: How many residual blocks there are.
        style: The name of the style.

    Raises:
        ValueError: If a number is not positive.
        TypeError: If the name is no string.

    Shape:
        - content, output: (batch, 3, height, width), multiples of 4, at least 8
        - code: (batch, 0)

    Example:
        >>> import torch
        >>> paint = CartoonNetwork(width=4, num_blocks=1).bind("style")
        >>> paint(torch.rand(1, 3, 50, 61)).shape
        torch.Size([1, 3, 50, 61])
    """

    stride = 4
    can_wrap = True
    smallest = 8

    def __init__(self, *, width: int = 64, num_blocks: int = 8, style: str = "style") -> None:
        super().__init__(style)
        self.width = width = whole_number(width, "`width`", least=1)
        self.num_blocks = num_blocks = whole_number(num_blocks, "`num_blocks`", least=1)
        wide, wider = 2 * width, 4 * width
        self.first = nn.Sequential(Convolution(3, width, 7, border="reflect"), _normalization(width))
        self.down = nn.ModuleList(
            _pair(Convolution(half, full, stride=2, border="zeros"), full)
            for half, full in ((width, wide), (wide, wider))
        )
        self.blocks = nn.ModuleList(_block(wider) for _ in range(num_blocks))
        self.up = nn.ModuleList(
            _pair(nn.ConvTranspose2d(full, half, 3, 2, 1, output_padding=1), half)
            for full, half in ((wider, wide), (wide, width))
        )
        self.output = Convolution(width, 3, 7, border="reflect")
        gaussian_weights(self)

    def forward(self, content: Tensor, code: Tensor) -> Tensor:  # noqa: ARG002
        """The picture, in [0, 1]."""
        features = self.first(2 * content - 1).relu()
        for layer in self.down:
            features = layer(features).relu()
        for block in self.blocks:
            features = features + block(features)
        for layer in self.up:
            features = layer(features).relu()
        picture: Tensor = self.output(features).tanh()
        return (picture + 1) / 2


def _normalization(channels: int) -> nn.Module:
    return normalization_layer("instance", channels)


def _pair(resizing: nn.Module, channels: int) -> nn.Sequential:
    """What changes the size, and a convolution, with nothing between them."""
    return nn.Sequential(resizing, Convolution(channels, channels, border="zeros"), _normalization(channels))


def _block(channels: int) -> nn.Sequential:
    """What a residual block adds."""
    return nn.Sequential(
        Convolution(channels, channels, border="reflect"),
        _normalization(channels),
        nn.ReLU(),
        Convolution(channels, channels, border="reflect"),
        _normalization(channels),
    )


def network(
    *, recipe: Recipe = "cartoon", width: int = 64, num_blocks: int = 8, style: str = "style"
) -> Stylizer:
    """The network, with random weights; see :class:`CartoonNetwork` and :class:`AnimeNetwork`.

    Args:
        recipe: Whose network.
        width: Channels at the full size.
        num_blocks: How many residual blocks there are.
        style: The name of the style.

    Raises:
        ValueError: If the recipe is unknown, or a number not positive.

    Example:
        >>> sum(parameter.numel() for parameter in network().parameters())
        11129667
        >>> sum(parameter.numel() for parameter in network(recipe="anime").parameters())
        3956096
    """
    check_recipe(recipe)
    kind = CartoonNetwork if recipe == "cartoon" else AnimeNetwork
    return kind(width=width, num_blocks=num_blocks, style=style)
