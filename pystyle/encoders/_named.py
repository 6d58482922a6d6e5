"""Encoders by name, whichever package has the network."""

import difflib
import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any

from pystyle.encoders import _constructors
from pystyle.encoders._encoder import Encoder
from pystyle.encoders._modules import Pooling
from pystyle.encoders._timm import timm_encoder
from pystyle.encoders._torchvision import torchvision_encoder, torchvision_names

CONSTRUCTORS: dict[str, Callable[..., Encoder]] = {
    name: getattr(_constructors, name)
    for name in (
        *("vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
        "alexnet",
    )
}
_PACKAGES: dict[str, Callable[..., Encoder]] = {"torchvision": torchvision_encoder, "timm": timm_encoder}


def named_encoder(
    name: str,
    weights: str | os.PathLike[str] | None = "default",
    *,
    layers: Sequence[str] | None = None,
    pooling: Pooling | None = None,
) -> Encoder:
    """The encoder of this name, as :func:`~pystyle.stylize` needs it.

    A VGG or AlexNet comes with ``padding="replicate"`` and ``ceil_mode=True``, without which pictures get a
    frame. Other names are those of :func:`torchvision_encoder`, or else of :func:`timm_encoder`.

    Args:
        name: Such as ``"vgg16"``, ``"resnet50"`` or ``"vit_small_patch16_224.dino"``. Where both packages
            have a network, ``"timm:resnet50"`` is that of timm.
        weights: As the constructor of the network has them; ``"default"`` for its own default.
        layers: Submodules of a network of torchvision or timm; see there.
        pooling: Of a VGG or AlexNet.

    Returns:
        A frozen encoder that takes RGB in [0, 1].

    Raises:
        ValueError: If no network has this name, or it has no such option.
        ImportError: If timm is named and missing.
        WeightsError: If the weights are missing, damaged, or of another network.

    Example:
        >>> named_encoder("vgg16", None).layers[:3]
        ('conv1_1', 'relu1_1', 'conv1_2')
        >>> named_encoder("resnet18", None).layers
        ('relu', 'layer1', 'layer2', 'layer3', 'layer4')
    """
    options: dict[str, Any] = {} if weights == "default" else {"weights": weights}
    if name in CONSTRUCTORS:
        if pooling is not None:
            options["pooling"] = pooling
        return CONSTRUCTORS[name](**options, padding="replicate", ceil_mode=True)
    if pooling is not None:
        raise ValueError(f"`pooling` is for the VGGs and AlexNet, got {pooling!r} for {name}. Leave it out.")
    package, _, network = name.rpartition(":")
    if package in _PACKAGES:
        return _PACKAGES[package](network, **options, layers=layers)
    if name in torchvision_names():
        return torchvision_encoder(name, **options, layers=layers)
    if _is_of_timm(name):
        return timm_encoder(name, **options, layers=layers)
    close = difflib.get_close_matches(name, [*CONSTRUCTORS, *torchvision_names()], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    install = (
        ""
        if importlib.util.find_spec("timm")
        else ' Networks of timm need `pip install "pystyle-nst[timm]"`.'
    )
    raise ValueError(
        f"`name` must be one of {', '.join(CONSTRUCTORS)}, or a network of torchvision or timm, got "
        f"{name!r}.{hint}{install}"
    )


def _is_of_timm(name: str) -> bool:
    if importlib.util.find_spec("timm") is None:
        return False
    import timm

    return bool(timm.is_model(name))
