from collections.abc import Sequence

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import MeanStdLoss
from pystyle.papers._identity import identity_losses
from pystyle.papers._layers import names
from pystyle.papers._normalized_content import NormalizedContentLoss
from pystyle.papers._normalized_vgg import or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, training_of_adain

CONTENT_LAYERS = ("relu4_1", "relu5_1")
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layers: str | Sequence[str] = CONTENT_LAYERS,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 3.0,
) -> Criterion:
    """The losses of a picture of a content in another style.

    Args:
        encoder: The network; that of the table if not given.
        content_layers: Where the picture is to have the normalised features of the content.
        style_layers: Where it is to have the means and deviations of the style.
        content_weight: The factor of the content.
        style_weight: The factor of the style.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> list(criterion(vgg19(weights=None)).losses)
        ['content', 'style']
    """
    content_layers, style_layers = names(content_layers), names(style_layers)
    content = NormalizedContentLoss(
        content_layers, layer_weights=[1.0] * len(content_layers), weight=content_weight
    )
    # The means have a mean of squares of their own, and the deviations too; the loss takes that of both.
    style = MeanStdLoss(style_layers, layer_weights=[2.0] * len(style_layers), weight=style_weight)
    return Criterion(or_normalized_vgg19(encoder), {"content": content, "style": style})


def identity_criterion(
    encoder: Encoder | None = None,
    *,
    layers: str | Sequence[str] = STYLE_LAYERS,
    pixel_weight: float = 50.0,
    feature_weight: float = 1.0,
) -> Criterion:
    """The losses of a picture of a content in its own style; :func:`alternating` trains with both criteria.

    Args:
        encoder: The network; that of the table if not given.
        layers: Where the picture is to have the features of the content.
        pixel_weight: The factor of the pixels.
        feature_weight: The factor of the features.

    Returns:
        A criterion with the losses ``identity_pixels`` and ``identity_features``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> identity_criterion(vgg19(weights=None)).losses["identity_pixels"]
        ContentLoss('image', weight=50)
    """
    losses = identity_losses(names(layers), pixel_weight=pixel_weight, feature_weight=feature_weight)
    return Criterion(or_normalized_vgg19(encoder), losses)


def training(*, num_steps: int = 160_000) -> TrainingOptions:
    """How it is trained: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. The learning rate after so many steps is that of the code after as many.

    Example:
        >>> options = training(num_steps=10_000)
        >>> options["batch_size"], options["crop_size"], round(options["learning_rate"](1.0), 3)
        (5, 256, 0.667)
    """
    return training_of_adain(num_steps=num_steps, batch_size=5)
