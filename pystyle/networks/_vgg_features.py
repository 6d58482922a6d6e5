from torch import Tensor

from pystyle.encoders import vgg19
from pystyle.networks._bands import in_bands
from pystyle.networks._features import Features
from pystyle.networks._frozen_encoder import FrozenEncoder

_HALO = 6
"""How many rows around its own a feature sees: six pixels from the image, four from the fine features."""


class VGGFeatures(Features):
    """The features of VGG-19 at relu2_1 and relu3_1, of which a network makes use without having them.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 128, height / 2, width / 2) and (batch, 256, height / 4, width / 4), rounded up
    """

    halo = 3 * _HALO

    def __init__(self) -> None:
        super().__init__()
        encoder = vgg19(weights="caffe_normalized", padding="replicate", ceil_mode=True)
        self.encoder = FrozenEncoder(encoder, ["relu2_1", "relu3_1"])
        self.fine_channels, self.coarse_channels = self.encoder.channels

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The features."""
        to_fine, to_coarse = self.encoder.segments
        fine = in_bands(to_fine, image, halo=_HALO, down=2)
        return fine, in_bands(to_coarse, fine, halo=_HALO, down=2)
