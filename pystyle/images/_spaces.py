"""From the colours that a file says it has, without a profile, to sRGB.

PNG says it by `gAMA` and `cHRM`, or by `cICP`; AVIF and HEIF by `nclx`, which has the same numbers.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]

CICP = "cicp"
"""Under this name `info` has the primaries, the transfer function, and whether the range is full."""

# The coordinates x, y of white, red, green and blue by their numbers in ITU-T H.273, table 2.
_D65 = (0.3127, 0.3290)
_SRGB = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Sequence[float]] = {
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
# Those of table 3 that are powers; those of television are shown as sRGB is, and 2 means that nobody knows.
_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}
_LIKE_SRGB = (1, 2, 6, 11, 12, 13, 14, 15)
_NAMES = {16: "PQ", 18: "HLG"}

_GAMMA_TOLERANCE = 0.05
"""As libpng has it: an exponent that is so near to 1/2.2 stands for sRGB."""
_COORDINATE_TOLERANCE = 0.001

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class Space(NamedTuple):
    """Colours of a kind.

    Attributes:
        light: From values to linear light.
        matrix: From linear light to that of sRGB; None if the primaries are those.
    """

    light: Callable[[FloatArray], FloatArray]
    matrix: NDArray[np.float64] | None


def space_of(info: Mapping[Any, Any]) -> Space | None:
    """The colours that a file says it has; None if they are those of sRGB, or it says nothing."""
    if CICP in info:
        primaries, transfer, is_full = info[CICP]
        return _space(_light_of(transfer, is_full=is_full), _PRIMARIES.get(primaries, _SRGB))
    if "srgb" in info:
        return None
    gamma, light = info.get("gamma"), None
    if isinstance(gamma, float) and gamma > 0 and abs(2.2 * gamma - 1) > _GAMMA_TOLERANCE:
        light = _power(1 / gamma)
    return _space(light, info.get("chromaticity", _SRGB))


def to_srgb(colors: FloatArray, space: Space) -> FloatArray:
    """The colours as sRGB; what it cannot show is clipped.

    Shape:
        - colors, output: (height, width, 3), in [0, 1]
    """
    light = space.light(colors)
    if space.matrix is not None:
        light = light @ space.matrix.T.astype(np.float32)
    light = np.clip(light, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return encoded.astype(np.float32)


def to_linear_srgb(coordinates: Sequence[float]) -> NDArray[np.float64]:
    """The matrix from linear light of these primaries; white becomes white (Bradford's adaptation).

    Raises:
        LinAlgError: If they span no colours.
    """
    own, srgb = _to_xyz(coordinates), _to_xyz(_SRGB)
    cones, cones_of_srgb = _BRADFORD @ own.sum(1), _BRADFORD @ srgb.sum(1)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones_of_srgb / cones) @ _BRADFORD @ own
    matrix: NDArray[np.float64] = np.linalg.inv(srgb) @ adapted
    return matrix


def _space(light: Callable[[FloatArray], FloatArray] | None, coordinates: Sequence[float]) -> Space | None:
    matrix = None
    if max(abs(own - other) for own, other in zip(coordinates, _SRGB, strict=True)) > _COORDINATE_TOLERANCE:
        try:
            with np.errstate(all="raise"):
                matrix = to_linear_srgb(coordinates)
        except (np.linalg.LinAlgError, FloatingPointError, ZeroDivisionError):
            matrix = None  # No colours: the file is as good as one that does not name them.
    if light is None and matrix is None:
        return None
    return Space(_srgb_light if light is None else light, matrix)


def _to_xyz(coordinates: Sequence[float]) -> NDArray[np.float64]:
    white_x, white_y, *others = coordinates
    x, y = np.array(others[::2]), np.array(others[1::2])
    columns = np.stack((x, y, 1 - x - y))
    white = np.array([white_x / white_y, 1.0, (1 - white_x - white_y) / white_y])
    return columns * np.linalg.solve(columns, white)


def _light_of(transfer: int, *, is_full: bool) -> Callable[[FloatArray], FloatArray] | None:
    if transfer not in (*_EXPONENTS, *_LIKE_SRGB):
        name = _NAMES.get(transfer, f"number {transfer} of H.273")
        warnings.warn(
            f"An image has the transfer function {name}, which is not known here: it is read as sRGB, and "
            "its brightness is wrong. Convert it to sRGB first.",
            stacklevel=2,
        )
    light = _power(_EXPONENTS[transfer]) if transfer in _EXPONENTS else None
    if is_full:
        return light
    # Black is 16 and white 235, of 255.
    after = light or _srgb_light
    return lambda values: after(np.clip((values - np.float32(16 / 255)) * np.float32(255 / 219), 0, 1))


def _power(exponent: float) -> Callable[[FloatArray], FloatArray]:
    return lambda values: np.power(values, np.float32(exponent))


def _srgb_light(values: FloatArray) -> FloatArray:
    curve = ((values + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(values <= 0.04045, values / np.float32(12.92), curve)
