from torch import Tensor, nn

from pystyle.encoders import vgg19
from pystyle.networks._bands import in_bands
from pystyle.networks._convolution import Convolution
from pystyle.networks._features import Features
from pystyle.networks._layout import channels_last

_FINE, _COARSE = "relu2_1", "relu3_1"
_HALO = 6
"""How many rows around its own a feature sees: six pixels from the image, four from the fine features."""


class VGGFeatures(Features):
    """The features of VGG-19 at relu2_1 and relu3_1, of which a network makes use without having them.

    The weights come with the installation. They are buffers that no file of a network has, and nothing
    trains them.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - output: (batch, 128, height / 2, width / 2) and (batch, 256, height / 4, width / 4), rounded up
    """

    fine_channels = 128
    coarse_channels = 256
    halo = 3 * _HALO

    def __init__(self) -> None:
        super().__init__()
        encoder = vgg19(weights="caffe_normalized", padding="replicate", ceil_mode=True)
        stages = [
            _as_parts_are(encoder.stages[name])
            for name in encoder.layers[: encoder.layers.index(_COARSE) + 1]
        ]
        border = encoder.layers.index(_FINE) + 1
        self.fine = nn.Sequential(encoder.preprocessing, *stages[:border])
        self.coarse = nn.Sequential(*stages[border:])
        for module in self.modules():
            for name, value in [
                *module.named_parameters(recurse=False),
                *module.named_buffers(recurse=False),
            ]:
                delattr(module, name)
                module.register_buffer(name, value.detach(), persistent=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The features."""
        fine = in_bands(self.fine, image, halo=_HALO, down=2)
        return fine, in_bands(self.coarse, fine, halo=_HALO, down=2)


def _as_parts_are(stage: nn.Module) -> nn.Module:
    """A convolution as one of the parts of networks, which are fast in half precision."""
    if not isinstance(stage, nn.Conv2d):
        return stage
    layer = Convolution(stage.in_channels, stage.out_channels)
    layer.load_state_dict(stage.state_dict())
    return channels_last(layer)
