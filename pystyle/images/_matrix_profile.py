"""Profiles that are three curves and a matrix, applied to colours of more than 8 bits.

Little CMS could, but no mode of Pillow has such colours.
"""

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pystyle.images._spaces import FloatArray, Space

# From XYZ of the white that profiles have, D50, to linear sRGB (IEC 61966-2-1, adapted by Bradford's matrix).
_D50_TO_SRGB = np.array(
    [
        [3.1341359, -1.6173863, -0.4906619],
        [-0.9787955, 1.9162544, 0.0334428],
        [0.0719554, -0.2289768, 1.4053860],
    ]
)
_COLUMNS, _CURVES = (b"rXYZ", b"gXYZ", b"bXYZ"), (b"rTRC", b"gTRC", b"bTRC")

# Of the parametric curves: how many numbers each has (ICC.1:2022, table 68).
_NUMBERS = (1, 3, 4, 5, 7)


def matrix_space(profile: bytes) -> Space | None:
    """Returns the colours of a profile for RGB; None if it is more than curves and a matrix, or damaged."""
    if profile[16:24] != b"RGB XYZ ":
        return None
    try:
        tags = _tags(profile)
        if not {*_COLUMNS, *_CURVES} <= set(tags) or any(name[:3] == b"A2B" for name in tags):
            return None
        columns = np.array([struct.unpack_from(">3i", tags[name], 8) for name in _COLUMNS]).T / 65536
        curves = [_curve(tags[name]) for name in _CURVES]
    except (struct.error, IndexError, ValueError):
        return None

    def light(values: FloatArray) -> FloatArray:
        return np.stack([curve(values[..., index]) for index, curve in enumerate(curves)], -1)

    return Space(light, _D50_TO_SRGB @ columns)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(min(count, 100)))
    return {name: profile[offset : offset + length] for name, offset, length in entries}


def _curve(tag: bytes) -> Callable[[FloatArray], FloatArray]:
    if tag[:4] == b"para":
        kind = int.from_bytes(tag[8:10])
        count = _NUMBERS[kind]
        return _parametric(kind, [number / 65536 for number in struct.unpack_from(f">{count}i", tag, 12)])
    if tag[:4] != b"curv":
        raise ValueError("no curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return lambda values: values
    if count == 1:
        exponent = np.float32(struct.unpack_from(">H", tag, 12)[0] / 256)
        return lambda values: np.power(values, exponent)
    table: NDArray[np.float64] = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
    places = np.linspace(0, 1, count)
    return lambda values: np.interp(values, places, table).astype(np.float32)


def _parametric(kind: int, numbers: list[float]) -> Callable[[FloatArray], FloatArray]:
    """The functions of the table: a power of a x + b from d on, and below it c x."""
    g, a, b, c, d, e, f = [*numbers, *[0.0] * (7 - len(numbers))]
    if kind == 0:
        a, d = 1.0, 0.0
    elif kind == 1:
        c, d = 0.0, -b / a
    elif kind == 2:
        # Its fourth number is added everywhere.
        c, d, e, f = 0.0, -b / a, c, c

    def curve(values: FloatArray) -> FloatArray:
        power = np.maximum(a * values + b, 0) ** g + e
        return np.where(values >= d, power, c * values + f).astype(np.float32)

    return curve
