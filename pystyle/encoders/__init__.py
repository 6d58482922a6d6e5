"""Encoders: frozen networks that turn an image into named feature maps."""

from pystyle.encoders._bands import BandPass
from pystyle.encoders._constructors import (
    alexnet,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._geometry import WHOLE_IMAGE, LayerGeometry
from pystyle.encoders._hypercolumns import HypercolumnEncoder
from pystyle.encoders._low_precision import LowPrecisionEncoder
from pystyle.encoders._masks import propagate_mask
from pystyle.encoders._module_encoder import ModuleEncoder
from pystyle.encoders._modules import Normalize, ScaledAveragePool2d, ScaledL2Pool2d
from pystyle.encoders._multi import MultiEncoder
from pystyle.encoders._named import named_encoder
from pystyle.encoders._segment import LayerRows
from pystyle.encoders._sequential import SequentialEncoder
from pystyle.encoders._strips import StripPass
from pystyle.encoders._timm import timm_encoder
from pystyle.encoders._torchvision import torchvision_encoder
from pystyle.encoders._weights import WeightsError
from pystyle.encoders._wrapped import WrappedEncoder

__all__ = [
    "BandPass",
    "Encoder",
    "HypercolumnEncoder",
    "LayerGeometry",
    "LayerRows",
    "LowPrecisionEncoder",
    "ModuleEncoder",
    "MultiEncoder",
    "Normalize",
    "ScaledAveragePool2d",
    "ScaledL2Pool2d",
    "SequentialEncoder",
    "StripPass",
    "WHOLE_IMAGE",
    "WeightsError",
    "WrappedEncoder",
    "alexnet",
    "named_encoder",
    "propagate_mask",
    "timm_encoder",
    "torchvision_encoder",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
