from fractions import Fraction

from torch import Tensor, nn

from pystyle.encoders import vgg19
from pystyle.networks._bands import in_bands

_LAYER = "relu3_1"
_HALO = 12
"""How far a feature sees: ten pixels, and a multiple of the stride."""


class VGGFeatures(nn.Module):
    """The features of VGG-19 at relu3_1, of which a network makes use without having them.

    The weights come with the installation. They are buffers that no file of a network has, and nothing
    trains them.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 256, height / 4, width / 4), rounded up
    """

    channels = 256

    def __init__(self) -> None:
        super().__init__()
        encoder = vgg19(weights="caffe_normalized", padding="replicate", ceil_mode=True)
        names = encoder.layers[: encoder.layers.index(_LAYER) + 1]
        self.layers = nn.Sequential(encoder.preprocessing, *(encoder.stages[name] for name in names))
        for module in self.layers.modules():
            for name, value in [
                *module.named_parameters(recurse=False),
                *module.named_buffers(recurse=False),
            ]:
                delattr(module, name)
                module.register_buffer(name, value.detach(), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The features."""
        return in_bands(self.layers, image, halo=_HALO, scale=Fraction(1, 4), multiple=4)
