from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from pystyle._arguments import number, seed_number, whole_number

_CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


@dataclass(frozen=True)
class RandomCrops:
    """Parts of an image, each seen from another side: what a text loss may look at in the place of the whole.

    A square is cut out at random, and its corners are moved inwards at random, so that it looks like a
    picture that hangs in perspective on a black wall. A loss draws new ones at each evaluation. Which ones is
    a function of the seed and of how many evaluations there were before, and the same for all images of a
    batch.

    Args:
        count: How many.
        size: Their side in pixels; at most that of the image.
        distortion: How far a corner moves at most, in halves of the side.
        seed: Determines the crops, the same for every device.
        resample: Draw new ones at each evaluation. If not, a loss sees the same parts each time, which
            L-BFGS needs.

    Raises:
        ValueError: If `count` or `size` is not positive, or `distortion` is not in [0, 1).

    Example:
        >>> import torch
        >>> crops = RandomCrops(count=4, size=32)
        >>> crops(torch.rand(2, 3, 48, 64), generator=torch.Generator().manual_seed(0)).shape
        torch.Size([4, 2, 3, 32, 32])

    Note:
        Kwon and Ye take 64 crops of 128 pixels of an image of 512. The time of a step is proportional to the
        number, which is 16 here. torchvision moves corners by whole pixels, here they lie anywhere.

    References:
        Kwon, Ye. *CLIPstyler: image style transfer with a single text condition*. CVPR 2022, section 3.2.
        The perspective is that of ``RandomPerspective`` of torchvision.
    """

    count: int = 16
    size: int = 128
    distortion: float = 0.5
    seed: int = 0
    resample: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", whole_number(self.count, "`count`", least=1))
        object.__setattr__(self, "size", whole_number(self.size, "`size`", least=1))
        object.__setattr__(self, "distortion", number(self.distortion, "`distortion`", least=0, below=1))
        object.__setattr__(self, "seed", seed_number(self.seed))

    def __call__(self, images: Tensor, *, generator: torch.Generator) -> Tensor:
        """The crops.

        Args:
            images: The images.
            generator: What the numbers are drawn from; on the CPU.

        Shape:
            - images: (batch, channels, height, width)
            - output: (count, batch, channels, size, size); smaller where the image is
        """
        batch, _, rows, columns = images.shape
        height, width = min(self.size, rows), min(self.size, columns)
        drawn = torch.rand(self.count, 10, generator=generator, dtype=torch.float64, device="cpu")
        tops = (drawn[:, 0] * (rows - height + 1)).long().tolist()
        lefts = (drawn[:, 1] * (columns - width + 1)).long().tolist()
        parts = [
            images[:, :, top : top + height, left : left + width]
            for top, left in zip(tops, lefts, strict=True)
        ]
        if self.distortion == 0:
            return torch.stack(parts)
        corners = torch.tensor(_CORNERS, dtype=torch.float64, device="cpu")
        moved = corners * (1 - self.distortion * drawn[:, 2:].reshape(-1, 4, 2))
        grids = perspective_grids(moved, (height, width)).to(images)
        seen = [
            grid_sample(part, grid.expand(batch, -1, -1, -1), padding_mode="zeros", align_corners=False)
            for part, grid in zip(parts, grids, strict=True)
        ]
        return torch.stack(seen)


def perspective_grids(corners: Tensor, size: tuple[int, int]) -> Tensor:
    """Where the pixels of a picture come from that was moved so that its corners lie here.

    Shape:
        - corners: (count, 4, 2), x and y in [-1, 1]: upper left, upper right, lower right, lower left
        - output: (count, height, width, 2), as `grid_sample` takes it
    """
    x, y = corners.unbind(-1)
    u, v = torch.tensor(_CORNERS, dtype=corners.dtype, device="cpu").unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    # u = (a x + b y + c) / (g x + h y + 1), and v alike: two equations for each corner.
    horizontal = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    vertical = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    sides = torch.cat([u, v]).expand(len(corners), -1)
    solved = torch.linalg.solve(torch.cat([horizontal, vertical], 1), sides)
    matrices = torch.cat([solved, one[:, :1]], 1).reshape(-1, 3, 3)
    down, across = (
        (2 * torch.arange(length, dtype=corners.dtype, device="cpu") + 1) / length - 1 for length in size
    )
    rows, columns = torch.meshgrid(down, across, indexing="ij")
    points = torch.stack([columns, rows, torch.ones_like(rows)], -1)
    mapped = torch.einsum("nij,hwj->nhwi", matrices, points)
    return mapped[..., :2] / mapped[..., 2:]
