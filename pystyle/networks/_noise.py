import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from pystyle._wrapping import active_wrap

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
        # The numbers of a generator depend on their type.
        drawn = torch.randn(1, channels, _EDGE, _EDGE, generator=generator, dtype=torch.float32, device="cpu")
        self.register_buffer("tile", drawn.to(torch.get_default_device(), torch.get_default_dtype()))

    def random_shift(self) -> tuple[int, int]:
        """Where the tile may begin, drawn from torch's global generator."""
        top, left = torch.randint(_EDGE, (2,), device="cpu").tolist()
        return top, left

    def white(self, size: tuple[int, int, int], shift: tuple[int, int] = (0, 0)) -> Tensor:
        """Noise of three channels in which each position is independent of the others."""
        return _laid(self.tile[:, :3], size, shift)

    def smooth(self, size: tuple[int, int, int], shift: tuple[int, int] = (0, 0)) -> Tensor:
        """Noise that varies as features do, which see further than from one position to the next.

        Without it the picture would have a dot at each position of a map.
        """
        weights = torch.tensor([1.0, 2.0, 1.0], dtype=self.tile.dtype, device=self.tile.device)
        kernel = weights[:, None] * weights
        kernel = (kernel / kernel.norm()).expand(self.channels, 1, -1, -1)
        if active_wrap() is not None:
            return self._wrapped(kernel, size, shift)
        bordered = pad(self.tile, (1, 1, 1, 1), mode="circular")
        return _laid(conv2d(bordered, kernel, groups=self.channels), size, shift)

    def _wrapped(self, kernel: Tensor, size: tuple[int, int, int], shift: tuple[int, int]) -> Tensor:
        """The same noise, as smooth across the borders of a picture that wraps as inside of it."""
        batch, height, width = size
        # Rows that do not wrap go on in the tile.
        more = 0 if active_wrap() == "both" else 1
        white = _laid(self.tile, (1, height + 2 * more, width), (shift[0] + more, shift[1]))
        smooth = conv2d(white, kernel, padding=(1 - more, 1), groups=self.channels)
        return smooth.expand(batch, -1, -1, -1)


def _laid(tile: Tensor, size: tuple[int, int, int], shift: tuple[int, int]) -> Tensor:
    """The tile beside itself, as far as the size goes."""
    batch, height, width = size
    rows, columns = (
        (torch.arange(length, device=tile.device) - first) % _EDGE
        for length, first in zip((height, width), shift, strict=True)
    )
    return tile.index_select(2, rows).index_select(3, columns).expand(batch, -1, -1, -1)
