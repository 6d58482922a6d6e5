"""Exported graphs with convolutions in whole numbers of 8 bits."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from pystyle.networks._codes import check_picture


def checked_contents(contents: Any, network: Any) -> list[Tensor]:
    """The images whose ranges are measured, each of a batch alone.

    Raises:
        ValueError: If there is none, or one is too small or leaves [0, 1].
        TypeError: If they are no images.
    """
    images = [contents] if isinstance(contents, Tensor) else contents
    if not isinstance(images, Sequence) or not images:
        raise ValueError(
            f"`int8` must be images, at least one, whose ranges are measured, got {contents!r}. "
            "`read_image` reads one from a file."
        )
    for image in images:
        check_picture(image, "int8", network)
    return [one[None].cpu().float() for image in images for one in image]


def in_int8(data: bytes, contents: Sequence[Tensor]) -> bytes:
    """The graph with convolutions that read and write whole numbers of 8 bits.

    Weights have a scale for each channel that goes out, features one for a map. The ranges are those of the
    contents. The first and the last convolution, which see colours, and the norms stay in float.

    Args:
        data: A graph that paints in a style that is in it.
        contents: What it paints for the ranges.

    References:
        Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
        Inference*, CVPR 2018, section 2; without training.
    """
    import onnx
    from onnxruntime import quantization

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        model = _folded(data, Path(folder) / "folded.onnx")
        convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
        made = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            made,
            _reader(quantization, contents),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[convolutions[0], convolutions[-1]],
        )
        written = onnx.load(made)
    del written.metadata_props[:]
    written.metadata_props.extend(onnx.load_from_string(data).metadata_props)
    written.metadata_props.add(key="int8", value=str(len(contents)))
    result: bytes = written.SerializeToString()
    return result


def _folded(data: bytes, place: Path) -> Any:
    """The graph with its constants computed, so that all weights are seen to be such."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(place)
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return onnx.load(place)


def _reader(quantization: Any, contents: Sequence[Tensor]) -> Any:
    """The images as the quantiser asks for them."""
    left = iter(contents)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            image = next(left, None)
            return None if image is None else {"content": image.contiguous().numpy()}

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that the quantiser gives on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
