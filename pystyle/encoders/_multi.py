import math
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from pystyle._arguments import check_mapping
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry
from pystyle.encoders._names import check_names


class MultiEncoder(Encoder):
    """Several encoders as one, so that the losses of one criterion can look through all of them.

    The layers carry the name of their encoder: ``"vgg.relu1_1"``. Only the encoders of which a
    layer is wanted are run.

    Args:
        encoders: The encoders by name.

    Raises:
        ValueError: If there are none.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from pystyle.encoders import SequentialEncoder
        >>> sharp = SequentialEncoder({"conv1": nn.Conv2d(3, 8, 3)})
        >>> blurred = SequentialEncoder({"pool1": nn.AvgPool2d(4)})
        >>> encoder = MultiEncoder({"sharp": sharp, "blurred": blurred})
        >>> encoder.layers
        ('sharp.conv1', 'blurred.pool1')
        >>> encoder(torch.rand(1, 3, 8, 8), ["blurred.pool1"])["blurred.pool1"].shape
        torch.Size([1, 3, 2, 2])
    """

    def __init__(self, encoders: Mapping[str, Encoder]) -> None:
        super().__init__()
        check_mapping(encoders, "`encoders`", '{"vgg": vgg19()}')
        if not encoders:
            raise ValueError("`encoders` must name at least one encoder, got none.")
        check_names("encoders", encoders)
        self.encoders = nn.ModuleDict(dict(encoders))
        self.eval()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of all encoders, each with the name of its encoder in front."""
        return tuple(f"{name}.{layer}" for name in self.encoders for layer in self._encoder(name).layers)

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers; one pass of each encoder that has some."""
        self.check_layers(layers)
        features = {}
        for name in self.encoders:
            own = [layer.removeprefix(f"{name}.") for layer in layers if layer.startswith(f"{name}.")]
            if own:
                found = self._encoder(name)(image, own)
                features.update({f"{name}.{layer}": feature for layer, feature in found.items()})
        return {layer: features[layer] for layer in layers}

    def geometry(self, layer: str) -> LayerGeometry:
        """The geometry of the layer in its own encoder."""
        self.check_layers([layer])
        name, _, own = layer.partition(".")
        return self._encoder(name).geometry(own)

    def multiple(self, layers: Sequence[str]) -> int:
        """That of all encoders for their own layers."""
        self.check_layers(layers)
        parts = [layer.partition(".") for layer in layers]
        return math.lcm(*(self._encoder(name).multiple([own]) for name, _, own in parts))

    def _encoder(self, name: str) -> Encoder:
        encoder = self.encoders[name]
        if not isinstance(encoder, Encoder):
            raise TypeError(f"`encoders` must hold encoders, got a {type(encoder).__name__} named {name!r}.")
        return encoder
