"""The published weights of LPIPS, as the installed distribution ``lpips`` carries them.

Only a data file of the distribution is decoded, and only once its SHA-256 is the known one: nothing of the
package is imported or executed.
"""

import io
from typing import NamedTuple

import torch
from torch import Tensor

from pystyle._installed import installed_bytes


class _File(NamedTuple):
    name: str
    sha256: str
    layers: tuple[str, ...]


_FILES = {
    "alexnet": _File(
        "alex.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        ("relu1", "relu2", "relu3", "relu4", "relu5"),
    ),
    "vgg16": _File(
        "vgg.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"),
    ),
}
NETWORKS = tuple(_FILES)
_INSTALL = 'Install it with `pip install "pystyle-nst[metrics]"`, or give `heads` of your own.'
_REINSTALL = "Install it again with `pip install --force-reinstall --no-deps lpips==0.1.4`."


def published_heads(network: str) -> dict[str, Tensor]:
    """The weight of every channel of the five layers of a network, by layer; LPIPS version 0.1.

    Raises:
        ImportError: If the distribution ``lpips`` is not installed.
        RuntimeError: If it is not the known one.
    """
    file = _FILES[network]
    content = installed_bytes(
        "lpips", f"v0.1/{file.name}", sha256=file.sha256, install=_INSTALL, reinstall=_REINSTALL
    )
    # Saved on a GPU, which the machine at hand need not have.
    stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return {
        layer: stored[f"lin{index}.model.1.weight"].detach().flatten()
        for index, layer in enumerate(file.layers)
    }
