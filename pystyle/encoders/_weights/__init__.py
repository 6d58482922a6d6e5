"""Weights: where they come from, and how they are checked before anything reads them."""

from pystyle.encoders._weights._caffe import CAFFE_MEAN_RGB, caffe_vgg19_state_dict
from pystyle.encoders._weights._download import download_weights
from pystyle.encoders._weights._error import WeightsError
from pystyle.encoders._weights._files import load_weights_file
from pystyle.encoders._weights._names import to_layer_names
from pystyle.encoders._weights._torchvision import (
    TORCHVISION_WEIGHTS,
    WeightsSource,
    torchvision_state_dict,
)

__all__ = [
    "CAFFE_MEAN_RGB",
    "TORCHVISION_WEIGHTS",
    "WeightsError",
    "WeightsSource",
    "caffe_vgg19_state_dict",
    "download_weights",
    "load_weights_file",
    "to_layer_names",
    "torchvision_state_dict",
]
