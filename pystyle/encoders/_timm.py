"""Encoders of timm's networks. timm is imported when one is built."""

import difflib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pystyle.encoders._construction import construction, seeded
from pystyle.encoders._default_layers import default_layers
from pystyle.encoders._module_encoder import ModuleEncoder
from pystyle.encoders._modules import Normalize
from pystyle.encoders._weights import WeightsError, brief, is_offline, load_weights_file

_BLOCKS = ("blocks", "stages", "layers", "features")


def timm_encoder(
    name: str,
    weights: str | os.PathLike[str] | None = "pretrained",
    *,
    layers: Mapping[str, str] | Sequence[str] | None = None,
    preprocessing: nn.Module | None = None,
    seed: int = 0,
) -> ModuleEncoder:
    """A network of the package timm, such as a DINO vision transformer; it needs the extra ``timm``.

    Args:
        name: The network as timm knows it, with or without the tag of its weights:
            ``"vit_small_patch16_224.dino"``, ``"vit_small_patch14_reg4_dinov2.lvd142m"``.
        weights: ``"pretrained"`` for those of the name, which timm itself downloads; the path of a
            ``.pth`` or ``.safetensors`` file, which may be that of the authors if timm can convert it;
            or None for random ones.
        layers: The names of submodules, or a mapping from names of your choice to them. If not given,
            the last block of each resolution; of a vision transformer, in which there is but one, the
            blocks at each quarter of the depth.
        preprocessing: What is done to the image first; the normalisation that belongs to the weights
            if not given. Images are never resized or cropped.
        seed: Of the random weights.

    Returns:
        A frozen encoder that takes RGB in [0, 1]. Vision transformers take any size, where timm lets
        them: the sides are rounded up to whole patches, and timm resizes the embeddings of the
        positions. Other networks with a grid of positions take images of their own size only.

    Raises:
        ImportError: If timm is missing.
        ValueError: If the name or a layer is unknown.
        WeightsError: If the weights are missing, damaged, or of another network.

    Example:
        >>> encoder = timm_encoder("vit_tiny_patch16_224", weights=None, layers=["blocks.2", "blocks.5"])
        >>> encoder(torch.rand(1, 3, 40, 64), ["blocks.5"])["blocks.5"].shape
        torch.Size([1, 192, 3, 4])
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            'timm_encoder needs the package timm. Install it with `pip install "pystyle-nst[timm]"`.'
        ) from error

    if not timm.is_model(name):
        similar = difflib.get_close_matches(name, timm.list_models(), n=1)
        hint = f" Did you mean {similar[0]!r}?" if similar else ""
        raise ValueError(f"`name` must be a network of timm, got {name!r}.{hint}")
    options = _weight_options(name, weights)
    try:
        with construction(), seeded(seed):
            module, size_multiple, image_size = _network(name, options)
    except Exception as error:
        # Random weights cannot be at fault. Of others timm, the hub and torch complain in their own ways.
        if weights is None:
            raise
        raise WeightsError(
            f"The weights {str(weights)!r} of {name} could not be loaded: {brief(error)} Give the file of "
            "this network with `weights=<path>`."
        ) from error
    # timm notes where the weights came from, which here are the weights themselves.
    module.pretrained_cfg.pop("state_dict", None)
    module.eval().requires_grad_(False).to(torch.get_default_device()).to(memory_format=torch.channels_last)
    if preprocessing is None:
        colours = timm.data.resolve_model_data_config(module)
        preprocessing = Normalize(colours["mean"], colours["std"])
    if layers is None:
        layers = default_layers(module, _BLOCKS, image_size=image_size, size_multiple=size_multiple)
    return ModuleEncoder(
        module, layers, preprocessing=preprocessing, size_multiple=size_multiple, image_size=image_size
    )


def _weight_options(name: str, weights: str | os.PathLike[str] | None) -> dict[str, Any]:
    """How timm is told to load the weights."""
    if weights is None:
        return {"pretrained": False}
    if weights == "pretrained":
        if is_offline():
            raise WeightsError(
                f"The weights of {name} cannot be downloaded, because PYSTYLE_OFFLINE is set. Name a file of "
                "yours with `weights=<path>`."
            )
        return {"pretrained": True}
    # In memory, so that timm converts what it knows to convert, but opens no file itself.
    return {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": load_weights_file(weights)}}


def _network(name: str, options: dict[str, Any]) -> tuple[Any, int, int | None]:
    """The network, what the sides of its images have to be multiples of, and its only size if it has one."""
    import timm

    try:
        # For vision transformers alone: other networks take any size, or none but theirs.
        module = timm.create_model(name, dynamic_img_size=True, **options)
    except TypeError:
        module = timm.create_model(name, **options)
        config = module.pretrained_cfg
        return module, 1, config["input_size"][1] if config.get("fixed_input_size") else None
    return module, max(module.patch_embed.patch_size), None
