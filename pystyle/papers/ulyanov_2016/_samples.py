import torch
from torch import Tensor
from torch.utils.data import Dataset

from pystyle._arguments import float_type, is_number, pixel_size, whole_number
from pystyle.papers._noise import seeded_uniform
from pystyle.papers.ulyanov_2016._pyramid import PyramidNetwork


class NoiseImages(Dataset[Tensor]):
    """Images of uniform noise, as the contents that a network of textures is trained with.

    Each time that one is asked for it is another, drawn from torch's global generator, which
    :func:`pystyle.training.train` sets for each.

    Args:
        size: Its height and width in pixels.

    Raises:
        ValueError: If the size is not positive.

    Shape:
        - output: (3, size, size), in [0, 1]

    Example:
        >>> NoiseImages(64)[0].shape
        torch.Size([3, 64, 64])
    """

    def __init__(self, size: int = 256) -> None:
        self.size = whole_number(size, "`size`", least=1)

    def __len__(self) -> int:
        """One, which is never the same."""
        return 1

    def __getitem__(self, index: int) -> Tensor:
        """Noise."""
        if index != 0:
            raise IndexError(f"There is one image, got the index {index}.")
        return torch.rand(3, self.size, self.size, dtype=torch.float32, device="cpu").to(float_type())


def sample(
    network: PyramidNetwork, num_samples: int = 1, *, size: int | tuple[int, int] = 256, seed: int = 0
) -> Tensor:
    """Textures, each from other noise.

    Args:
        network: A network that sees noise.
        num_samples: How many.
        size: Height and width in pixels, or one number for both. It need not be that of the training.
        seed: Of the noise.

    Returns:
        The textures. Those whose sides are multiples of 32 can be laid beside themselves, if the network has
        the border ``"circular"``.

    Raises:
        ValueError: If the network sees contents, or a number is impossible.

    Shape:
        - output: (num_samples, 3, height, width), RGB in [0, 1]

    Example:
        >>> network = PyramidNetwork(num_scales=3, channels=2)
        >>> sample(network, 2, size=(64, 96)).shape
        torch.Size([2, 3, 64, 96])
    """
    if network.inputs != "noise":
        raise ValueError(
            f"`network` must see noise alone, got one with `inputs` = {network.inputs!r}. "
            "`network.painted` takes a content and a generator of noise."
        )
    height, width = pixel_size((size, size) if is_number(size) else size, "`size`")
    count = whole_number(num_samples, "`num_samples`", least=1)
    noise = seeded_uniform((count, 3, height, width), seed)
    return network.bind(network.style)(noise.to(next(network.parameters())))
