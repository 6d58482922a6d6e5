"""Running a module on images without data, to see what its submodules give.

What runs is a copy on the device ``meta``, which computes shapes only, or the module itself on black images
if it needs data.
"""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.encoders._layouts import Size
from pystyle.encoders._taps import PassCompleteError, tapped

Outputs = dict[str, list[Any]]
"""What each submodule gave at each of its calls; the submodules in the order of their first calls."""


def runnables(module: nn.Module) -> Iterator[nn.Module]:
    """What can be run in place of the module: a copy without data, then the module itself."""
    try:
        without_data = _without_data(module)
    except Exception:  # Of any kind: an unknown object need not be able to be copied.
        yield module
    else:
        yield from (without_data, module)


def _without_data(module: nn.Module) -> nn.Module:
    """A copy on the device ``meta``, for which the weights are not copied."""
    memo: dict[int, Any] = {}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
    for buffer in module.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(module, memo)


def black_image(module: nn.Module, size: Size) -> Tensor:
    """An image of the device and the type of a module."""
    weights = (tensor for tensor in module.parameters() if tensor.is_floating_point())
    like = next(weights, torch.empty(0))
    return torch.zeros(1, 3, *size, device=like.device, dtype=like.dtype)


@torch.no_grad()
def dry_run(
    module: nn.Module,
    paths: Iterable[str],
    size: Size,
    *,
    whole: bool = True,
    errors: list[Exception] | None = None,
) -> Outputs:
    """What the submodules gave until the pass ended; an error that ended it is added to `errors`."""
    outputs: Outputs = {}
    missing = set(paths)

    def receive(path: str, output: Any) -> None:
        outputs.setdefault(path, []).append(output)
        missing.discard(path)
        if not (whole or missing):
            raise PassCompleteError

    try:
        with tapped(module, paths, receive):
            module(black_image(module, size))
    except PassCompleteError:
        pass
    except Exception as error:  # Of any kind: a module says in its own way that an image is too small.
        if errors is not None:
            errors.append(error)
    return outputs
