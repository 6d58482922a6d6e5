"""Weights: where they come from, and how they are checked before anything reads them."""

from pystyle.encoders._weights._caffe import CAFFE_MEAN_RGB, caffe_vgg19_state_dict
from pystyle.encoders._weights._download import download_weights, is_offline
from pystyle.encoders._weights._error import WeightsError, brief
from pystyle.encoders._weights._files import load_weights_file
from pystyle.encoders._weights._names import to_layer_names
from pystyle.encoders._weights._published import published_state_dict
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
    "brief",
    "caffe_vgg19_state_dict",
    "download_weights",
    "is_offline",
    "load_weights_file",
    "published_state_dict",
    "to_layer_names",
    "torchvision_state_dict",
]
