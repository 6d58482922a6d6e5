"""Painting with exported networks, by ONNX Runtime and without torch.

:meth:`pystyle.networks.Stylizer.export` makes the files. Nothing here imports torch, nor any other part of
pystyle: numpy, Pillow and `onnxruntime` are enough.
"""

from pystyle.onnx._painter import OnnxPainter
from pystyle.onnx._pictures import as_array, as_picture

__all__ = ["OnnxPainter", "as_array", "as_picture"]
