from collections.abc import Sequence
from functools import partial

from torch.optim import Adam

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, TotalVariationLoss
from pystyle.papers._layers import names
from pystyle.papers._training import TrainingOptions
from pystyle.papers.gatys_2015 import average_pooling
from pystyle.runner import LinearSchedule

CONTENT_LAYER = "relu3_3"
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


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
    style_layers = names(style_layers)
    return Criterion(
        average_pooling(vgg19()) if encoder is None else encoder,
        {
            "content": ContentLoss(content_layer, weight=content_weight),
            "style": GramLoss(style_layers, layer_weights=[style_weight] * len(style_layers)),
            # Half the squares, each direction divided by the number of its differences.
            "smoothness": TotalVariationLoss(variant="anisotropic", weight=smoothness / 2),
        },
    )


def training(*, num_steps: int = 3_000_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps.

    Example:
        >>> options = training(num_steps=10_000)
        >>> options["batch_size"], options["crop_size"], options["learning_rate"](1.0)
        (8, 256, 1.0)
    """
    return {
        "num_steps": num_steps,
        "batch_size": 8,
        "crop_size": 256,
        "optimizer": partial(Adam, lr=1e-5),
        "learning_rate": LinearSchedule(1.0, 1.0),
        "averaging": 0.0,
        "max_gradient_norm": None,
    }
