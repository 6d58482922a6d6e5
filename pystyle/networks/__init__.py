"""Networks that paint in one pass, and the parts that they are made of."""

from pystyle.networks._any_style_network import AnyStyleNetwork, StyleMoments
from pystyle.networks._convolution import Convolution
from pystyle.networks._decoder import Decoder, DecoderLayer, mirror
from pystyle.networks._frozen_encoder import FrozenEncoder
from pystyle.networks._hub import HubMixin
from pystyle.networks._instance_normalization import instance_normalization
from pystyle.networks._painter import Painter
from pystyle.networks._pretrained import pretrained, pretrained_names
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._stylizer import Style, Stylizer
from pystyle.networks._transform_network import TransformNetwork

__all__ = [
    "AnyStyleNetwork",
    "Convolution",
    "Decoder",
    "DecoderLayer",
    "FrozenEncoder",
    "HubMixin",
    "Painter",
    "ResidualBlock",
    "ResizeConvolution",
    "Style",
    "StyleMoments",
    "Stylizer",
    "TransformNetwork",
    "instance_normalization",
    "mirror",
    "pretrained",
    "pretrained_names",
]
