from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pystyle._arguments import check_mapping
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry, compose, windows_of
from pystyle.encoders._names import check_names


class SequentialEncoder(Encoder):
    """An encoder of modules that are applied one after the other.

    Args:
        modules: The modules by the names of their layers, in order. They are frozen and put in
            evaluation mode.
        preprocessing: What is done to the image first, for example :class:`Normalize`. It must
            act on each pixel alone.

    Raises:
        ValueError: If there are no modules or a name is empty or contains a dot.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from torch import nn
        >>> modules = {"conv1": nn.Conv2d(3, 8, 3), "relu1": nn.ReLU(), "pool1": nn.MaxPool2d(2)}
        >>> encoder = SequentialEncoder(modules)
        >>> features = encoder(torch.rand(1, 3, 8, 8), ["conv1", "pool1"])
        >>> {layer: tuple(feature.shape) for layer, feature in features.items()}
        {'conv1': (1, 8, 6, 6), 'pool1': (1, 8, 3, 3)}
        >>> encoder.stride("pool1"), encoder.receptive_field("pool1"), encoder.minimum_size(["pool1"])
        (2, 4, 4)

    Note:
        Modules that work in place, such as ``nn.ReLU(inplace=True)``, never overwrite a layer that
        was asked for: they get a copy of it, and only of it.
    """

    def __init__(self, modules: Mapping[str, nn.Module], *, preprocessing: nn.Module | None = None) -> None:
        super().__init__()
        check_mapping(modules, "`modules`", '{"conv1": nn.Conv2d(3, 8, 3)}')
        if not modules:
            raise ValueError("`modules` must name at least one module, got none.")
        check_names("modules", modules)
        self.preprocessing = nn.Identity() if preprocessing is None else preprocessing
        self.stages = nn.ModuleDict(dict(modules))
        self.requires_grad_(False)
        self.eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the modules."""
        return tuple(self.stages)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers; the modules after the deepest are not run."""
        self.check_layers(layers)
        missing, features = set(layers), {}
        # Convolutions and poolings are faster with the channels innermost, on CPUs and GPUs alike.
        x = self.preprocessing(image).contiguous(memory_format=torch.channels_last)
        untouchable = x is image
        for name, module in self.stages.items():
            if not missing:
                break
            before, x = x, module(x.clone() if untouchable and _works_in_place(module) else x)
            # A module that does nothing here, such as dropout, hands on the very tensor that it got.
            untouchable = name in missing or (untouchable and x is before)
            if name in missing:
                features[name] = x
                missing.remove(name)
        return {layer: features[layer] for layer in layers}

    def segments(self, layers: Sequence[str]) -> list[tuple[Encoder, tuple[str, ...]]]:
        """One segment up to each module that makes the features smaller, such as a pooling."""
        self.check_layers(layers)
        missing, names = set(layers), list[str]()
        found: list[tuple[Encoder, tuple[str, ...]]] = []
        for name, module in self.stages.items():
            names.append(name)
            missing.discard(name)
            if not missing or any(window.stride > 1 for window in windows_of(module)):
                preprocessing = None if found else self.preprocessing
                segment = SequentialEncoder(
                    {name: self.stages[name] for name in names}, preprocessing=preprocessing
                )
                found.append((segment, tuple(layer for layer in layers if layer in names)))
                names = []
            if not missing:
                break
        return found

    def geometry(self, layer: str) -> LayerGeometry:
        """What follows from the windows of the modules up to this layer."""
        self.check_layers([layer])
        names = self.layers[: self.layers.index(layer) + 1]
        return compose(window for name in names for window in windows_of(self.stages[name]))


def _works_in_place(module: nn.Module) -> bool:
    return any(getattr(child, "inplace", False) for child in module.modules())
