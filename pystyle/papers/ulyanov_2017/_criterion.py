from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.losses import ContentLoss, GramLoss, Loss
from pystyle.papers._layers import names
from pystyle.papers._normalizations import Normalization
from pystyle.papers._schedules import StepSchedule
from pystyle.papers._training import TrainingOptions, adam_training
from pystyle.papers.ulyanov_2016._pyramid import Inputs, PyramidNetwork
from pystyle.papers.ulyanov_2017._diversity import DiversityLoss
from pystyle.papers.ulyanov_2017._residual import ResidualNetwork

Model: TypeAlias = Literal["pyramid", "johnson"]

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
CONTENT_LAYER = "relu4_2"


def network(
    model: Model = "pyramid",
    *,
    inputs: Inputs = "content",
    normalization: Normalization = "instance",
    style: str = "style",
) -> PyramidNetwork | ResidualNetwork:
    """A network of the authors' code, with random weights.

    Args:
        model: ``"pyramid"``: that of 2016 with ReLU; :class:`~pystyle.papers.ulyanov_2016.PyramidNetwork`.
            ``"johnson"``: :class:`ResidualNetwork`.
        inputs: What is seen: the ``"content"``; ``"both"``, with noise beside it; ``"noise"``, for textures.
        normalization: ``"instance"`` or ``"batch"``, which the paper compares.
        style: The name of the style.

    Raises:
        ValueError: If an argument has an unknown value.

    Example:
        >>> sum(parameter.numel() for parameter in network("johnson").parameters())
        1672323
        >>> network("pyramid", inputs="noise").border
        'circular'
    """
    if model not in get_args(Model):
        raise ValueError(f"`model` must be one of {get_args(Model)}, got {model!r}.")
    if model == "johnson":
        return ResidualNetwork(inputs=inputs, normalization=normalization, style=style)
    return PyramidNetwork(
        inputs=inputs,
        normalization=normalization,
        negative_slope=0.0,
        border="circular" if inputs == "noise" else "replicate",
        style=style,
    )


def criterion(
    encoder: Encoder | None = None,
    *,
    content_layer: str = CONTENT_LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
    diversity: float = 0.0,
) -> Criterion:
    """The losses of the authors' code.

    Args:
        encoder: The network that they look through; that of the table if not given.
        content_layer: Where the content is compared.
        style_layers: Where the Gram matrices are compared.
        content_weight: Of the content; with 0, for textures, the loss is left out.
        style_weight: Of each layer of the style.
        diversity: λ, the weight of the entropy; with 0 the loss is left out. The w of the code, which sums
            logarithms of squares over a batch of N, is 2 N w here: 40,000 for its 5000 and batches of 4.

    Returns:
        A criterion with the losses ``style`` and, if they count, ``content`` and ``diversity``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> list(criterion(vgg19(weights=None), content_weight=0, diversity=100.0).losses)
        ['style', 'diversity']
    """
    style_layers = names(style_layers)
    losses: dict[str, Loss] = {
        "style": GramLoss(style_layers, layer_weights=[style_weight] * len(style_layers), normalization="chw")
    }
    if content_weight:
        losses["content"] = ContentLoss(content_layer, weight=content_weight)
    if diversity:
        losses["diversity"] = DiversityLoss(weight=diversity)
    return Criterion(vgg19() if encoder is None else encoder, losses)


def training(*, num_steps: int = 50_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. The learning rate after so many steps is that of the authors after as many.

    Example:
        >>> options = training()
        >>> options["batch_size"], options["crop_size"], round(options["learning_rate"](0.5), 4)
        (1, 256, 0.0687)
    """
    return adam_training(
        rate=1e-3,
        num_steps=num_steps,
        batch_size=1,
        learning_rate=StepSchedule(num_steps, every=2000, factor=0.8),
    )
