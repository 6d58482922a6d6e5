import torch
from torch import nn

from pystyle.encoders import SequentialEncoder, vgg19

STRENGTHS = {
    "relu1_1": 0.26, "relu1_2": 0.53, "relu2_1": 0.84, "relu2_2": 0.88, "relu3_1": 1.45, "relu3_2": 1.44,
    "relu3_3": 1.02, "relu4_1": 1.11, "relu4_2": 0.78, "relu4_3": 0.35, "relu5_1": 0.59, "relu5_2": 0.40,
    "relu5_3": 0.13,
}  # fmt: skip
"""Mean features of torchvision's VGG-16 by those of the normalised VGG-19, on ten images of 256 pixels."""


def vgg16_stand_in() -> SequentialEncoder:
    """VGG-19 with layers as strong as those of torchvision's VGG-16, for where that cannot be downloaded.

    In vectors of several layers each counts by how strong it is, and moments grow with it. The normalised
    VGG-19 has layers that are all equal, and with it the photograph is soon lost; in the one of Caffe they
    are a hundred times stronger, and moments outweigh all else. Here each layer of the normalised one is
    multiplied by a number, which changes nothing but its strength: rectifiers and poolings keep positive
    factors. On 16 photographs and paintings of 256 pixels the mean features of all 13 layers are within 6 %
    of those of VGG-16; the channels of a layer are more equal than there.

    Returns:
        The network, with the layers of :func:`pystyle.encoders.vgg19`. A layer that VGG-16 does not have is
        as strong as by the factor of the one before it.

    Raises:
        WeightsError: If the weights of VGG-19 cannot be found.

    Example:
        >>> features = vgg16_stand_in()(torch.rand(1, 3, 32, 32), ["relu3_3"])
        >>> features["relu3_3"].shape
        torch.Size([1, 256, 8, 8])
    """
    encoder = vgg19("caffe_normalized")
    before = 1.0
    with torch.no_grad():
        for name, stage in encoder.stages.items():
            if isinstance(stage, nn.Conv2d) and stage.bias is not None:
                factor = STRENGTHS.get(name.replace("conv", "relu"), before)
                stage.weight.mul_(factor / before)
                stage.bias.mul_(factor)
                before = factor
    return encoder
