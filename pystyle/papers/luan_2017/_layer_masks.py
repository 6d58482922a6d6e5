from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

from pystyle.encoders import SequentialEncoder
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import STYLE_LAYERS


def layer_masks(
    encoder: SequentialEncoder,
    masks: Tensor,
    layers: Sequence[str] = STYLE_LAYERS,
    *,
    variant: Variant = "code",
) -> dict[str, Tensor]:
    """The masks at the layers of a VGG.

    Args:
        encoder: The network.
        masks: The masks of the image, all regions as channels.
        layers: The layers.
        variant: How masks get there: resized to the size of the features, or as the code takes them through
            the network.

    Returns:
        The masks by layer.

    Raises:
        ValueError: If `variant` is unknown, or the encoder lacks a layer.

    Shape:
        - masks: (1, regions, height, width)
        - output: (1, regions, height and width of the features)

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> left = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).expand(1, 1, 6, 6)
        >>> layer_masks(vgg19(weights=None), left, ["relu1_1"])["relu1_1"][0, 0, 2]
        tensor([0.6667, 1.0000, 0.6667, 0.3333, 0.0000, 0.0000])
    """
    check_variant(variant)
    encoder.check_layers(layers)
    found = dict[str, Tensor]()
    carried = masks
    for name, stage in encoder.stages.items():
        if name.startswith("conv"):
            carried = avg_pool2d(carried, 3, stride=1, padding=1)
        elif name.startswith("pool"):
            up = 1 if getattr(stage, "ceil_mode", False) else 0
            half = [(side + up) // 2 for side in carried.shape[2:]]
            carried = interpolate(carried, half, mode="bilinear")
        if name in layers:
            size = (carried.shape[2], carried.shape[3])
            found[name] = carried if variant == "code" else adaptive_avg_pool2d(masks, size)
        if len(found) == len(set(layers)):
            break
    return found
