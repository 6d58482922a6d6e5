import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

_EDGE = 128


class Noise(nn.Module):
    """A tile of noise, laid beside itself over maps of any size, in each of some channels.

    It is the same in each network: a picture of the same content and style is the same picture.

    Args:
        channels: How many channels there are.

    Shape:
        - size: (batch, height, width), three numbers
        - output: (batch, channels, height, width), of mean 0 and variance 1

    Example:
        >>> import torch
        >>> noise = Noise(channels=4)
        >>> noise.smooth((2, 5, 300)).shape
        torch.Size([2, 4, 5, 300])
    """

    tile: Tensor

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.channels = channels
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("tile", torch.randn(1, channels, _EDGE, _EDGE, generator=generator))

    def random_shift(self) -> tuple[int, int]:
        """Where the tile may begin, drawn from torch's global generator."""
        top, left = torch.randint(_EDGE, (2,)).tolist()
        return top, left

    def white(self, size: tuple[int, int, int], shift: tuple[int, int] = (0, 0)) -> Tensor:
        """Noise of three channels in which each position is independent of the others."""
        return _laid(self.tile[:, :3], size, shift)

    def smooth(self, size: tuple[int, int, int], shift: tuple[int, int] = (0, 0)) -> Tensor:
        """Noise that varies as features do, which see further than from one position to the next.

        Without it the picture would have a dot at each position of a map.
        """
        weights = torch.tensor([1.0, 2.0, 1.0]).to(self.tile)
        kernel = weights[:, None] * weights
        kernel = (kernel / kernel.norm()).expand(self.channels, 1, -1, -1)
        bordered = pad(self.tile, (1, 1, 1, 1), mode="circular")
        return _laid(conv2d(bordered, kernel, groups=self.channels), size, shift)


def _laid(tile: Tensor, size: tuple[int, int, int], shift: tuple[int, int]) -> Tensor:
    """The tile beside itself, as far as the size goes."""
    batch, height, width = size
    rows, columns = (
        (torch.arange(length, device=tile.device) - first) % _EDGE
        for length, first in zip((height, width), shift, strict=True)
    )
    return tile.index_select(2, rows).index_select(3, columns).expand(batch, -1, -1, -1)
