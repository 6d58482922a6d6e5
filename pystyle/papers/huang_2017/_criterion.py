from collections.abc import Sequence

from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.functional import channel_mean_std
from pystyle.losses import Loss, MeanStdLoss
from pystyle.networks import instance_normalization
from pystyle.papers._layers import names, num_channels
from pystyle.papers._normalized_vgg import or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, training_of_adain
from pystyle.papers.huang_2017._network import LAYER

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


class AdaINLoss(Loss):
    """The mean squared difference to features of the content with the moments of the style, equation 12.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The names of the content and of the style, if they are others.

    Raises:
        ValueError: If `reference` does not name two images.

    Example:
        >>> AdaINLoss("relu4_1")
        AdaINLoss('relu4_1')
    """

    reference = ("content", "style")
    spatial = "dense"

    def represent(self, features: Tensor) -> Tensor:
        """The features."""
        return features

    def prepare(self, content: Tensor, style: Tensor) -> Tensor:  # type: ignore[override]
        """The features of the content, channel by channel with mean and deviation of those of the style."""
        mean, std = channel_mean_std(style).unbind(1)
        return instance_normalization(content, std, mean)


def criterion(
    encoder: Encoder | None = None,
    *,
    layer: str = LAYER,
    style_layers: str | Sequence[str] = STYLE_LAYERS,
    style_weight: float = 0.1,
) -> Criterion:
    """The loss of equation 11, in the form of the authors' code.

    Args:
        encoder: The network; that of the table if not given.
        layer: Where the picture is to have the features that it was painted from.
        style_layers: Where it is to have the means and deviations of the style.
        style_weight: The factor λ.

    Returns:
        A criterion with the losses ``content`` and ``style``.

    Raises:
        ValueError: If a layer is unknown.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> criterion(vgg19(weights=None)).losses["style"].layer_weights["relu2_1"]
        256.0
    """
    encoder = or_normalized_vgg19(encoder)
    style_layers = names(style_layers)
    # Sums over the means and the deviations of all channels; the loss takes the mean.
    sums = [2.0 * count for count in num_channels(encoder, style_layers)]
    return Criterion(
        encoder,
        {
            "content": AdaINLoss(layer),
            "style": MeanStdLoss(style_layers, layer_weights=sums, weight=style_weight),
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
