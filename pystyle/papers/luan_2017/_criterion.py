import torch

from pystyle.criterion import Criterion
from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.losses import ContentLoss, Loss, MattingLaplacianLoss, TotalVariationLoss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.gatys_2016 import CONTENT_LAYER
from pystyle.papers.luan_2017._augmented_gram import AugmentedGramLoss
from pystyle.papers.luan_2017._layer_masks import layer_masks
from pystyle.typing import MaskedImage


def criterion(
    content: MaskedImage,
    style: MaskedImage,
    encoder: SequentialEncoder | None = None,
    *,
    variant: Variant = "code",
    content_weight: float | None = None,
    style_weight: float = 100.0,
    photorealism: float = 1e4,
    smoothness: float = 1e-3,
) -> Criterion:
    """The total loss, equation 4.

    Args:
        content: The photograph with its regions.
        style: The other photograph with regions of the same names.
        encoder: A VGG; that of the table if not given.
        variant: Whose losses.
        content_weight: α; 1 for the paper and 5 for the code if not given.
        style_weight: Γ.
        photorealism: λ; with 0 the loss is left out, as in the first stage.
        smoothness: Of the code's total variation.

    Returns:
        A criterion with the losses ``content``, ``style`` and those that are not left out of ``photorealism``
        and ``smoothness``. Its references are the images of `content` and `style` at this size.

    Raises:
        ValueError: If `variant` is unknown or the regions differ.

    Example:
        >>> image = MaskedImage(torch.rand(1, 3, 32, 32), {"all": torch.ones(1, 1, 32, 32)})
        >>> list(criterion(image, image, vgg19(weights=None)).losses)
        ['content', 'style', 'photorealism', 'smoothness']
    """
    check_variant(variant)
    if set(content.masks) != set(style.masks):
        raise ValueError(
            f"`style` must have the regions of `content`, {sorted(content.masks)}, got {sorted(style.masks)}."
        )
    encoder = vgg19(ceil_mode=True) if encoder is None else encoder
    height, width = content.image.shape[2:]
    at_layers = [
        layer_masks(encoder, torch.cat([image.masks[name] for name in content.masks], dim=1), variant=variant)
        for image in (content, style)
    ]
    losses: dict[str, Loss] = {}
    if variant == "paper":
        alpha = 1.0 if content_weight is None else content_weight
        losses["content"] = ContentLoss(CONTENT_LAYER, weight=alpha / 2)
        # Σ over N² entries / (2 N²) is half of their mean.
        losses["style"] = AugmentedGramLoss(*at_layers, normalized=False, weight=style_weight / 5 / 2)
    else:
        losses["content"] = ContentLoss(
            CONTENT_LAYER, weight=5.0 if content_weight is None else content_weight
        )
        losses["style"] = AugmentedGramLoss(*at_layers, weight=style_weight)
    if photorealism:
        losses["photorealism"] = MattingLaplacianLoss(weight=photorealism * height * width)
    if variant == "code" and smoothness:
        # In levels of 0 ... 255; the loss is a mean over pixels with both neighbours, of three colours.
        variation = smoothness * 255**2 * 3 * (height - 1) * (width - 1) / 2
        losses["smoothness"] = TotalVariationLoss(weight=variation)
    return Criterion(encoder, losses)
