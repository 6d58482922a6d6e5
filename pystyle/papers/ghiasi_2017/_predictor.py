import os
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle.encoders import Normalize, torchvision_encoder

PredictorName: TypeAlias = Literal["mobilenet_v2", "inception_v3"]


class _Trunk(NamedTuple):
    """Where a network of torchvision ends, what comes out of it, and which images its weights expect.

    Attributes:
        layer: The name of the last layer.
        channels: Its channels.
        smallest: The side of the smallest image that has it.
        mean: What is subtracted from images in [0, 1].
        std: What they are then divided by.
    """

    layer: str
    channels: int
    smallest: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


_TRUNKS: dict[str, _Trunk] = {
    "mobilenet_v2": _Trunk("features.18", 1280, 1, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception_v3": _Trunk("Mixed_6e", 768, 75, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


class StylePredictor(nn.Module):
    """Predicts from an image how a painting network is to be scaled and shifted, by way of a few numbers.

    A network for recognition, without its head, and the mean over all positions; a linear layer makes the
    embedding of it, and another one the scales and shifts. All of it is trained.

    Args:
        predictor: The network for recognition: ``"mobilenet_v2"`` or ``"inception_v3"``.
        channels: The channels of each layer that is scaled and shifted.
        bottleneck: The numbers of the embedding.

    Raises:
        ValueError: If there is no such network.

    Shape:
        - style: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, bottleneck)

    Example:
        >>> predictor = StylePredictor("mobilenet_v2", [8, 4]).eval()
        >>> embedding = predictor(torch.rand(2, 3, 32, 32))
        >>> embedding.shape, predictor.scales_and_shifts(embedding).shape
        (torch.Size([2, 100]), torch.Size([2, 2, 12]))
    """

    def __init__(self, predictor: PredictorName, channels: Sequence[int], *, bottleneck: int = 100) -> None:
        super().__init__()
        if predictor not in get_args(PredictorName):
            raise ValueError(f"`predictor` must be one of {get_args(PredictorName)}, got {predictor!r}.")
        self.smallest = _TRUNKS[predictor].smallest
        self.trunk = trunk_of(predictor, None)
        self.bottleneck = nn.Linear(_TRUNKS[predictor].channels, bottleneck)
        self.layers = nn.Linear(bottleneck, 2 * sum(channels))
        nn.init.xavier_uniform_(self.bottleneck.weight)
        for rows in torch.split(self.layers.weight.detach(), [*channels, *channels]):
            nn.init.xavier_uniform_(rows)
        nn.init.zeros_(self.bottleneck.bias)
        nn.init.zeros_(self.layers.bias)

    def forward(self, style: Tensor) -> Tensor:
        """The embedding of a style."""
        below, right = (max(self.smallest - side, 0) for side in style.shape[2:])
        if below or right:
            style = pad(style, (0, right, 0, below), mode="replicate")
        embedding: Tensor = self.bottleneck(self.trunk(style).mean((2, 3)))
        return embedding

    def scales_and_shifts(self, embedding: Tensor) -> Tensor:
        """What an embedding stands for.

        Shape:
            - embedding: (batch, bottleneck)
            - output: (batch, 2, channels of all layers), scales first
        """
        predicted: Tensor = self.layers(embedding)
        return torch.stack(predicted.chunk(2, 1), 1)


def trunk_of(predictor: PredictorName, weights: str | os.PathLike[str] | None) -> nn.Sequential:
    """A network for recognition up to the layer whose mean is taken, normalisation of images included.

    Raises:
        ValueError: If the weights are unknown.
        WeightsError: If they are missing, damaged, or of another network.
    """
    trunk = _TRUNKS[predictor]
    if weights is None:
        module = _random(predictor)
    else:
        module = torchvision_encoder(predictor, weights, layers=[trunk.layer]).module
    folder, _, last = trunk.layer.rpartition(".")
    stages = dict(module.get_submodule(folder).named_children())
    names = list(stages)[: list(stages).index(last) + 1]
    found = nn.Sequential(Normalize(trunk.mean, trunk.std), *(stages[name] for name in names))
    return found.train().requires_grad_(True)


def _random(predictor: PredictorName) -> nn.Module:
    from torchvision import models

    options = {"init_weights": True} if predictor == "inception_v3" else {}
    module: nn.Module = models.get_model(predictor, weights=None, **options)
    return module
