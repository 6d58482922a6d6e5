from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, MultiEncoder
from pystyle.losses import ContentLoss, MeanStdLoss
from pystyle.papers._normalized_vgg import or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, training_of_adain
from pystyle.papers._variants import Variant
from pystyle.papers.wang_2023._joint import ENCODER, LOSS
from pystyle.papers.wang_2023._network import MicroASTNetwork
from pystyle.papers.wang_2023._signals import LAYER, ContrastiveStyleLoss, SignalEncoder

CONTENT_LAYER = "relu4_1"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def criterion(
    network: MicroASTNetwork,
    encoder: Encoder | None = None,
    *,
    variant: Variant = "paper",
    style_weight: float = 3.0,
    contrastive_weight: float = 3.0,
) -> Criterion:
    """The loss that trains a network: content, style, and the contrast of its own signals.

    Args:
        network: The network that is to be trained with it, whose signals the contrastive loss looks at.
        encoder: The network of content and style; that of the table if not given.
        variant: What a picture is told from, see :class:`ContrastiveStyleLoss`.
        style_weight: Of the style, for 1 of the content.
        contrastive_weight: Of the contrast.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``contrast``. Its encoders are ``vgg`` and
        ``network``. It is for batches of at least two.

    Raises:
        ValueError: If the variant is another.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> losses = criterion(MicroASTNetwork(), vgg19(weights=None)).losses
        >>> losses["contrast"]
        ContrastiveStyleLoss('network.signals', weight=3)
    """
    encoder = or_normalized_vgg19(encoder)
    style_layers = [f"vgg.{layer}" for layer in STYLE_LAYERS]
    return Criterion(
        MultiEncoder({"vgg": encoder, ENCODER: SignalEncoder(network)}),
        {
            "content": ContentLoss(f"vgg.{CONTENT_LAYER}"),
            # The means over channels of both squares, added; the loss takes the mean of both.
            "style": MeanStdLoss(style_layers, layer_weights=[2.0] * len(style_layers), weight=style_weight),
            LOSS: ContrastiveStyleLoss(f"{ENCODER}.{LAYER}", variant=variant, weight=contrastive_weight),
        },
    )


def training(*, num_steps: int = 160_000) -> TrainingOptions:
    """How the authors train it: what :func:`pystyle.training.train` takes besides network, losses and images.

    Args:
        num_steps: How many steps. The learning rate after so many steps is that of the authors after as many.

    Example:
        >>> options = training(num_steps=10_000)
        >>> options["batch_size"], options["crop_size"], round(options["learning_rate"](1.0), 3)
        (8, 256, 0.667)
    """
    return training_of_adain(num_steps=num_steps, batch_size=8)
