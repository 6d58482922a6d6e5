import os

from pystyle.encoders import Encoder, SequentialEncoder, vgg19


def normalized_vgg19(weights: str | os.PathLike[str] | None = "caffe_normalized") -> SequentialEncoder:
    """VGG-19 as the networks of the literature see through it.

    Its mean activations are 1, it reflects the border, and its poolings round up.
    """
    return vgg19(weights, padding="reflect", ceil_mode=True)


def or_normalized_vgg19(encoder: Encoder | None) -> Encoder:
    """The encoder; that one, if there is none."""
    return normalized_vgg19() if encoder is None else encoder
