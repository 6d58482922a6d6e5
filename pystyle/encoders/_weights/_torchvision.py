"""The weights behind torchvision's ``IMAGENET1K_V1``, in a table of our own.

torchvision has moved its table before (``model_urls``); ours stays, and a test compares the two. A full hash
is given where two independent publications agree on it. Of the others the digits in the file name are known,
by the convention of torch.hub.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from types import MappingProxyType

from torch import Tensor

from pystyle.encoders._weights._download import download_weights
from pystyle.encoders._weights._files import load_weights_file


@dataclass(frozen=True)
class WeightsSource:
    """Where a file of weights comes from, and how it is recognised.

    Args:
        url: The address of the file.
        file_name: Its name in the cache.
        sha256: Its SHA-256, or the first digits of it where no more is known.
        size: Its number of bytes, if known.

    Example:
        >>> from pystyle.encoders._weights import TORCHVISION_WEIGHTS
        >>> TORCHVISION_WEIGHTS["vgg19"].url
        'https://download.pytorch.org/models/vgg19-dcbb9e9d.pth'
    """

    url: str
    file_name: str
    sha256: str
    size: int | None = None


def _source(file_name: str, sha256: str, size: int | None = None) -> WeightsSource:
    return WeightsSource(f"https://download.pytorch.org/models/{file_name}", file_name, sha256, size)


TORCHVISION_WEIGHTS: Mapping[str, WeightsSource] = MappingProxyType(
    {
        "alexnet": _source(
            "alexnet-owt-7be5be79.pth",
            "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            244_408_911,
        ),
        "vgg11": _source("vgg11-8a719046.pth", "8a719046"),
        "vgg11_bn": _source("vgg11_bn-6002323d.pth", "6002323d"),
        "vgg13": _source("vgg13-19584684.pth", "19584684"),
        "vgg13_bn": _source("vgg13_bn-abd245e5.pth", "abd245e5"),
        "vgg16": _source(
            "vgg16-397923af.pth",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            553_433_881,
        ),
        "vgg16_bn": _source(
            "vgg16_bn-6c64b313.pth",
            "6c64b3138f2f4fcb3bcc4cafde11619c4f440eb1631787e93a682fd88305888a",
            553_507_836,
        ),
        "vgg19": _source(
            "vgg19-dcbb9e9d.pth",
            "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            574_673_361,
        ),
        "vgg19_bn": _source(
            "vgg19_bn-c79401a0.pth",
            "c79401a0cf3cb42714e4182f5868c7a6f4f4534f5df9e956e2bb2098de41cbb6",
            574_769_405,
        ),
    }
)


def torchvision_state_dict(
    architecture: str, *, directory: str | PathLike[str] | None = None
) -> dict[str, Tensor]:
    """The ImageNet weights of torchvision for an architecture, under torchvision's keys.

    Args:
        architecture: A key of `TORCHVISION_WEIGHTS`.
        directory: The directory of the file, by default the cache of torch.hub (see `download_weights`).

    Returns:
        ``features.0.weight`` to ``classifier.6.bias``, float32 on the CPU.

    Raises:
        ValueError: If the architecture is unknown.
        WeightsError: If the file cannot be had, or is not the expected one.

    Example:
        >>> from pystyle.encoders._weights import torchvision_state_dict
        >>> torchvision_state_dict("vgg19")["features.0.weight"].shape  # doctest: +SKIP
        torch.Size([64, 3, 3, 3])
    """
    source = TORCHVISION_WEIGHTS.get(architecture)
    if source is None:
        close = difflib.get_close_matches(architecture, TORCHVISION_WEIGHTS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`architecture` must be one of {', '.join(TORCHVISION_WEIGHTS)}, got {architecture!r}.{hint}"
        )
    path = download_weights(
        source.url,
        file_name=source.file_name,
        sha256=source.sha256,
        size=source.size,
        directory=directory,
    )
    return load_weights_file(path)
