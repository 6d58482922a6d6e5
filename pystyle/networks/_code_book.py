"""Weights as indices into short tables, one for each layer, found by k-means in one dimension.

Of each channel that goes out only the deviation is kept beside the indices, so that one table serves a whole
layer. Layers of few weights have longer tables: if the errors of layers add up, each as the square of a step
of its table, a quarter of the weights is worth one bit more (Lagrange's condition for a given sum of bits).
The indices of a layer are packed by Huffman's code (that of zlib): frequent ones take fewer bits.

References:
    Han, Mao and Dally, *Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization
    and Huffman Coding*, ICLR 2016, sections 3 and 4; without the training, with deviations, and with tables
    as long as a layer needs them instead of two lengths for all.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.checkpoints import CheckpointError

_LEAST = 1024
"""A tensor of fewer numbers is stored as it is: its table would not be much smaller."""
_LONGEST = 256
"""Of a table, whose indices are bytes before they are packed."""
_ITERATIONS = 100
_OTHER_SIZE = "Its weights have another size than the network."


def can_be_coded(weights: Tensor) -> bool:
    """Whether there are enough numbers for a table of them to be smaller."""
    return weights.is_floating_point() and weights.ndim > 1 and weights.numel() >= _LEAST


def coded(weights: Mapping[str, Tensor], bits: int) -> dict[str, Any]:
    """Weights by the nearest numbers of their tables, as what a file can hold.

    Args:
        weights: The weights by name; along the first axis each has its own deviation.
        bits: Of an index, in the mean over all weights.
    """
    lengths = _lengths([value.numel() for value in weights.values()], bits)
    parts = [_coded(value, length) for value, length in zip(weights.values(), lengths, strict=True)]
    packed = [_packed(indices) for _, _, indices in parts]
    return {
        "names": list(weights),
        "deviations": torch.cat([deviations for deviations, _, _ in parts]),
        "lengths": [len(table) for _, table, _ in parts],
        "tables": torch.cat([table for _, table, _ in parts]),
        "packed": [len(piece) for piece in packed],
        "indices": torch.cat(packed),
    }


def decoded(book: Mapping[str, Any], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that :func:`coded` stored, in float32.

    Args:
        book: What it gave.
        like: Tensors of the same shapes, by name.

    Raises:
        CheckpointError: If these do not fit.
        KeyError: If there is none of a name.
    """
    shapes = [like[name].shape for name in book["names"]]
    rows = [shape[0] for shape in shapes]
    tables, deviations, packed = book["tables"].float(), book["deviations"].float(), book["indices"]
    try:
        parts = list(
            zip(
                book["names"],
                shapes,
                torch.split(tables, book["lengths"]),
                torch.split(packed, book["packed"]),
                torch.split(deviations, rows),
                strict=True,
            )
        )
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(_OTHER_SIZE) from error
    weights = {}
    for name, shape, table, piece, deviation in parts:
        relative = table[_unpacked(piece, shape.numel(), len(table))].view(shape[0], -1)
        weights[name] = (relative * deviation[:, None]).view(shape)
    return weights


def _lengths(counts: Sequence[int], bits: int) -> list[int]:
    """Of the tables of layers with so many weights."""
    mean = sum(count * math.log2(count) for count in counts) / sum(counts)
    return [min(_LONGEST, max(2, round(2 ** (bits + (mean - math.log2(count)) / 2)))) for count in counts]


def _packed(indices: Tensor) -> Tensor:
    packer = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    return torch.frombuffer(
        bytearray(packer.compress(indices.numpy().tobytes()) + packer.flush()), dtype=torch.uint8
    )


def _unpacked(packed: Tensor, count: int, length: int) -> Tensor:
    """So many indices into a table of this length."""
    try:
        # No more than is needed is unpacked, whatever the file says.
        unpacked = zlib.decompressobj().decompress(packed.numpy().tobytes(), count + 1)
    except zlib.error as error:
        raise CheckpointError(f"Its weights cannot be unpacked: {error}.") from error
    if len(unpacked) != count or max(unpacked, default=0) >= length:
        raise CheckpointError(_OTHER_SIZE)
    return torch.frombuffer(bytearray(unpacked), dtype=torch.uint8).long()


def _coded(weights: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The deviations of channels, a table of this size, and indices into it."""
    rows = weights.detach().cpu().double().flatten(1)
    deviations = rows.square().mean(1).sqrt().half()
    # What is zero, or next to it, stays so, whatever it is divided by.
    deviations = torch.where(deviations > 0, deviations, 1.0).half()
    relative = rows / deviations.double()[:, None]
    table = _table(relative.flatten(), size).half()
    indices = torch.bucketize(relative, (table[1:].double() + table[:-1].double()) / 2)
    return deviations, table, indices.to(torch.uint8)


def _table(numbers: Tensor, size: int) -> Tensor:
    """So many numbers in order, or fewer, to which the squared distance of all is as small as nearby."""
    ordered = numbers.sort().values
    known: Tensor = torch.unique(ordered)
    if len(known) <= size:
        return known
    # Between equal shares, which leave the tails to few, and equal steps, which leave the middle to few.
    places, steps = (
        torch.linspace(first, last, size, dtype=torch.float32, device="cpu")
        for first, last in ((0, len(ordered) - 1), (float(ordered[0]), float(ordered[-1])))
    )
    table = (ordered[places.long()] + steps) / 2
    sums = torch.cat([ordered.new_zeros(1), ordered.cumsum(0)])
    for _ in range(_ITERATIONS):
        inner = torch.searchsorted(ordered, (table[1:] + table[:-1]) / 2)
        ends = torch.cat([inner.new_zeros(1), inner, inner.new_full((1,), len(ordered))])
        counts = ends.diff()
        # What nothing is near to stays where it is.
        means = torch.where(counts > 0, sums[ends].diff() / counts.clamp_min(1), table)
        if torch.equal(means, table):
            break
        table = means
    return table
