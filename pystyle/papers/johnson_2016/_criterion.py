from collections.abc import Sequence
from typing import Any, NamedTuple

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg16, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss, TotalVariationLoss
from pystyle.papers._layers import names, num_channels
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers.johnson_2016._variants import Variant, check_variant

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


class _Losses(NamedTuple):
    """What is in the table."""

    content_layer: str
    content_weight: float
    style_weight: float
    smoothness: float


_PUBLISHED: dict[Variant, _Losses] = {
    "paper": _Losses("relu3_3", 1.0, 1.0, 1e-6),
    "code": _Losses("relu3_3", 1.0, 5.0, 1e-6),
    "pytorch": _Losses("relu2_2", 1e5, 1e10, 0.0),
}


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    content_layer: str | None = None,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float | None = None,
    style_weight: float | None = None,
    smoothness: float | None = None,
    size: tuple[int, int] = (256, 256),
    batch_size: int = 4,
) -> Criterion:
    """The losses of section 3.2, with the weights of the table.

    Args:
        encoder: The network that the losses look through. If not given, the VGG-19 of Caffe for ``"paper"``
            and ``"code"``, and the VGG-16 of torchvision for ``"pytorch"``. That of the authors is
            ``vgg16("vgg16.pth", preprocessing="caffe")``, if you have its weights.
        variant: Whose losses.
        content_layer: Where the content is compared; that of the table if not given.
        style_layers: Where the Gram matrices are compared.
        content_weight: λ of the content; that of the table if not given, and 1 for the paper, which has none.
        style_weight: λ of the style, for each layer; likewise.
        smoothness: λ of the total variation; likewise. With 0 the loss is left out.
        size: Height and width of the pictures, on which the total variation depends.
        batch_size: Contents in a step: the code adds the total variation of all up, and takes the mean of its
            other losses.

    Returns:
        A criterion with the losses ``content``, ``style`` and, if it counts, ``smoothness``.

    Raises:
        ValueError: If the variant or a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg16
        >>> criterion(vgg16(weights=None)).losses["style"].layer_weights["relu3_3"]
        5.0
        >>> list(criterion(vgg16(weights=None), variant="pytorch").losses)
        ['content', 'style']
    """
    check_variant(variant)
    if encoder is None:
        encoder = vgg16() if variant == "pytorch" else vgg19()
    style_layers, published = names(style_layers), _PUBLISHED[variant]
    given: dict[str, Any] = {
        "content_layer": content_layer,
        "content_weight": content_weight,
        "style_weight": style_weight,
        "smoothness": smoothness,
    }
    own = published._replace(**{name: value for name, value in given.items() if value is not None})
    each = [own.style_weight] * len(style_layers)
    if variant == "paper":
        # The Frobenius norm is a sum over the C² entries of the matrix; the loss takes their mean.
        each = [own.style_weight * count**2 for count in num_channels(encoder, style_layers)]
    losses: dict[str, Loss] = {
        "content": ContentLoss(own.content_layer, weight=own.content_weight),
        "style": GramLoss(style_layers, layer_weights=each, normalization="chw"),
    }
    if own.smoothness:
        # Half a sum of squares in levels of 255; the loss is a mean over the pixels with both neighbours.
        variation = own.smoothness * 255**2 * 3 * (size[0] - 1) * (size[1] - 1) / 2
        times = batch_size if variant == "code" else 1
        losses["smoothness"] = TotalVariationLoss(weight=variation * times)
    return Criterion(encoder, losses)


def training(*, num_steps: int = 40_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps.

    Example:
        >>> options = training()
        >>> options["num_steps"], options["batch_size"], options["crop_size"], options["learning_rate"](1.0)
        (40000, 4, 256, 1.0)
    """
    return adam_training(rate=1e-3, num_steps=num_steps, batch_size=4)
