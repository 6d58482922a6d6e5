from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d


class MultiScaleDiscriminator(nn.Module):
    """Several discriminators, each of which sees the image at half the size of the one before.

    The first judges details, the last how they are arranged: its patches cover more of the image.

    Args:
        discriminators: One for each scale, from the whole size on. They share no weights, unless one is given
            twice.

    Attributes:
        smallest: The smallest side of an image, in pixels, at which each of them gets its own smallest one.

    Raises:
        TypeError: If one of them is no module.
        ValueError: If there is none, or an image is too small.

    Shape:
        - image: (batch, channels, height, width)
        - output: a list of what each discriminator gives

    Example:
        >>> import torch
        >>> from pystyle.networks import PatchDiscriminator
        >>> discriminator = MultiScaleDiscriminator([PatchDiscriminator(width=2) for _ in range(3)])
        >>> [tuple(scores.shape) for scores in discriminator(torch.rand(1, 3, 128, 96))]
        [(1, 1, 14, 10), (1, 1, 6, 4), (1, 1, 2, 1)]
        >>> discriminator.smallest
        93

    Note:
        Halves are means of 3 x 3 pixels, at every second one; at the border, of those that there are. So
        an even image stays even.

    References:
        Wang, Liu, Zhu, Tao, Kautz and Catanzaro, *High-Resolution Image Synthesis and Semantic Manipulation
        with Conditional GANs*, CVPR 2018, section 3.2.
    """

    def __init__(self, discriminators: Sequence[nn.Module]) -> None:
        super().__init__()
        if not discriminators:
            raise ValueError("`discriminators` must be one for each scale, got none.")
        for one in discriminators:
            if not isinstance(one, nn.Module):
                raise TypeError(f"`discriminators` must be modules, got {type(one).__name__}.")
        self.discriminators = nn.ModuleList(discriminators)
        # A side n is ceil(n / 2) at the next scale.
        self.smallest = max(
            (getattr(one, "smallest", 1) - 1) * 2**scale + 1 for scale, one in enumerate(discriminators)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """The scores at each scale, the whole size first."""
        if min(image.shape[-2:]) < self.smallest:
            raise ValueError(
                f"`image` must have sides of at least {self.smallest} pixels for {len(self.discriminators)} "
                f"scales, got {image.shape[-2]} x {image.shape[-1]}."
            )
        scores = []
        for scale, discriminator in enumerate(self.discriminators):
            if scale:
                image = avg_pool2d(image, 3, 2, 1, count_include_pad=False)
            scores.append(discriminator(image))
        return scores
