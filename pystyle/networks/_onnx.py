"""Graphs as files of ONNX: the packages that make and run them, and what is done to what comes out."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_AXES = {0: "batch", 2: "height", 3: "width"}


def check_packages() -> None:
    """Refuse to begin without the packages.

    Raises:
        ImportError: If one is missing; the message names the extra.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Exporting a network needs the packages onnx, onnxscript and onnxruntime. Install them with "
            '`pip install "pystyle-nst[onnx]"`.'
        ) from error


def onnx_bytes(
    graph: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    *,
    smallest: int | None,
    metadata: Mapping[str, str],
) -> bytes:
    """The graph in a file.

    Args:
        graph: The graph, whose first input is an image.
        inputs: An example of each input, by name.
        outputs: The names of what comes out.
        smallest: The smallest side of the image; None if it always has that of the example.
        metadata: What the file says of itself.
    """
    with _quiet(), torch.no_grad():
        program = torch.export.export(
            graph,
            tuple(inputs.values()),
            dynamic_shapes=_dynamic_shapes(inputs, smallest),
            # What can be said of sizes before they are known holds for all; the rest is checked afterwards.
            prefer_deferred_runtime_asserts_over_guards=True,
        )
        made: Any = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=list(inputs), output_names=list(outputs)
        )
    model = made.model_proto
    _tidy(model, None if smallest is None else next(iter(inputs)))
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    written: bytes = model.SerializeToString()
    return written


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the packages say about themselves, which changes with their versions."""
    logger = logging.getLogger("onnxscript")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _dynamic_shapes(inputs: Mapping[str, Tensor], smallest: int | None) -> Any:
    if smallest is None:
        return None
    dim = torch.export.Dim
    height, width = (dim(name, min=smallest) for name in ("height", "width"))
    image, *others = inputs.values()
    batch = {0: dim("batch")} if image.shape[0] > 1 else {}
    first = {**batch, 2: height, 3: width}
    return (first, (None,) * len(others)) if others else (first,)


def _tidy(model: Any, image: str | None) -> None:
    """Names for the axes of images; and without the paths and lines of the program that made it."""
    graph = model.graph
    del graph.value_info[:], graph.metadata_props[:], model.metadata_props[:]
    for value in (*graph.input, *graph.output):
        value.doc_string = ""
        del value.metadata_props[:]
        axes = value.type.tensor_type.shape.dim
        for axis, name in _AXES.items():
            if image is not None and value.name in (image, "picture") and axes[axis].dim_param:
                axes[axis].dim_param = name
    for part in (graph, *model.functions):
        _tidy_nodes(part)


def _tidy_nodes(graph: Any) -> None:
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                del attribute.g.value_info[:]
                _tidy_nodes(attribute.g)


def run_onnx(data: bytes, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    """What ONNX Runtime makes of inputs, on the CPU."""
    import onnxruntime

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, quiet, providers=["CPUExecutionProvider"])
    given = {name: np.ascontiguousarray(value.numpy()) for name, value in inputs.items()}
    return [torch.from_numpy(found) for found in session.run(None, given)]
