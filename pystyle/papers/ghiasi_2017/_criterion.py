from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import TotalVariationLoss
from pystyle.papers import dumoulin_2017
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers.dumoulin_2017 import CONTENT_LAYER, STYLE_LAYERS


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layer: str = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 5e-4,
    smoothness: float = 1e4,
) -> Criterion:
    """The losses, with the weights of the authors' code.

    Args:
        encoder: The network that the losses look through; VGG-19 of Caffe with average pooling if not given.
            That of the authors is ``average_pooling(vgg16("vgg16.pth", preprocessing="caffe"))``, if you
            have its weights; :func:`~pystyle.papers.gatys_2015.average_pooling` makes it.
        content_layer: Where the content is compared.
        style_layers: Where the Gram matrices are compared.
        content_weight: Of the content.
        style_weight: Of the style, for each layer.
        smoothness: Of the total variation.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg16
        >>> criterion(vgg16(weights=None)).losses["style"].layer_weights["relu3_3"]
        0.0005
    """
    many_styles = dumoulin_2017.criterion(
        encoder,
        content_layer=content_layer,
        style_layers=style_layers,
        content_weight=content_weight,
        style_weight=style_weight,
    )
    # Half the squares, each direction divided by the number of its differences.
    smooth = TotalVariationLoss(variant="anisotropic", weight=smoothness / 2)
    return Criterion(many_styles.encoder, {**many_styles.named_losses, "smoothness": smooth})


def training(*, num_steps: int = 3_000_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps.

    Example:
        >>> options = training(num_steps=10_000)
        >>> options["batch_size"], options["crop_size"], options["learning_rate"](1.0)
        (8, 256, 1.0)
    """
    return adam_training(rate=1e-5, num_steps=num_steps, batch_size=8)
