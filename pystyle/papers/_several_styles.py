"""Codes that have the size of their styles: several are kept beside each other and painted one by one.

Such a code is a tuple: how much of each style, (batch, styles), and then the tensors of each style in turn.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pystyle.functional._precision import at_least_float32


def of_one_style(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The code of a style of which these tensors are kept."""
    # In half precision shares would not sum to one.
    return (at_least_float32(tensors[0].new_ones(len(tensors[0]), 1)), *tensors)


def of_several_styles(codes: Sequence[tuple[Tensor, ...]], shares: Sequence[float]) -> tuple[Tensor, ...]:
    """The code of all styles that the codes are of, each with its share."""
    batch = max(len(code[0]) for code in codes)
    parts = [share * code[0].expand(batch, -1) for code, share in zip(codes, shares, strict=True)]
    return (torch.cat(parts, 1), *(tensor for code in codes for tensor in code[1:]))


def each_style(code: Sequence[Tensor], count: int) -> Iterator[tuple[Tensor, Sequence[Tensor]]]:
    """How much of each style, (batch, 1, 1, 1), and its `count` tensors."""
    for index in range(code[0].shape[1]):
        start = 1 + index * count
        yield code[0][:, index, None, None, None], code[start : start + count]
