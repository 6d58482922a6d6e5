"""VGG and AlexNet encoders. One builder reads the table of architectures and the weights."""

import os
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from pystyle._arguments import seed_number
from pystyle.encoders._architectures import Padding, build_modules
from pystyle.encoders._construction import construction
from pystyle.encoders._modules import Normalize, Pooling
from pystyle.encoders._normalized import normalize_activations
from pystyle.encoders._sequential import SequentialEncoder
from pystyle.encoders._weights import (
    CAFFE_MEAN_RGB,
    WeightsError,
    caffe_vgg19_state_dict,
    load_weights_file,
    to_layer_names,
    torchvision_state_dict,
)

Preprocessing = Literal["torchvision", "caffe"]
Weights = Literal["caffe", "caffe_normalized", "torchvision"] | str | os.PathLike[str] | None


def build_encoder(
    architecture: str,
    weights: Weights,
    *,
    batch_norm: bool = False,
    pooling: Pooling = "max",
    ceil_mode: bool = False,
    padding: Padding = "zeros",
    preprocessing: Preprocessing | None = None,
    seed: int = 0,
) -> SequentialEncoder:
    """The encoder of an architecture with these weights."""
    with construction():
        modules = build_modules(
            architecture, batch_norm=batch_norm, pooling=pooling, ceil_mode=ceil_mode, padding=padding
        )
        name = f"{architecture}_bn" if batch_norm else architecture
        if weights is None:
            _initialize(modules, seed)
            preprocessing = preprocessing or "torchvision"
        else:
            state_dict, found = _load(name, weights, list(modules))
            preprocessing = preprocessing or found
            _fill(name, modules, state_dict, flip_colours=preprocessing == "caffe")
        encoder = SequentialEncoder(modules, preprocessing=_normalize(preprocessing))
    return encoder.to(torch.get_default_device()).to(memory_format=torch.channels_last)


def _load(
    name: str, weights: str | os.PathLike[str], layers: list[str]
) -> tuple[dict[str, Tensor], Preprocessing]:
    if weights in ("caffe", "caffe_normalized"):
        if name != "vgg19":
            raise ValueError(
                f"`weights` = {weights!r} exists for vgg19 only, got it for {name}. Use 'torchvision', "
                "the path of a file, or None for random weights."
            )
        state_dict = caffe_vgg19_state_dict()
        return (normalize_activations(state_dict) if weights == "caffe_normalized" else state_dict), "caffe"
    named = dict(enumerate(layers))
    if weights == "torchvision":
        return to_layer_names(torchvision_state_dict(name), named), "torchvision"
    if isinstance(weights, str) and not os.path.splitext(weights)[1]:
        raise ValueError(
            "`weights` must be 'caffe', 'caffe_normalized', 'torchvision', None, or the path of a .pth or "
            f".safetensors file, got {weights!r}."
        )
    raw = load_weights_file(weights)
    return to_layer_names(raw, named), "caffe" if "conv1_1.weight" in raw else "torchvision"


def _fill(
    name: str, modules: Mapping[str, nn.Module], state_dict: dict[str, Tensor], *, flip_colours: bool
) -> None:
    if flip_colours:
        first = f"{next(iter(modules))}.weight"
        state_dict = {key: value.flip(1) if key == first else value for key, value in state_dict.items()}
    try:
        missing, unexpected = nn.ModuleDict(dict(modules)).load_state_dict(state_dict, strict=False)
    except RuntimeError as error:
        raise WeightsError(
            f"The weights do not fit {name}. Give the file of this architecture. {error}"
        ) from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise WeightsError(
            f"The weights do not fit {name}: missing {missing[:4]}, unexpected {unexpected[:4]}. "
            "Give the file of this architecture."
        )


@torch.no_grad()
def _initialize(modules: Mapping[str, nn.Module], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed_number(seed))
    for module in modules.values():
        if isinstance(module, nn.Conv2d):
            # The same numbers whatever torch's default type is.
            drawn = torch.empty(module.weight.shape, dtype=torch.float32)
            nn.init.kaiming_normal_(drawn, nonlinearity="relu", generator=generator)
            module.weight.copy_(drawn)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _normalize(preprocessing: Preprocessing) -> Normalize:
    if preprocessing == "torchvision":
        return Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    if preprocessing == "caffe":
        # 255 x - mean, and BGR: the colours are flipped in the first convolution instead.
        return Normalize(mean=[mean / 255 for mean in CAFFE_MEAN_RGB], std=[1 / 255] * 3)
    raise ValueError(f"`preprocessing` must be 'torchvision', 'caffe' or None, got {preprocessing!r}.")
