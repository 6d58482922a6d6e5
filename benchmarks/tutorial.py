"""The loop of the PyTorch tutorial, written anew: losses are modules inside a sequence of layers."""

import torch
from objectives import CONTENT_LAYER, STYLE_LAYERS, STYLE_WEIGHT
from steps import Step, leaf_step
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from pystyle.encoders import SequentialEncoder


def tutorial(encoder: SequentialEncoder, content: Tensor, style: Tensor, *, frozen: bool = True) -> Step:
    """The loop of the tutorial.

    `frozen` is the tutorial of today; it did not freeze the network at first, and many copies do not. Its
    Gram matrix is divided by channels and positions, so the style weight is that of the objective.
    """
    model = nn.Sequential(_Normalization(encoder))
    layers = nn.Sequential(*model)  # without the losses, for images of another size
    content_losses: list[_ContentMatch] = []
    style_losses: list[_StyleMatch] = []
    for layer, module in encoder.stages.items():
        layers.append(_copy(module))
        model.append(layers[-1])
        if layer == CONTENT_LAYER:
            content_losses.append(_ContentMatch(layers(content)))
            model.append(content_losses[-1])
        if layer in STYLE_LAYERS:
            style_losses.append(_StyleMatch(layers(style)))
            model.append(style_losses[-1])
        if len(style_losses) == len(STYLE_LAYERS):
            break
    model.requires_grad_(not frozen)

    def function(image: Tensor) -> Tensor:
        model(image)
        content_score = sum(match.loss for match in content_losses)
        style_score = sum(match.loss for match in style_losses)
        return content_score + STYLE_WEIGHT * style_score

    return leaf_step(function, content)


class _Normalization(nn.Module):
    def __init__(self, encoder: SequentialEncoder) -> None:
        super().__init__()
        self.mean, self.std = encoder.preprocessing.mean.clone(), encoder.preprocessing.std.clone()

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std


class _ContentMatch(nn.Module):
    """Lets the features through and keeps the loss."""

    def __init__(self, target: Tensor) -> None:
        super().__init__()
        self.target = target.detach()

    def forward(self, features: Tensor) -> Tensor:
        self.loss = mse_loss(features, self.target)
        return features


class _StyleMatch(nn.Module):
    """Lets the features through and keeps the loss."""

    def __init__(self, target: Tensor) -> None:
        super().__init__()
        self.target = _gram(target).detach()

    def forward(self, features: Tensor) -> Tensor:
        self.loss = mse_loss(_gram(features), self.target)
        return features


def _gram(features: Tensor) -> Tensor:
    batch, channels, height, width = features.shape
    vectors = features.view(batch * channels, height * width)
    return torch.mm(vectors, vectors.t()).div(batch * channels * height * width)


def _copy(module: nn.Module) -> nn.Module:
    """A module of its own, with weights in the usual layout, and no ReLU in place."""
    if isinstance(module, nn.Conv2d):
        copy = nn.Conv2d(module.in_channels, module.out_channels, 3, padding=1)
        copy.load_state_dict(module.state_dict())
        return copy.to(module.weight.device)
    return nn.ReLU() if isinstance(module, nn.ReLU) else nn.MaxPool2d(2)
