"""Encoders of torchvision's classification networks. torchvision is imported when one is built."""

import difflib
import enum
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.encoders._construction import construction, seeded
from pystyle.encoders._default_layers import default_layers
from pystyle.encoders._module_encoder import ModuleEncoder
from pystyle.encoders._modules import Normalize
from pystyle.encoders._vision_transformer import AnySizeVisionTransformer
from pystyle.encoders._weights import WeightsError, brief, load_weights_file, published_state_dict

_BLOCKS = ("encoder.layers", "features", "trunk_output", "blocks")
"""Where torchvision's networks have their blocks; ResNets and Inceptions have them at the top."""
_HEADS = ("fc", "classifier", "heads", "head", "AuxLogits", "aux1", "aux2")
_INCEPTIONS = ("googlenet", "inception_v3")
_SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")


def torchvision_encoder(
    name: str,
    weights: enum.Enum | str | os.PathLike[str] | None = "IMAGENET1K_V1",
    *,
    layers: Mapping[str, str] | Sequence[str] | None = None,
    preprocessing: nn.Module | None = None,
    seed: int = 0,
) -> ModuleEncoder:
    """A classification network of torchvision without its head.

    ResNets, WideResNets, ResNeXts, EfficientNets, MobileNets, ConvNeXts, SqueezeNets, Inceptions,
    vision transformers, Swin transformers, RegNets, DenseNets and ShuffleNets, but not MNASNets. The
    VGGs and AlexNet have constructors with more options.

    Args:
        name: The network, as ``torchvision.models.list_models(module=torchvision.models)`` has it.
        weights: A member of the network's weight enum or its name: ``"IMAGENET1K_V2"``,
            ``ResNet50_Weights.IMAGENET1K_V2``. They are downloaded once. Else the path of a ``.pth`` or
            ``.safetensors`` file with torchvision's key names, with or without the head, or None for
            random ones.
        layers: The names of submodules, or a mapping from names of your choice to them. If not given,
            the last block of each resolution; of a vision transformer, in which there is but one, the
            blocks at each quarter of the depth.
        preprocessing: What is done to the image first; the normalisation that belongs to the weights
            if not given. Images are never resized or cropped.
        seed: Of the random weights.

    Returns:
        A frozen encoder that takes RGB in [0, 1]. Vision transformers take any size: the sides are
        rounded up to whole patches, and the embeddings of the positions are resized.

    Raises:
        ValueError: If the name, the weights or a layer is unknown.
        WeightsError: If the weights are missing, damaged, or of another network.

    Example:
        >>> encoder = torchvision_encoder("resnet18", weights=None)
        >>> encoder.layers
        ('relu', 'layer1', 'layer2', 'layer3', 'layer4')
        >>> encoder.stride("layer3"), encoder.receptive_field("layer3")
        (16, 211)
    """
    from torchvision import models

    names = torchvision_names()
    if name not in names:
        similar = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {similar[0]!r}?" if similar else ""
        raise ValueError(f"`name` must be a classification network of torchvision, got {name!r}.{hint}")
    member, path = _parsed_weights(name, weights)
    state_dict = None
    if weights is not None:
        state_dict = load_weights_file(path) if path is not None else published_state_dict(member.url)
    module = _network(name, state_dict, seed)
    size_multiple = 1
    if isinstance(module, models.VisionTransformer):
        size_multiple = module.patch_size
        module = AnySizeVisionTransformer(module)
    image_size = 224 if name.startswith("maxvit") else None
    module.eval().requires_grad_(False).to(torch.get_default_device()).to(memory_format=torch.channels_last)
    if layers is None:
        layers = default_layers(module, _BLOCKS, image_size=image_size, size_multiple=size_multiple)
    return ModuleEncoder(
        module,
        layers,
        preprocessing=_normalization(name, member) if preprocessing is None else preprocessing,
        size_multiple=size_multiple,
        image_size=image_size,
    )


def torchvision_names() -> list[str]:
    """The networks that torchvision has."""
    from torchvision import models

    return [name for name in models.list_models(module=models) if not name.startswith("mnasnet")]


def _parsed_weights(
    name: str, weights: enum.Enum | str | os.PathLike[str] | None
) -> tuple[Any, str | os.PathLike[str] | None]:
    """The member of torchvision's enum, and the path if the weights are those of a file instead."""
    from torchvision import models

    members = models.get_model_weights(name).__members__
    if weights is None:
        return members["DEFAULT"], None
    if isinstance(weights, enum.Enum):
        if weights in members.values():
            return weights, None
    elif isinstance(weights, os.PathLike) or os.path.splitext(weights)[1] in _SUFFIXES:
        return members["DEFAULT"], weights
    else:
        enum_name, _, member = weights.rpartition(".")
        if member in members and enum_name in ("", type(members[member]).__name__):
            return members[member], None
    raise ValueError(
        f"`weights` of {name} must be one of {', '.join(members)}, None, or the path of a .pth or "
        f".safetensors file, got {str(weights)!r}."
    )


def _normalization(name: str, member: Any) -> Normalize:
    """The normalisation that the weights expect."""
    if name in _INCEPTIONS:
        # What torchvision calls `transform_input`: these weights were made by TensorFlow for [-1, 1].
        return Normalize([0.5] * 3, [0.5] * 3)
    transforms = member.transforms()
    return Normalize(transforms.mean, transforms.std)


def _network(name: str, state_dict: Mapping[str, Tensor] | None, seed: int) -> nn.Module:
    from torchvision import models

    options: dict[str, Any] = {}
    if name in _INCEPTIONS:
        options["init_weights"] = state_dict is None
    state_dict = {_key(key): tensor for key, tensor in (state_dict or {}).items()}
    if "encoder.pos_embedding" in state_dict:
        # Some vision transformers were trained with larger images, of which the file knows the patches.
        num_patches = state_dict["encoder.pos_embedding"].shape[1] - 1
        options["image_size"] = math.isqrt(num_patches) * int(name.rpartition("_")[2])
    with construction(), seeded(seed):
        module: nn.Module = models.get_model(name, weights=None, **options)
    heads = [head for head in _HEADS if hasattr(module, head)]
    for head in heads:
        setattr(module, head, nn.Identity())
    if state_dict:
        body = {key: tensor for key, tensor in state_dict.items() if key.split(".")[0] not in _HEADS}
        _fill(name, module, body)
    return module


def _fill(name: str, module: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict(state_dict)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(
            f"The weights do not fit {name}. Give the file of this network, with torchvision's key names. "
            f"{brief(error)}"
        ) from error


def _key(key: str) -> str:
    key = key.removeprefix("module.")
    # The files of the DenseNets are older than the names of their modules.
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key)
