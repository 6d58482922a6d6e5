"""Weights at an address of which the file name ends in the first digits of its hash, as torchvision's do."""

import re
from os import PathLike
from urllib.parse import urlsplit

from torch import Tensor

from pystyle.encoders._weights._download import download_weights
from pystyle.encoders._weights._error import WeightsError
from pystyle.encoders._weights._files import load_weights_file
from pystyle.encoders._weights._torchvision import TORCHVISION_WEIGHTS


def published_state_dict(url: str, *, directory: str | PathLike[str] | None = None) -> dict[str, Tensor]:
    """The tensors of a published file, which is downloaded once and verified at every use.

    Args:
        url: The address, such as that of a member of torchvision's weight enums.
        directory: The directory of the file, by default the cache of torch.hub (see `download_weights`).

    Returns:
        The tensors under the keys of the file, on the CPU.

    Raises:
        WeightsError: If the file cannot be had, is not the expected one, or has a name without digits.

    Example:
        >>> from pystyle.encoders._weights import published_state_dict
        >>> url = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
        >>> published_state_dict(url)["conv1.weight"].shape  # doctest: +SKIP
        torch.Size([64, 3, 7, 7])
    """
    file_name = urlsplit(url).path.rpartition("/")[2]
    digits = re.search(r"-([0-9a-f]{8,64})\.\w+$", file_name)
    if digits is None:
        raise WeightsError(
            f"The address `{url}` must end in the first digits of the file's SHA-256, as in "
            "resnet18-f37072fd.pth, or else the file cannot be verified. Download it and name it with "
            "`weights=<path>`."
        )
    known = {source.url: source for source in TORCHVISION_WEIGHTS.values()}.get(url)
    path = download_weights(
        url,
        file_name=file_name,
        sha256=known.sha256 if known else digits.group(1),
        size=known.size if known else None,
        directory=directory,
    )
    return load_weights_file(path)
