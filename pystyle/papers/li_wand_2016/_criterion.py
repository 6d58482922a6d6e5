import math
from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, MRFLoss, TotalVariationLoss
from pystyle.papers._layers import layer_sizes, names, num_channels, num_positions
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.li_wand_2016._averaged_patches import AveragedPatchesLoss

STYLE_LAYERS = ("relu3_1", "relu4_1")
CONTENT_LAYERS = {"paper": ("relu4_2",), "code": ("relu4_1",)}
STRIDES = {"paper": 1, "code": 2}
WEIGHTS = {"paper": (1.0, 1.0), "code": (20.0, 1e-4)}
"""Of the content and of the style."""


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    size: tuple[int, int] = (384, 384),
    content_layers: str | Sequence[str] | None = None,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float | None = None,
    style_weight: float | None = None,
    smoothness: float = 1e-3,
    patch_size: int = 3,
    stride: int | None = None,
    rotations: Sequence[float] = (0.0,),
    scales: Sequence[float] = (1.0,),
) -> Criterion:
    """The energy, equation 1.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose energy.
        size: Height and width of the image in pixels, on which the weights of sums over positions depend.
        content_layers: Where the content is compared; that of the table if not given.
        style_layers: Where patches are matched; earlier and later ones are compared in the paper.
        content_weight: α₁; that of the table if not given.
        style_weight: The factor of E_s; that of the table if not given.
        smoothness: α₂.
        patch_size: The side of a patch, in positions of a layer.
        stride: The distance between patches; that of the table if not given.
        rotations: The painting is turned by these angles in degrees, too.
        scales: The painting is taken at these sizes, too.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If `variant` or a layer is unknown, or there are no rotations or scales.

    Example:
        >>> criterion(vgg19(weights=None)).losses["content"]
        ContentLoss('relu4_1', weight=20)
    """
    check_variant(variant)
    paper = variant == "paper"
    encoder = vgg19() if encoder is None else encoder
    style_layers, content_layers = names(style_layers), names(content_layers or CONTENT_LAYERS[variant])
    stride = STRIDES[variant] if stride is None else stride
    of_content, of_style = WEIGHTS[variant]
    content_weight = of_content if content_weight is None else content_weight
    style_weight = of_style if style_weight is None else style_weight
    # A sum is so many times the mean; the code takes the mean of the content, and its own loss is a sum.
    content_sizes, patch_sizes = [1] * len(content_layers), [1] * len(style_layers)
    if paper:
        content_sizes = _feature_values(encoder, content_layers, size)
        patch_sizes = _patch_values(encoder, style_layers, size, patch_size=patch_size, stride=stride)
    kind: type[MRFLoss] = MRFLoss if paper else AveragedPatchesLoss
    style = kind(
        style_layers,
        layer_weights=[style_weight * number for number in patch_sizes],
        patch_size=patch_size,
        stride=stride,
        rotations=rotations,
        scales=scales,
    )
    content = ContentLoss(content_layers, weight=content_weight, layer_weights=content_sizes)
    # In levels of 0 ... 255; the loss is a mean over the pixels that have both neighbours, of three colours.
    variation = smoothness * 255**2 * 3 * (size[0] - 1) * (size[1] - 1) * (1.0 if paper else 0.5)
    return Criterion(
        encoder, {"content": content, "style": style, "smoothness": TotalVariationLoss(weight=variation)}
    )


def _feature_values(encoder: Encoder, layers: Sequence[str], size: tuple[int, int]) -> list[int]:
    """How many values each layer has."""
    positions = num_positions(encoder, layers, size)
    return [n * m for n, m in zip(num_channels(encoder, layers), positions, strict=True)]


def _patch_values(
    encoder: Encoder, layers: Sequence[str], size: tuple[int, int], *, patch_size: int, stride: int
) -> list[int]:
    """How many values all patches of each layer have; the last rows and columns are always covered."""
    found = []
    sizes = layer_sizes(encoder, layers, size)
    for sides, n in zip(sizes, num_channels(encoder, layers), strict=True):
        number = math.prod(-(-(side - patch_size) // stride) + 1 for side in sides)
        found.append(patch_size**2 * n * number)
    return found
