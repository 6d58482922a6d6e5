"""What an exported graph computes: a painter, or the look at a style, with all that belongs to it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pystyle.losses._representation import changed, combine, tensors_of
from pystyle.networks._stylizer import Stylizer


class PaintingGraph(nn.Module):
    """From a content of any size, and a code or what chooses one, to the picture.

    Args:
        network: The network.
        code: A code: that of the style if it is fixed, otherwise one like those that come in.
        chosen: Whether the style is ``"fixed"``, comes in as a ``"code"``, or as ``"shares"`` of the styles
            whose codes are in a batch.
    """

    def __init__(self, network: Stylizer, code: Any, chosen: str) -> None:
        super().__init__()
        self.network, self.chosen, self.like = network, chosen, changed(code, torch.clone)

    def forward(self, content: Tensor, *style: Tensor) -> Tensor:
        """The picture, in [0, 1]."""
        height, width = content.shape[2:]
        stride = self.network.stride
        # As multiples of the stride, of which the exporter knows that a half is a whole number.
        below, right = ((side + stride - 1) // stride * stride - side for side in (height, width))
        padded = pad(content, (0, right, 0, below), mode="replicate")
        picture: Tensor = self.network(padded, self._code(style))
        return picture[:, :, :height, :width].to(content).clamp(0, 1)

    def _code(self, style: Sequence[Tensor]) -> Any:
        if self.chosen == "fixed":
            return self.like
        if self.chosen == "code":
            return code_like(self.like, style)
        (shares,) = style
        return changed(self.like, lambda codes: torch.einsum("bs,s...->b...", shares, codes))


class LookingGraph(nn.Module):
    """From a style of any size to the tensors of its code."""

    def __init__(self, network: Stylizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, style: Tensor) -> tuple[Tensor, ...]:
        """The tensors."""
        return tensors_of(self.network.represent_style(style))


def code_like(example: Any, tensors: Sequence[Tensor]) -> Any:
    """A code of these tensors, of the kind of another."""
    if isinstance(example, Tensor):
        return tensors[0]
    return type(example)(*tensors) if hasattr(example, "_fields") else tuple(tensors)


def code_names(code: Any) -> list[str]:
    """What the tensors of a code are called in a graph."""
    if isinstance(code, Tensor):
        return ["code"]
    return [f"code_{name}" for name in getattr(code, "_fields", range(len(code)))]


def codes_of_styles(network: Stylizer) -> Any:
    """Those that a network has learned, in a batch."""
    codes = [network.named_code(name) for name in network.styles]
    return combine(codes, lambda tensors: torch.cat(list(tensors)))
