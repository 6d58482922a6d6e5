import os
from collections.abc import Sequence

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder
from pystyle.encoders._construction import construction
from pystyle.losses import ContentLoss
from pystyle.networks import FrozenEncoder, Stylizer, mirror
from pystyle.papers._layers import num_channels
from pystyle.papers._normalized_vgg import normalized_vgg19, or_normalized_vgg19
from pystyle.papers._training import TrainingOptions, training_of_adain
from pystyle.papers.li_fang_2017._network import WCTNetwork, layer_of


class Reconstruction(Stylizer):
    """A level as it is trained: encoder and decoder with nothing between them.

    It paints what it sees. Styles are not looked at; :func:`pystyle.training.train` wants some, and the
    contents will do.

    Args:
        level: Which of relu1_1 to relu5_1 the picture is painted from.
        weights: Those of VGG-19, see :func:`~pystyle.encoders.vgg19`. They are in no file of the network.

    Raises:
        ValueError: If `level` is not from 1 to 5.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: (batch, 1)

    Example:
        >>> import torch
        >>> image = torch.rand(1, 3, 32, 48)
        >>> part = Reconstruction(level=2, weights=None)
        >>> part(image, part.represent_style(image)).shape
        torch.Size([1, 3, 32, 48])
    """

    stride = 16
    smallest = 32

    def __init__(
        self, *, level: int = 5, weights: str | os.PathLike[str] | None = "caffe_normalized"
    ) -> None:
        super().__init__()
        self.level, self.weights = whole_number(level, "`level`", least=1, most=5), weights
        encoder, layer = normalized_vgg19(weights), layer_of(self.level)
        self.encoder = FrozenEncoder(encoder, [layer])
        self.decoder = mirror(encoder, layer, border="reflect")

    def represent_style(self, style: Tensor) -> Tensor:
        """Nothing of it."""
        return style.new_zeros(len(style), 1)

    def forward(self, content: Tensor, code: Tensor) -> Tensor:
        """What the decoder makes of the content; some of its pixels may leave [0, 1]."""
        del code
        (features,) = self.encoder(content)
        picture: Tensor = self.decoder(features)
        return picture


def joined(parts: Sequence[Reconstruction], *, alpha: float = 0.6) -> WCTNetwork:
    """The network of levels that were trained one by one.

    Args:
        parts: The levels, from the one that paints first.
        alpha: How much of the transformed features a level takes.

    Returns:
        A network with copies of their decoders.

    Raises:
        ValueError: If there are none, two of a level, or some see through other weights than the first.

    Example:
        >>> parts = [Reconstruction(level=level, weights=None) for level in (2, 1)]
        >>> joined(parts).levels
        (2, 1)
    """
    levels = [part.level for part in parts]
    if not parts or len(set(levels)) < len(parts):
        raise ValueError(f"`parts` must be of different levels, at least one, got {levels}.")
    weights = parts[0].weights
    if any(part.weights != weights for part in parts):
        found = [part.weights for part in parts]
        raise ValueError(f"`parts` must see through the same weights of VGG-19, got {found}.")
    with construction():
        network = WCTNetwork(levels=levels, alpha=alpha, weights=weights)
    network.to(next(parts[0].parameters()))
    for decoder, part in zip(network.decoders, parts, strict=True):
        decoder.load_state_dict(part.decoder.state_dict())
    return network.eval()


def criterion(encoder: Encoder | None = None, *, level: int = 5, feature_weight: float = 1.0) -> Criterion:
    """The loss of a decoder for one pixel: the sums divided by how many pixels there are.

    Args:
        encoder: The network; that of the table if not given.
        level: Which of relu1_1 to relu5_1 the decoder begins at.
        feature_weight: The factor λ.

    Returns:
        A criterion with the losses ``pixels`` and ``features``.

    Raises:
        ValueError: If `level` is not from 1 to 5.

    Example:
        >>> from pystyle.encoders import vgg19
        >>> criterion(vgg19(weights=None), level=3).losses["features"]
        ContentLoss('relu3_1', weight=16)

    Note:
        The port of Davis takes means in place of the sums: for one pixel its λ is 3 times the square of the
        stride, divided by the channels, 3/16 at level 3.
    """
    layer = layer_of(whole_number(level, "`level`", least=1, most=5))
    encoder = or_normalized_vgg19(encoder)
    (channels,) = num_channels(encoder, [layer])
    scale = channels / encoder.stride(layer) ** 2
    return Criterion(
        encoder,
        {
            "pixels": ContentLoss("image", weight=3.0),
            "features": ContentLoss(layer, weight=feature_weight * scale),
        },
    )


def training(*, num_steps: int = 160_000) -> TrainingOptions:
    """How the port that the authors link to trains a decoder: what :func:`pystyle.training.train` takes.

    Args:
        num_steps: How many steps. The learning rate after so many steps is that of the port after as many.

    Example:
        >>> options = training(num_steps=10_000)
        >>> options["batch_size"], options["crop_size"], round(options["learning_rate"](1.0), 3)
        (8, 256, 0.667)
    """
    return training_of_adain(num_steps=num_steps, batch_size=8)
