import torch

from pystyle._version import __version__


def versions() -> dict[str, str]:
    """Of the packages that compute figures."""
    return {"pystyle-nst": __version__, "torch": torch.__version__}
