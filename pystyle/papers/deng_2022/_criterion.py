from collections.abc import Sequence
from dataclasses import dataclass

from pystyle._arguments import whole_number
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.losses import MeanStdLoss
from pystyle.papers._identity import identity_losses
from pystyle.papers._layers import names
from pystyle.papers._normalized_content import NormalizedContentLoss
from pystyle.papers._normalized_vgg import or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers._variants import Variant, check_variant

CONTENT_LAYERS = ("relu4_1", "relu5_1")
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_WEIGHTS = {"paper": (10.0, 7.0, 50.0), "code": (7.0, 10.0, 70.0)}
"""Of content, style, and the pixels of a picture in its own style."""


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layers: str | Sequence[str] = CONTENT_LAYERS,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float | None = None,
    style_weight: float | None = None,
    variant: Variant = "code",
) -> Criterion:
    """The losses of a picture of a content in another style.

    Args:
        encoder: The network; the normalised VGG-19 if not given.
        content_layers: Where the picture is to have the normalised features of the content.
        style_layers: Where it is to have the means and deviations of the style.
        content_weight: The factor of the content; that of the variant if not given.
        style_weight: The factor of the style; that of the variant if not given.
        variant: ``"paper"``: 10 and 7. ``"code"``: 7 and 10.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If a layer or the variant is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> [loss.weight for loss in criterion(vgg19(weights=None)).losses.values()]
        [7.0, 10.0]
    """
    check_variant(variant)
    content_layers, style_layers = names(content_layers), names(style_layers)
    content = NormalizedContentLoss(
        content_layers,
        layer_weights=[1.0] * len(content_layers),
        weight=_WEIGHTS[variant][0] if content_weight is None else content_weight,
    )
    # The means have a mean of squares of their own, and the deviations too; the loss takes that of both.
    style = MeanStdLoss(
        style_layers,
        layer_weights=[2.0] * len(style_layers),
        weight=_WEIGHTS[variant][1] if style_weight is None else style_weight,
    )
    return Criterion(or_normalized_vgg19(encoder), {"content": content, "style": style})


def identity_criterion(
    encoder: Encoder | None = None,
    *,
    layers: str | Sequence[str] = STYLE_LAYERS,
    pixel_weight: float | None = None,
    feature_weight: float = 1.0,
    variant: Variant = "code",
) -> Criterion:
    """The losses of a picture of a content in its own style; :func:`alternating` trains with both criteria.

    Args:
        encoder: The network; the normalised VGG-19 if not given.
        layers: Where the picture is to have the features of the content.
        pixel_weight: The factor of the pixels; that of the variant if not given.
        feature_weight: The factor of the features.
        variant: ``"paper"``: 50 for the pixels. ``"code"``: 70.

    Returns:
        A criterion with the losses ``identity_pixels`` and ``identity_features``.

    Raises:
        ValueError: If a layer or the variant is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> identity_criterion(vgg19(weights=None), variant="paper").losses["identity_pixels"]
        ContentLoss('image', weight=50)
    """
    check_variant(variant)
    pixel_weight = _WEIGHTS[variant][2] if pixel_weight is None else pixel_weight
    losses = identity_losses(names(layers), pixel_weight=pixel_weight, feature_weight=feature_weight)
    return Criterion(or_normalized_vgg19(encoder), losses)


@dataclass(frozen=True)
class WarmUpSchedule:
    """The factor of the learning rate: from a quarter to 1 in 10,000 steps, and then slowly down.

    Args:
        num_steps: The steps of the training.

    Raises:
        ValueError: If there are none.

    Example:
        >>> schedule = WarmUpSchedule(160_000)
        >>> [round(schedule(step / 160_000), 3) for step in (0, 5_000, 10_000, 60_000, 160_000)]
        [0.25, 0.625, 1.0, 0.667, 0.4]
    """

    num_steps: int

    def __post_init__(self) -> None:
        steps = whole_number(self.num_steps, "`num_steps`", least=1)
        object.__setattr__(self, "num_steps", steps)

    def __call__(self, fraction: float) -> float:
        """The factor after this fraction of the training."""
        step = fraction * self.num_steps
        return 0.25 * (1 + 3e-4 * step) if step < 10_000 else 1 / (1 + 1e-5 * (step - 10_000))


def training(*, num_steps: int = 160_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. The learning rate after so many steps is that of the authors after as many.

    Example:
        >>> options = training()
        >>> options["batch_size"], options["crop_size"], options["optimizer"].keywords
        (8, 256, {'lr': 0.0002})
    """
    return adam_training(
        rate=2e-4, num_steps=num_steps, batch_size=8, learning_rate=WarmUpSchedule(num_steps)
    )
