import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from pystyle.encoders._geometry import LayerGeometry


class Encoder(nn.Module, ABC):
    """A frozen network that turns an image into named feature maps.

    A subclass gives `layers`, :meth:`forward` and :meth:`geometry`. Most are built with
    :class:`SequentialEncoder` instead, which derives all three from its modules.

    An encoder always stays in evaluation mode, and what composes it into a criterion freezes its
    parameters: a backward pass that computed their gradients would take half as long again.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]; any normalisation happens inside
        - features: (batch, channels, height / stride, width / stride) for each layer

    Example:
        >>> import torch
        >>> class Brightness(Encoder):
        ...     layers = ("grey",)
        ...     def forward(self, image, layers):
        ...         return {"grey": image.mean(1, keepdim=True)}
        ...     def geometry(self, layer):
        ...         return LayerGeometry(stride=1, receptive_field=1, minimum_size=1)
        >>> Brightness()(torch.ones(1, 3, 2, 2), ["grey"])["grey"].shape
        torch.Size([1, 1, 2, 2])
    """

    @property
    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """The names of all layers, in the order in which they are computed."""

    @abstractmethod
    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The features of the wanted layers, computed no deeper than the deepest of them."""

    @abstractmethod
    def geometry(self, layer: str) -> LayerGeometry:
        """Stride, receptive field and smallest image of a layer."""

    @property
    def image_dtype(self) -> torch.dtype | None:
        """The type of image it takes: that of its parameters; None for any, if it has none."""
        return next((parameter.dtype for parameter in self.parameters()), None)

    def members(self, layer: str) -> tuple[str, ...]:
        """The layers whose features :func:`~pystyle.functional.hypercolumns` joins to those of a layer.

        By default there is one, the layer itself. A loss that looks at some positions gets them unjoined; see
        :attr:`Loss.takes_maps <pystyle.Loss>`. The image may be one of several.
        """
        self.check_layers([layer])
        return (layer,)

    def segments(self, layers: Sequence[str]) -> "list[tuple[Encoder, tuple[str, ...]]]":
        """Encoders that do the same one after the other, and which of the wanted layers each has.

        Each but the last hands on its own last layer. The more segments there are, the less has to be
        computed twice where an image is evaluated in strips. By default there is one, the encoder itself.
        """
        self.check_layers(layers)
        return [(self, tuple(layers))]

    def stride(self, layer: str) -> int:
        """The distance in pixels between neighbouring positions of a layer."""
        return self.geometry(layer).stride

    def receptive_field(self, layer: str) -> int:
        """The side in pixels of what one position of a layer sees."""
        return self.geometry(layer).receptive_field

    def minimum_size(self, layers: Sequence[str]) -> int:
        """The side in pixels of the smallest image for which every one of these layers exists."""
        return max((self.geometry(layer).minimum_size for layer in layers), default=1)

    def multiple(self, layers: Sequence[str]) -> int:
        """What the sides of an image that wraps must be multiples of for these layers, in pixels.

        By default that of their strides. Where a layer is made of deeper ones, theirs count as well.
        """
        return math.lcm(*(self.stride(layer) for layer in layers))

    def check_layers(self, layers: Sequence[str]) -> None:
        """Check that all layers exist.

        Raises:
            ValueError: If one does not, with the most similar name.
        """
        if isinstance(layers, str):
            raise TypeError(
                f"`layers` must be a sequence of names, got the string {layers!r}. Use [{layers!r}]."
            )
        for layer in layers:
            if layer not in self.layers:
                names = [name.strip() for name in layer.split(",")]
                similar = difflib.get_close_matches(layer, self.layers, n=1)
                hint = f" Did you mean {similar[0]!r}?" if similar else ""
                hint = f" Did you mean {names}?" if set(names) <= set(self.layers) else hint
                raise ValueError(f"`layers` must be some of {', '.join(self.layers)}; got {layer!r}.{hint}")

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever `mode` is: batch statistics would follow the image."""
        del mode
        return super().train(False)

    def __repr__(self) -> str:
        """The layers, in one line: the modules of a network would bury what it is part of."""
        layers = self.layers if len(self.layers) <= 4 else (*self.layers[:2], "...", self.layers[-1])
        return f"{type(self).__name__}({', '.join(layers)})"
