"""A network in a file of ONNX, which other programs paint with."""

import copy
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pystyle._arguments import path_of, whole_number
from pystyle._version import __version__
from pystyle.images._atomic import check_writable, replace_file
from pystyle.losses._representation import batch_size, tensors_of
from pystyle.networks._codes import code_of
from pystyle.networks._frozen_encoder import FrozenEncoder
from pystyle.networks._graph import LookingGraph, PaintingGraph, code_names, codes_of_styles
from pystyle.networks._int8 import checked_contents, in_int8
from pystyle.networks._onnx import check_packages
from pystyle.networks._onnx_check import SizesError, checked_model, smooth_images
from pystyle.networks._row_convolution import by_rows

if TYPE_CHECKING:
    from pystyle.networks._stylizer import Style, Stylizer

_NOTICE = (
    "Layers of an encoder are in this file, whose weights have their own licence. Those of VGG-19 are by "
    "Karen Simonyan and Andrew Zisserman, CC BY 4.0."
)


def export_network(
    network: "Stylizer",
    path: str | os.PathLike[str],
    *,
    style: "Style | None",
    style_path: str | os.PathLike[str] | None,
    size: tuple[int, int] | None,
    int8: Sequence[Tensor] | Tensor | None = None,
) -> tuple[Path, ...]:
    """Write the files; see :meth:`Stylizer.export`."""
    check_packages()
    fixed_size = _checked_size(size, network)
    place = path_of(path)
    chosen = _chosen(network, style)
    measured = None if int8 is None else checked_contents(int8, network)
    if measured and chosen != "fixed":
        raise ValueError("`style` must be given with `int8`: the ranges are measured in one style.")
    places = [place]
    if chosen == "code":
        places += [path_of(style_path) if style_path else place.with_stem(f"{place.stem}-style")]
    elif style_path is not None:
        raise ValueError("`style_path` is for a network of any style, whose `style` is not given.")
    if len(places) == 2 and os.path.realpath(places[0]) == os.path.realpath(places[1]):
        raise ValueError(f"`style_path` must be another file than `path`, got '{places[1]}' for both.")
    for one in places:
        check_writable(one, kind="network")
    own = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    by_rows(own)
    with torch.no_grad():
        models = _models(own, style, chosen, fixed_size)
    if measured:
        models = [in_int8(model, measured) for model in models]
    # All are made and compared before the first is written.
    for one, model in zip(places, models, strict=True):
        replace_file(one, model, kind="network")
    return tuple(places)


def _chosen(network: "Stylizer", style: "Style | None") -> str:
    if style is not None or len(network.styles) == 1:
        return "fixed"
    return "shares" if network.styles else "code"


def _models(network: "Stylizer", style: Any, chosen: str, size: tuple[int, int] | None) -> list[bytes]:
    """The graph that paints; and the one that looks at styles, if codes come in."""
    if chosen == "fixed":
        code = code_of(network, network.styles[0] if style is None else style, "float32")
        if batch_size(code) != 1:
            raise ValueError(f"`style` must be one style, got a batch of {batch_size(code)}.")
    else:
        code = codes_of_styles(network) if chosen == "shares" else _code_of_any_size(network)
    styles: dict[str, Tensor] = {}
    if chosen == "shares":
        count = len(network.styles)
        styles["shares"] = torch.full((1, count), 1 / count, dtype=torch.float32, device="cpu")
    elif chosen == "code":
        styles = dict(zip(code_names(code), tensors_of(code), strict=True))
    metadata = _metadata(network, chosen, code, size)
    models = [_painting(network, PaintingGraph(network, code, chosen), styles, size, metadata)]
    if chosen == "code":
        seen = {"style": smooth_images(1, network.smallest + 5, network.smallest + 3)}
        about = {**metadata, "part": "style"}
        try:
            models.append(checked_model(LookingGraph(network), seen, [*styles], network.smallest, about))
        except RuntimeError as error:
            raise RuntimeError(f"{error} With a `style` only what paints is exported.") from error
    return models


def _painting(
    network: "Stylizer",
    graph: PaintingGraph,
    styles: Mapping[str, Tensor],
    size: tuple[int, int] | None,
    metadata: Mapping[str, str],
) -> bytes:
    """The graph that paints: batches, or one image at a time if it must be."""
    height, width = size or [network.smallest + 2 * network.stride + rest for rest in (3, 5)]
    smallest = None if size else network.smallest
    if size is None:
        with suppress(SizesError):
            inputs = {"content": smooth_images(2, height, width), **styles}
            return checked_model(graph, inputs, ["picture"], smallest, {**metadata, "batch": "any"})
    inputs = {"content": smooth_images(1, height, width), **styles}
    return checked_model(graph, inputs, ["picture"], smallest, {**metadata, "batch": "1"})


def _code_of_any_size(network: "Stylizer") -> Any:
    small, large = (
        network.represent_style(smooth_images(1, network.smallest + more, network.smallest + 2 * more))
        for more in (network.stride, 3 * network.stride)
    )
    if any(a.shape != b.shape for a, b in zip(tensors_of(small), tensors_of(large), strict=True)):
        raise ValueError(
            "`style` must be given for a network whose codes have the sizes of their styles, got none for a "
            f"{type(network).__name__}."
        )
    return small


def _metadata(network: "Stylizer", chosen: str, code: Any, size: tuple[int, int] | None) -> dict[str, str]:
    card = network.card
    return {
        "pystyle": __version__,
        "part": "painting",
        "class": type(network).__name__,
        "configuration": json.dumps(network.configuration),
        "name": str(card.get("name", type(network).__name__)),
        "licence": str(card.get("licence", "")),
        "notice": _NOTICE if any(isinstance(part, FrozenEncoder) for part in network.modules()) else "",
        "card": json.dumps(card),
        "value_range": "[0, 1]",
        "layout": "NCHW, RGB",
        "smallest": str(network.smallest),
        "size": "any" if size is None else f"{size[0]} x {size[1]}",
        "style": chosen,
        "styles": json.dumps(network.styles),
        "code": json.dumps(code_names(code) if chosen == "code" else []),
    }


def _checked_size(size: Any, network: "Stylizer") -> tuple[int, int] | None:
    if size is None:
        return None
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise TypeError(f"`size` must be (height, width), or None for any size, got {size!r}.")
    height, width = (whole_number(side, "A side of `size`", least=network.smallest) for side in size)
    return height, width
