"""Networks that paint in one pass, and the parts that they are made of."""

from pystyle.networks._any_style_network import AnyStyleNetwork, StyleMoments
from pystyle.networks._convolution import Convolution
from pystyle.networks._decoder import Decoder, DecoderLayer, mirror
from pystyle.networks._frozen_encoder import FrozenEncoder
from pystyle.networks._haar_pooling import HaarBands, haar_parts, haar_pooling, haar_unpooling
from pystyle.networks._hub import HubMixin
from pystyle.networks._instance_normalization import InstanceNormalization, instance_normalization
from pystyle.networks._minibatch_deviation import MinibatchDeviation
from pystyle.networks._multi_scale_discriminator import MultiScaleDiscriminator
from pystyle.networks._painter import Painter
from pystyle.networks._patch_discriminator import PatchDiscriminator
from pystyle.networks._position_attention import KeysAndValues, PositionAttention
from pystyle.networks._pretrained import pretrained, pretrained_names
from pystyle.networks._pruning import pruned
from pystyle.networks._regions import by_region
from pystyle.networks._residual_block import ResidualBlock
from pystyle.networks._resize_convolution import ResizeConvolution
from pystyle.networks._resnet_generator import ResNetGenerator
from pystyle.networks._self_attention import SelfAttention
from pystyle.networks._style_code import StyleCode
from pystyle.networks._stylizer import Style, Stylizer
from pystyle.networks._transform_network import TransformNetwork
from pystyle.networks._unet_generator import UNetGenerator
from pystyle.networks._whitening_coloring import feature_coloring, whitened_features, whitening_coloring

__all__ = [
    "AnyStyleNetwork",
    "Convolution",
    "Decoder",
    "DecoderLayer",
    "FrozenEncoder",
    "HaarBands",
    "HubMixin",
    "InstanceNormalization",
    "KeysAndValues",
    "MinibatchDeviation",
    "MultiScaleDiscriminator",
    "Painter",
    "PatchDiscriminator",
    "PositionAttention",
    "ResNetGenerator",
    "ResidualBlock",
    "ResizeConvolution",
    "SelfAttention",
    "Style",
    "StyleCode",
    "StyleMoments",
    "Stylizer",
    "TransformNetwork",
    "UNetGenerator",
    "by_region",
    "feature_coloring",
    "haar_parts",
    "haar_pooling",
    "haar_unpooling",
    "instance_normalization",
    "mirror",
    "pretrained",
    "pretrained_names",
    "pruned",
    "whitened_features",
    "whitening_coloring",
]
