import os

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.networks import Stylizer
from pystyle.papers.ghiasi_2017._predictor import PredictorName, StylePredictor, trunk_of
from pystyle.papers.ghiasi_2017._transformer import StyledTransformer

_PREDICTOR: PredictorName = "mobilenet_v2"


class StylePredictionNetwork(Stylizer):
    """The network of the paper: one that paints, and one that predicts from a style how it is to paint.

    The code of a style is its embedding, so blends are points between the embeddings of styles.

    Args:
        predictor: What the predictor is made of: ``"mobilenet_v2"``, as the authors' network for mobile
            devices, or ``"inception_v3"``, as that of the paper.
        width: Channels of the painting network at the full size.
        bottleneck: The numbers of an embedding.

    Raises:
        ValueError: If there is no such predictor, or a number is not positive.

    Shape:
        - content, output: (batch, 3, height, width)
        - code: (batch, bottleneck)

    Example:
        >>> paint = StylePredictionNetwork(width=4).bind(torch.rand(1, 3, 32, 40))
        >>> paint(torch.rand(1, 3, 50, 37), strength=0.5).shape
        torch.Size([1, 3, 50, 37])

    Note:
        In a training it normalises over the batch, so there must be at least two contents in one.
    """

    def __init__(
        self, *, predictor: PredictorName = _PREDICTOR, width: int = 32, bottleneck: int = 100
    ) -> None:
        super().__init__()
        self.width = whole_number(width, "`width`", least=1)
        self.bottleneck = whole_number(bottleneck, "`bottleneck`", least=1)
        self.transformer = StyledTransformer(self.width)
        self.predictor: PredictorName = predictor
        self.style_predictor = StylePredictor(
            predictor, self.transformer.channels, bottleneck=self.bottleneck
        )

    def represent_style(self, style: Tensor) -> Tensor:
        """The embedding."""
        embedding: Tensor = self.style_predictor(style)
        return embedding

    def forward(self, content: Tensor, code: Tensor) -> Tensor:
        """The picture, in [0, 1]."""
        picture: Tensor = self.transformer(content, self.style_predictor.scales_and_shifts(code))
        return picture

    def mixed(self, content: Tensor, code: Tensor, strength: float) -> Tensor:
        """The picture of an embedding between that of the content, seen as a style, and that of the style.

        With a strength of 0 it is the content painted in its own style, which the authors call the identity.
        """
        return self.forward(content, torch.lerp(self.represent_style(content), code, strength))


def network(
    *,
    predictor: PredictorName = _PREDICTOR,
    width: int = 32,
    bottleneck: int = 100,
    weights: str | os.PathLike[str] | None = "IMAGENET1K_V1",
) -> StylePredictionNetwork:
    """The network as its training begins: with a predictor that can recognise; see `StylePredictionNetwork`.

    Args:
        predictor: What the predictor is made of.
        width: Channels of the painting network at the full size.
        bottleneck: The numbers of an embedding.
        weights: Those that the predictor starts from, see :func:`~pystyle.encoders.torchvision_encoder`: a
            name of torchvision's, which are downloaded, a file, or None for random ones.

    Raises:
        ValueError: If there is no such predictor, a number is not positive, or the weights are unknown.
        WeightsError: If the weights are missing, damaged, or of another network.

    Example:
        >>> found = network(weights=None)
        >>> sum(parameter.numel() for parameter in found.transformer.parameters() if parameter.requires_grad)
        1674656
        >>> found.represent_style(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 100])
    """
    made = StylePredictionNetwork(predictor=predictor, width=width, bottleneck=bottleneck)
    if weights is not None:
        made.style_predictor.trunk.load_state_dict(trunk_of(predictor, weights).state_dict())
    return made
