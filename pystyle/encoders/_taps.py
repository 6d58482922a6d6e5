"""What the submodules of any module give on the way.

The taps are forward hooks that live no longer than one pass and are removed however it ends. Unlike a traced
graph they work for every module, whatever its control flow; see `docs/design.md`. They listen to their own
thread only, so that two passes through one module at the same time do not meet.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn


class PassCompleteError(BaseException):
    """Ends a pass from within a tap. No Exception, so that no handler of the module swallows it."""


@contextmanager
def tapped(module: nn.Module, paths: Iterable[str], receive: Callable[[str, Any], None]) -> Iterator[None]:
    """Within the block, `receive(path, output)` is called whenever one of the submodules has run."""
    thread = threading.get_ident()

    def tap(path: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if threading.get_ident() == thread:
                receive(path, output)

        return hook

    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(module.get_submodule(path).register_forward_hook(tap(path)))
        yield


def outputs_of(module: nn.Module, x: Tensor, paths: Iterable[str]) -> dict[str, Tensor]:
    """What the submodules give for an input, from a pass that ends with the last of them."""
    if torch.compiler.is_compiling():
        # Hooks and an early end are no graph. Without this the compiler would find out by trial and error.
        eagerly: Callable[..., dict[str, Tensor]]
        eagerly = torch.compiler.disable(_outputs_of)  # type: ignore[no-untyped-call]
        return eagerly(module, x, paths)
    return _outputs_of(module, x, paths)


def _outputs_of(module: nn.Module, x: Tensor, paths: Iterable[str]) -> dict[str, Tensor]:
    outputs: dict[str, Tensor] = {}
    missing = set(paths)

    def receive(path: str, output: Tensor) -> None:
        missing.discard(path)
        if not missing:
            outputs[path] = output
            raise PassCompleteError
        # A copy, because what comes next may work in place.
        outputs[path] = output.clone()

    if missing:
        with suppress(PassCompleteError), tapped(module, tuple(missing), receive):
            module(x)
    return outputs
