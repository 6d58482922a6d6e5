import math

from torch import Tensor

from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers.gatys_2016._criterion import Variant, check_variant


def working_sizes(
    content: Tensor, style: Tensor, *, variant: Variant = "code", edge_size: int = 512
) -> tuple[Tensor, Tensor]:
    """Content and style at the sizes at which they are compared.

    Args:
        content: The photograph.
        style: The painting.
        variant: Whose rule; see the table of the module.
        edge_size: The short side, or with ``"torch"`` the root of the area, in pixels.

    Returns:
        Both images, resampled bilinearly. With ``"torch"`` one of a smaller area stays as it is.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> content, style = torch.zeros(1, 3, 768, 1024), torch.zeros(1, 3, 768, 970)
        >>> [tuple(image.shape[2:]) for image in working_sizes(content, style)]
        [(512, 682), (512, 646)]
        >>> [tuple(image.shape[2:]) for image in working_sizes(content, style, variant="torch")]
        [(444, 592), (456, 576)]
    """
    check_variant(variant)
    check_images({"content": content, "style": style})
    size = _by_area(content, edge_size) if variant == "torch" else _by_short_side(content, edge_size)
    other = {"paper": size, "code": _by_short_side(style, edge_size), "torch": _by_area(style, edge_size)}
    return (
        resize(content, size, interpolation="bilinear"),
        resize(style, other[variant], interpolation="bilinear"),
    )


def _by_short_side(image: Tensor, edge_size: int) -> tuple[int, int]:
    height, width = image.shape[2:]
    short = min(height, width)
    # torchvision rounds down, `resize` to the nearest.
    return edge_size * height // short, edge_size * width // short


def _by_area(image: Tensor, edge_size: int) -> tuple[int, int]:
    height, width = image.shape[2:]
    # The notebook prints "no downsampling" and goes on with images that are too small.
    factor = min(edge_size / math.sqrt(height * width), 1.0)
    return math.ceil(height * factor), math.ceil(width * factor)
