"""A network in a file: its class and arguments, its weights, and what else is to be known of it.

The file has the format of safetensors, with a checksum; nothing in it can run.
"""

import importlib
import inspect
import os
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from pystyle._arguments import path_of, whole_number
from pystyle.checkpoints import CheckpointError, decode, encode
from pystyle.encoders._construction import construction
from pystyle.images._atomic import replace_file
from pystyle.networks._code_book import can_be_coded, coded, decoded

if TYPE_CHECKING:
    from pystyle.networks._stylizer import Stylizer

_S = TypeVar("_S", bound="Stylizer")
_FORMAT = 1
_NETWORKS = "pystyle.networks"


def write_network(
    network: "Stylizer",
    path: str | os.PathLike[str],
    *,
    half: bool,
    bits: int | None = None,
    card: Mapping[str, Any],
) -> None:
    """Write a network to a file, which is replaced only when all is written."""
    weights = {name: value.detach() for name, value in network.state_dict().items()}
    state = {
        "network": _FORMAT,
        "class": type(network).__name__,
        "module": public_module(type(network)),
        "configuration": network.configuration,
        "card": dict(card),
    }
    if bits is not None:
        state |= _by_code_book(weights, whole_number(bits, "`bits`", least=2, most=8), _constants(network))
    else:
        state["weights"] = {name: _half(value) for name, value in weights.items()} if half else weights
    replace_file(Path(path), [bytes(piece) for piece in encode(state)], kind="network")


# What is made in the inference mode of a caller could be neither trained nor viewed outside of it.
@torch.inference_mode(False)
def read_network(cls: type[_S], path: str | os.PathLike[str]) -> _S:
    """The network in a file; `cls` is its class, or :class:`Stylizer` for any of this library."""
    place = f"`path` must be a file with a network that `save` has written, got '{os.fspath(path)}'."
    try:
        state = decode(path_of(path).read_bytes())
        if state.get("network") != _FORMAT:
            raise CheckpointError("It has no network of this version.")
        kind = _class_of(cls, state.get("module", _NETWORKS), state["class"], path)
        with construction():
            network = kind(**state["configuration"])
        network.load_state_dict(_weights(state, network.state_dict()))
        network.card = dict(state["card"])
    except CheckpointError as error:
        raise ValueError(
            f"{place} {error} Weights alone go into a network that you make: `network.load_state_dict(...)`."
        ) from error
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{place} What is in it makes no network of this version: {error}") from error
    return network.to(torch.get_default_device()).eval()


def _by_code_book(weights: Mapping[str, Tensor], bits: int, constants: Sequence[str]) -> dict[str, Any]:
    """The weights by tables where that is smaller, the others in half precision, without constants."""
    stored = {name: value for name, value in weights.items() if name not in constants}
    for name, value in stored.items():
        if not value.isfinite().all():
            raise ValueError(f"The weights of a network must be finite for `bits`, but '{name}' is not.")
    large = {name: value for name, value in stored.items() if can_be_coded(value)}
    others = {name: _half(value) for name, value in stored.items() if name not in large}
    book = {"book": coded(large, bits)} if large else {}
    return {"weights": others, "constants": list(constants), **book}


def _weights(state: Mapping[str, Any], made: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All weights of a file, for a network that was just made."""
    weights = {name: made[name] for name in state.get("constants", ())}
    weights |= {name: _wide(value) for name, value in state["weights"].items()}
    return weights | (decoded(state["book"], made) if "book" in state else {})


def _constants(network: "Stylizer") -> list[str]:
    """The names of buffers that each network of this configuration has, such as noise: no need to store."""
    with construction():
        other = type(network)(**network.configuration).state_dict()
    weights = network.state_dict()
    # In half precision, since the network may come from a file that has it so.
    return [
        name
        for name, _ in network.named_buffers()
        if name in weights and torch.equal(_half(weights[name].cpu()), _half(other[name]))
    ]


def _half(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value


def _wide(value: Tensor) -> Tensor:
    return value.to(torch.promote_types(value.dtype, torch.float32)) if value.is_floating_point() else value


def public_module(kind: type) -> str:
    """The module that a class is imported from."""
    return ".".join(takewhile(lambda name: not name.startswith("_"), kind.__module__.split(".")))


def _class_of(cls: type[_S], module: str, name: str, path: str | os.PathLike[str]) -> type[_S]:
    if cls.__name__ == name:
        return cls
    own = class_of_the_library(module, name)
    if isinstance(own, type) and issubclass(own, cls):
        return own
    known = "a class of pystyle" if inspect.isabstract(cls) else f"the class {cls.__name__}"
    raise ValueError(
        f"`path` must be a file with a network of {known}, got '{os.fspath(path)}' with a {name}. "
        f"If this is a class of yours, load it with `{name}.load(path)`."
    )


def class_of_the_library(module: str, name: str) -> Any:
    """A public name of pystyle: a file does not choose what else is imported."""
    if module.split(".")[0] != "pystyle":
        return None
    try:
        found = importlib.import_module(module)
    except ImportError:
        return None
    return getattr(found, name, None) if name in getattr(found, "__all__", ()) else None
