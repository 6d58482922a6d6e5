from collections.abc import Sequence
from typing import Literal, TypeAlias

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, MultiLayerGramLoss
from pystyle.papers._layers import names, num_channels, num_positions
from pystyle.papers.gatys_2015 import average_pooling

Variant: TypeAlias = Literal["paper", "code", "torch"]

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CHANNELS = (64, 128, 256, 512, 512)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    content_layers: str | Sequence[str] = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1e3,
    size: tuple[int, int] = (512, 512),
) -> Criterion:
    """The total loss, equation 7.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose losses.
        content_layers: Where the content is compared. Figure 5 takes conv2_2, too.
        style_layers: Where the Gram matrices are compared. Figure 1, and figure 3 of the preprint, take the
            first, the first two, ..., all five of them.
        content_weight: α. Figure 4 varies the ratio of α and β.
        style_weight: β of the paper; what is divided by N² in the code.
        size: Height and width of the image in pixels. Only the paper's content loss depends on it, since it
            is a sum over positions.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If `variant` or a layer is unknown.

    Example:
        >>> style = criterion(vgg19(weights=None), style_layers=["relu1_1", "relu2_1"]).losses["style"]
        >>> [round(weight, 6) for weight in style.layer_weights.values()]
        [0.244141, 0.061035]
        >>> criterion(vgg19(weights=None), variant="paper", size=(32, 32)).losses["content"]
        ContentLoss('relu4_2', layer_weights=[4096.0])
    """
    check_variant(variant)
    content_layers, style_layers = names(content_layers), names(style_layers)
    if variant == "paper":
        encoder = average_pooling(vgg19("caffe_normalized")) if encoder is None else encoder
        # ½ Σ over N M values is N M / 2 times the mean; Σ(ΔG)² / (4 N² M²) is ¼ of the mean of (ΔG / M)².
        channels = num_channels(encoder, content_layers)
        positions = num_positions(encoder, content_layers, size)
        content_weights = [n * m / 2 for n, m in zip(channels, positions, strict=True)]
        style_weights = [1 / len(style_layers) / 4] * len(style_layers)
        style = MultiLayerGramLoss(style_layers, style_weights, weight=style_weight)
    else:
        encoder = vgg19() if encoder is None else encoder
        content_weights = [1.0] * len(content_layers)
        style_weights = [style_weight / n**2 for n in num_channels(encoder, style_layers)]
        style = MultiLayerGramLoss(style_layers, style_weights)
    content = ContentLoss(content_layers, weight=content_weight, layer_weights=content_weights)
    return Criterion(encoder, {"content": content, "style": style})


def check_variant(variant: str) -> None:
    """Refuse a variant that is none of the three."""
    if variant not in ("paper", "code", "torch"):
        raise ValueError(f"`variant` must be 'paper', 'code' or 'torch', got {variant!r}.")
