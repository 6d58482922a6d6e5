import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pystyle._arguments import path_of
from pystyle.encoders._construction import construction
from pystyle.papers.wang_2023._network import MicroASTNetwork

_BLOCK_PARTS = {"conv1": "first", "conv2": "second"}


def _block(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}.{one}": f"{ours}.{other}" for one, other in _BLOCK_PARTS.items()}


_ENCODER = {
    **{f"enc1.{2 * index}": f"convolutions.{index}" for index in range(5)},
    **_block("enc1.10", "blocks.0"),
    **_block("enc2.0", "blocks.1"),
}
_MODULATOR = {
    f"{kind}{depth + 1}.0": f"{ours}.{depth}"
    for kind, ours in (("weight", "weights"), ("bias", "biases"))
    for depth in range(2)
}
_DECODER = {
    **_block("dec1", "blocks.0"),
    **_block("dec2", "blocks.1"),
    **{f"dec3.{place}": f"convolutions.{index}" for index, place in enumerate((1, 3, 6, 8, 10))},
}
_FILES = {
    "content_encoder": _ENCODER,
    "style_encoder": _ENCODER,
    "modulator": _MODULATOR,
    "decoder": _DECODER,
}
"""For each part of the network the names of its convolutions in the authors' file, and ours."""


def load_published(folder: str | os.PathLike[str]) -> MicroASTNetwork:
    """The network with the authors' weights.

    These lie in the folder ``models`` of their repository, in four files: ``content_encoder``,
    ``style_encoder``, ``modulator`` and ``decoder``, each ``_iter_160000.pth.tar``. Nothing in them can run.

    Args:
        folder: The folder with the files.

    Returns:
        The network, ready to paint.

    Raises:
        ValueError: If a file does not hold the weights of its part.
        OSError: If a file is missing or cannot be read.

    Example:
        >>> network = load_published("MicroAST/models")  # doctest: +SKIP
    """
    with construction():
        network = MicroASTNetwork()
    for name, places in _FILES.items():
        path = path_of(folder) / f"{name}_iter_160000.pth.tar"
        part = network.get_submodule(name)
        part.load_state_dict(_renamed(_read(path), places, part, path))
    return network.to(torch.get_default_device()).eval()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(_refused(path, f"It cannot be read as weights: {error}")) from error
    if not isinstance(found, Mapping):
        raise ValueError(_refused(path, f"It has a {type(found).__name__} in the place of named weights."))
    return found


def _renamed(
    found: Mapping[str, Any], places: Mapping[str, str], part: nn.Module, path: Path
) -> dict[str, Tensor]:
    """The weights under the names that they have in a part of the network."""
    names = {
        f"{theirs}.conv_layer.{kind}": f"{ours}.{kind}"
        for theirs, ours in places.items()
        for kind in ("weight", "bias")
    }
    for name in (*names, *found):
        if name not in found or name not in names:
            state = "lacks" if name in names else "has, beside the known ones,"
            raise ValueError(_refused(path, f"It {state} the weights {name!r}."))
    own = part.state_dict()
    for theirs, ours in names.items():
        value, shape = found[theirs], own[ours].shape
        if not isinstance(value, Tensor) or value.shape != shape:
            got = tuple(value.shape) if isinstance(value, Tensor) else f"a {type(value).__name__}"
            raise ValueError(_refused(path, f"{theirs!r} must have the shape {tuple(shape)}, got {got}."))
    return {ours: found[theirs] for theirs, ours in names.items()}


def _refused(path: Path, reason: str) -> str:
    return f"`folder` must hold the authors' weights of MicroAST, got '{path}'. {reason}"
