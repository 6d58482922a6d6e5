from collections.abc import Sequence

from torch import Tensor

from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import LayerGeometry


class NoEncoder(Encoder):
    """What stands in for an encoder where all losses look at the image itself: it has no layers."""

    layers = ()

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """No features."""
        self.check_layers(layers)
        del image
        return {}

    def geometry(self, layer: str) -> LayerGeometry:
        """That of no layer.

        Raises:
            ValueError: Always.
        """
        self.check_layers([layer])
        raise AssertionError

    def check_layers(self, layers: Sequence[str]) -> None:
        """Check that there are none.

        Raises:
            ValueError: If there is one.
        """
        if layers:
            raise ValueError(
                f"`encoder` must be given, got None: a loss looks at the layer {next(iter(layers))!r}, which "
                "is none of the image itself."
            )
