from collections.abc import Sequence

import torch
from torch import Tensor

from pystyle.encoders import Encoder, HypercolumnEncoder, vgg16
from pystyle.functional import replace_features
from pystyle.images import rotate
from pystyle.papers._variants import Variant, check_variant

# The first one gives the size, a quarter of that of the image.
LAYERS = (
    "relu3_1", "relu3_2", "relu3_3", "relu4_1", "relu4_2", "relu4_3",
    "relu1_1", "relu1_2", "relu2_1", "relu2_2",
)  # fmt: skip
FIFTH_BLOCK = ("relu5_1", "relu5_2", "relu5_3")
COLUMNS = "hypercolumns"
ROTATIONS = (0.0, 90.0, 180.0, 270.0)


def columns(encoder: Encoder, *, variant: Variant) -> HypercolumnEncoder:
    """The encoder with the layer of hypercolumns."""
    check_variant(variant)
    layers = LAYERS if variant == "code" else LAYERS + FIFTH_BLOCK
    return HypercolumnEncoder(encoder, {COLUMNS: layers}, normalization="channels")


@torch.no_grad()
def target_features(
    query: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    rotations: Sequence[float] = ROTATIONS,
) -> Tensor:
    """The hypercolumns of an image, each replaced by the nearest one of the style.

    Args:
        query: What is searched with.
        style: The painting.
        encoder: A network with the layers of the table; VGG-16 if not given.
        variant: Whose layers.
        rotations: The painting is turned by these angles in degrees.

    Returns:
        What :func:`criterion` compares with.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - query, style: (1, 3, height, width), RGB in [0, 1]
        - output: (1, channels, height of query // 4, width of query // 4)

    Example:
        >>> query, style = torch.rand(1, 3, 16, 24), torch.rand(1, 3, 32, 16)
        >>> target_features(query, style, encoder=vgg16(weights=None)).shape
        torch.Size([1, 2688, 4, 6])
    """
    network = columns(vgg16() if encoder is None else encoder, variant=variant)
    views = (rotate(style, angle) for angle in rotations)
    candidates = torch.cat([network(view, [COLUMNS])[COLUMNS].flatten(2) for view in views], dim=2)
    return replace_features(network(query, [COLUMNS])[COLUMNS], candidates)
