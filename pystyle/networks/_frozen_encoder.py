import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from pystyle.encoders import SequentialEncoder
from pystyle.encoders._architectures import Padding
from pystyle.encoders._construction import construction
from pystyle.networks._convolution import Convolution
from pystyle.networks._layout import channels_last


class FrozenEncoder(nn.Module):
    """Layers of an encoder that a network sees through without having them.

    Nothing trains its weights, and no file of a network has them: they come with the installation.

    Args:
        encoder: The encoder, whose weights are taken as they are.
        layers: One layer or several, from the first to the deepest.

    Attributes:
        channels: The channels of each layer.

    Raises:
        ValueError: If the encoder has no such layer, or they are not in its order.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: for each layer (batch, channels, height / stride, width / stride)

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> encoder = FrozenEncoder(vgg19(weights=None), ["relu2_1", "relu3_1"])
        >>> [tuple(features.shape) for features in encoder(torch.rand(1, 3, 32, 48))]
        [(1, 128, 16, 24), (1, 256, 8, 12)]
        >>> encoder.state_dict(), list(encoder.parameters())
        (OrderedDict(), [])
    """

    def __init__(self, encoder: SequentialEncoder, layers: Sequence[str]) -> None:
        super().__init__()
        names = encoder.layers
        encoder.check_layers(layers)
        ends = [names.index(layer) + 1 for layer in layers]
        if not ends or ends != sorted(set(ends)):
            raise ValueError(f"`layers` must be in the order of the encoder, {names}, got {tuple(layers)}.")
        stages = [_as_parts_are(encoder.stages[name]) for name in names[: ends[-1]]]
        starts = [0, *ends[:-1]]
        parts = [_keeping_what_comes_in(stages[start:end]) for start, end in zip(starts, ends, strict=True)]
        parts[0].insert(0, copy.deepcopy(encoder.preprocessing))
        self.segments = nn.ModuleList(nn.Sequential(*part) for part in parts)
        channels = [stage.out_channels if isinstance(stage, nn.Conv2d) else 0 for stage in stages]
        self.channels = [next(filter(None, reversed(channels[:end])), 3) for end in ends]
        _become_buffers(self)
        # Encoders are never made in half precision; the network around this one may be.
        self.to(torch.get_default_dtype())

    def forward(self, image: Tensor) -> list[Tensor]:
        """The features of the layers."""
        found, features = [], image
        for segment in self.segments:
            features = segment(features)
            found.append(features)
        return found


def _as_parts_are(stage: nn.Module) -> nn.Module:
    """A convolution as one of the parts of networks, which are fast in half precision."""
    if not isinstance(stage, nn.Conv2d) or stage.stride != (1, 1):
        return copy.deepcopy(stage)
    border = cast(Padding, stage.padding_mode)
    with construction():
        layer = Convolution(stage.in_channels, stage.out_channels, stage.kernel_size[0], border=border)
    layer.to(stage.weight).load_state_dict(stage.state_dict())
    return channels_last(layer)


def _keeping_what_comes_in(stages: list[nn.Module]) -> list[nn.Module]:
    """The stages behind a layer, which is wanted: a ReLU that works in place would overwrite it."""
    return [
        nn.ReLU() if isinstance(stage, nn.ReLU) and not index else stage for index, stage in enumerate(stages)
    ]


def _become_buffers(module: nn.Module) -> None:
    for part in module.modules():
        for name, value in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]:
            delattr(part, name)
            part.register_buffer(name, value.detach(), persistent=False)
