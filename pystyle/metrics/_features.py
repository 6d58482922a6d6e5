from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import described
from pystyle.encoders import Encoder
from pystyle.encoders._given import given_encoder


def checked_features(features: Tensor, name: str) -> Tensor:
    """Vectors in float64, after a look at their shape and values."""
    if not isinstance(features, Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"`{name}` must be a tensor of shape (number, channels), got {got}.")
    if not bool(torch.isfinite(features).all()):
        raise ValueError(f"`{name}` must be finite, got NaN or infinite values.")
    return features.detach().to(torch.float64)


def checked_sets(features: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Two sets of as many channels."""
    x, y = checked_features(features, "features"), checked_features(reference, "reference")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`reference` must have the channels of `features`, got {y.shape[1]} for {x.shape[1]}."
        )
    return x, y.to(x.device)


def check_network(network: Any, label: str) -> None:
    """Check that this can give features of a batch of images.

    Raises:
        TypeError: If it is a name, a class or an encoder, which gives maps of layers.
    """
    if not callable(network) or isinstance(network, type | Encoder):
        raise TypeError(
            f"{label} must be a function from a batch of images to a vector for each, such as "
            f"`published_inception()`, got {described(network)}. Of an encoder write "
            "`lambda images: encoder(images, ['relu3_1'])['relu3_1'].mean((2, 3))`."
        )


def checked_encoder(encoder: Any) -> Encoder:
    """The encoder of a measure. Its name would not say which weights the measure has.

    Raises:
        TypeError: If it is none, with what to write.
    """
    if encoder is None or isinstance(encoder, str):
        got = "None" if encoder is None else repr(encoder)
        raise TypeError(f"`encoder` must be an encoder, got {got}. Make one: `vgg16()`, or `alexnet()`.")
    return given_encoder(encoder)
