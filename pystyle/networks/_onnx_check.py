"""An exported graph that is compared with its original before anybody gets it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from pystyle.networks._onnx import onnx_bytes, run_onnx

_TOLERANCE = 1e-3
"""A quarter of a level of 8 bits. Photographs come much nearer; a flat image is at the mercy of rounding."""

_SIZES = "what it computes depends on the sizes of images in a way that cannot be followed."


class SizesError(RuntimeError):
    """What a graph computes depends on sizes, of which one image at a time may leave fewer open."""


def checked_model(
    graph: Any,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    smallest: int | None,
    metadata: Mapping[str, str],
) -> bytes:
    """The file of a graph, with which ONNX Runtime computes the same, at other sizes too.

    Args:
        graph: The graph.
        inputs: An example of each input, the image first.
        outputs: The names of what comes out.
        smallest: The smallest side of images; None if they always have the size of the example.
        metadata: What the file says of itself.

    Raises:
        RuntimeError: If it cannot be exported, or computes something else.
    """
    kind = metadata["class"]
    try:
        data = onnx_bytes(graph, inputs, outputs, smallest=smallest, metadata=metadata)
    except Exception as error:
        reason = _reason(error)
        kind_of_error = SizesError if reason == _SIZES else RuntimeError
        raise kind_of_error(f"{kind} cannot be exported to ONNX: {reason}") from error
    name, example = next(iter(inputs.items()))
    trials = [example]
    if smallest is not None:
        trials.append(smooth_images(1, smallest, example.shape[3] + 6))
    for image in trials:
        given = {**inputs, name: image}
        wanted = graph(*given.values())
        try:
            found = run_onnx(data, given)
        except Exception as error:
            raise RuntimeError(f"{kind} cannot be exported: ONNX Runtime refuses it. {error}") from error
        for one, other in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            difference = _difference(one, other)
            if not difference <= _TOLERANCE:
                raise RuntimeError(
                    f"{kind} cannot be exported to ONNX: what ONNX Runtime computes differs by "
                    f"{difference:.2g} from what the network does, and {_TOLERANCE} is allowed."
                )
    return data


def smooth_images(count: int, height: int, width: int) -> Tensor:
    """Images that vary as photographs do, the same each time."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 7, 9, generator=generator, dtype=torch.float32, device="cpu")
    return interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def _difference(found: Tensor, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest number if that is above 1."""
    if found.shape != wanted.shape:
        return float("inf")
    return float((found - wanted).abs().max()) / max(1.0, float(wanted.abs().max()))


def _reason(error: BaseException) -> str:
    """What the packages say, in a sentence; of two frequent reasons, what that means."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts.append(str(cause).strip() or type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    for operation in ("linalg_eigh", "linalg_qr", "linalg_svd"):
        if any(operation in text for text in texts):
            return f"it decomposes matrices ({operation}), for which ONNX has no operation."
    if any("Constraints violated" in text or "concrete integers" in text for text in texts):
        return _SIZES
    # Without the file and the line of the program that says so.
    return re.sub(r"^\S+:\d+: ", "", texts[0].splitlines()[0]).rstrip(".") + "."
