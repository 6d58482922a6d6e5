import math

import torch
from torch import Tensor

from pystyle._arguments import whole_number


def random_directions(count: int, channels: int, *, generator: torch.Generator | None = None) -> Tensor:
    """Directions drawn evenly from the unit sphere.

    Args:
        count: How many.
        channels: The dimension of the space.
        generator: A generator of the CPU; the global one if not given. Drawn on the CPU, the
            directions are the same for every device.

    Returns:
        Vectors of length one, in float32 on the CPU.

    Raises:
        ValueError: If `count` or `channels` is not positive.

    Shape:
        - output: (count, channels)

    Example:
        >>> import torch
        >>> directions = random_directions(4, 3, generator=torch.Generator().manual_seed(0))
        >>> directions.shape, directions.norm(dim=1).round(decimals=5)
        (torch.Size([4, 3]), tensor([1., 1., 1., 1.]))
    """
    count, channels = whole_number(count, "`count`", least=1), whole_number(channels, "`channels`", least=1)
    drawn = torch.randn(count, channels, generator=generator, dtype=torch.float32, device="cpu")
    return torch.nn.functional.normalize(drawn, dim=1)


def grid_positions(
    height: int,
    width: int,
    num_samples: int | None,
    *,
    generator: torch.Generator | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """A regular grid of at most `num_samples` positions of a map.

    The rows and columns of the grid are as evenly spaced as whole numbers allow. A map of a
    single row, such as a list of positions, is sampled along it.

    Args:
        height: Rows of the map.
        width: Columns of the map.
        num_samples: The most positions that are wanted; None for all of them.
        generator: Where the grid begins is drawn from this generator of the CPU; in the middle
            of the first cell if not given.
        device: The device of the output.

    Returns:
        Indices into the flattened map, in ascending order and each at most once.

    Raises:
        ValueError: If a number is not positive.

    Shape:
        - output: (samples)

    Example:
        >>> grid_positions(4, 6, 6)             # 2 rows of 3: rows 1 and 3, columns 1, 3 and 5
        tensor([ 7,  9, 11, 19, 21, 23])
        >>> grid_positions(1, 100, 4)
        tensor([12, 37, 62, 87])
    """
    height, width = whole_number(height, "`height`", least=1), whole_number(width, "`width`", least=1)
    wanted = height * width
    if num_samples is not None:
        wanted = whole_number(num_samples, "`num_samples`", least=1)
    rows = max(1, min(height, wanted, math.isqrt(wanted * height // width)))
    columns = min(width, wanted // rows)
    rows = min(height, wanted // columns)
    vertical, horizontal = (
        _evenly_spaced(length, count, generator, device)
        for length, count in ((height, rows), (width, columns))
    )
    return (vertical[:, None] * width + horizontal).flatten()


def _evenly_spaced(
    length: int, count: int, generator: torch.Generator | None, device: torch.device | None
) -> Tensor:
    # Whole numbers throughout: a rounded fraction could reach the end of the axis.
    start = (
        length // 2
        if generator is None
        else int(torch.randint(length, (), generator=generator, device="cpu"))
    )
    return (torch.arange(count, device=device) * length + start) // count
