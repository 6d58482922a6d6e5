from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss
from pystyle.papers._layers import names
from pystyle.papers._schedules import StepSchedule
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.ulyanov_2016._pyramid import PyramidNetwork

Mode: TypeAlias = Literal["texture", "style"]

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"


def check_mode(mode: str) -> None:
    """Refuse a mode that is neither of both."""
    if mode not in get_args(Mode):
        raise ValueError(f"`mode` must be one of {get_args(Mode)}, got {mode!r}.")


def network(mode: Mode = "texture", *, style: str = "style") -> PyramidNetwork:
    """The network that the authors released, with random weights; see :class:`PyramidNetwork`.

    Args:
        mode: ``"texture"``: six sizes, and noise alone. ``"style"``: five sizes without convolutions of
            1 x 1, and noise beside the content.
        style: The name of the style.

    Raises:
        ValueError: If the mode is unknown.

    Example:
        >>> network("texture").num_scales, network("style").num_scales
        (6, 5)
    """
    check_mode(mode)
    if mode == "texture":
        return PyramidNetwork(style=style)
    return PyramidNetwork(inputs="both", num_scales=5, pointwise=False, style=style)


def criterion(
    encoder: Encoder | None = None,
    *,
    mode: Mode = "texture",
    content_layer: str = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 0.6,
    style_weight: float | None = None,
    normalize_gradients: bool = False,
) -> Criterion:
    """The losses of the authors' code.

    Args:
        encoder: The network that they look through; that of the table if not given.
        mode: ``"texture"`` for the style alone, ``"style"`` for content and style.
        content_layer: Where the content is compared.
        style_layers: Where the Gram matrices are compared.
        content_weight: Of the content.
        style_weight: Of each layer of the style; 1 for textures and 1000 for styles if not given.
        normalize_gradients: Whether the gradient of the style at each layer has the L1 norm of its weight,
            as the commands of the authors' page have it.

    Returns:
        A criterion with the loss ``style``, and ``content`` for styles.

    Raises:
        ValueError: If the mode or a layer is unknown.

    Example:
        >>> list(criterion(vgg19(weights=None)).losses)
        ['style']
        >>> criterion(vgg19(weights=None), mode="style").losses["style"].layer_weights["relu5_1"]
        1000.0
    """
    check_mode(mode)
    style_layers = names(style_layers)
    if style_weight is None:
        style_weight = 1.0 if mode == "texture" else 1e3
    losses: dict[str, Loss] = {
        "style": GramLoss(style_layers, layer_weights=[style_weight] * len(style_layers), normalization="chw")
    }
    if mode == "style":
        losses["content"] = ContentLoss(content_layer, weight=content_weight)
    return Criterion(
        vgg19() if encoder is None else encoder,
        losses,
        normalize_gradients=["style"] if normalize_gradients else [],
    )


def training(
    mode: Mode = "texture", *, variant: Variant = "code", num_steps: int | None = None
) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        mode: ``"texture"``, whose contents are :class:`NoiseImages`, or ``"style"``.
        variant: Whose training; the paper's is that of textures.
        num_steps: How many steps; those of the table if not given.

    Raises:
        ValueError: If the mode or the variant is unknown.

    Example:
        >>> options = training("texture")
        >>> options["num_steps"], options["batch_size"], round(options["learning_rate"](1.0), 4)
        (1500, 16, 0.4096)
    """
    check_mode(mode)
    check_variant(variant)
    published = 2000 if variant == "paper" else 1500 if mode == "texture" else 3000
    steps = published if num_steps is None else num_steps
    batch_size = 16 if mode == "texture" or variant == "paper" else 4
    schedule = StepSchedule(steps, every=300, factor=0.8)
    if variant == "paper":
        schedule = StepSchedule(steps, every=200, factor=0.7, first=1000)
    return adam_training(rate=1e-1, num_steps=steps, batch_size=batch_size, learning_rate=schedule)
