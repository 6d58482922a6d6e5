"""Key frames: a file that says what a clip is painted with at some times."""

import itertools
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pystyle._arguments import is_number
from pystyle.cli._errors import UsageError, did_you_mean
from pystyle.cli._text_files import read_text
from pystyle.video.sound import Curve

_KEYS = ("time", "strength", "style_weights", "ease")
_EASES = ("linear", "smooth")
_POINTS = 32
"""Straight pieces that stand for a smooth way from one key frame to the next."""


@dataclass(frozen=True)
class KeyFrames:
    """What a clip is painted with over time.

    Attributes:
        strength: How much of the styles; None if no key frame says it.
        shares: How much of each style, 1 together; None if no key frame says it.
        end: The time of the last, in seconds.
    """

    strength: Curve | None
    shares: Curve | None
    end: float


@dataclass(frozen=True)
class _KeyFrame:
    time: float
    strength: float | None
    shares: Sequence[float] | None
    is_smooth: bool


def read_keyframes(path: Path) -> KeyFrames:
    """The key frames of a TOML file.

    Each is a table ``[[keyframe]]`` with a ``time`` in seconds, and ``strength``, ``style_weights`` or both.
    Between two that say the same thing the way is straight, or begins and ends slowly if the later one has
    ``ease = "smooth"``; before the first and after the last nothing changes.

    Raises:
        UsageError: If the file cannot be read, or a key frame is none.
    """
    frames = [_key_frame(table, f"In '{path}' key frame {number}") for number, table in _tables(path)]
    frames.sort(key=lambda frame: frame.time)
    for early, late in itertools.pairwise(frames):
        if early.time == late.time:
            raise UsageError(f"In '{path}' two key frames are at {early.time:g} seconds. Remove one.")
    counts = {len(frame.shares) for frame in frames if frame.shares is not None}
    if len(counts) > 1:
        raise UsageError(f"In '{path}' all 'style_weights' must be as many, got {sorted(counts)}.")
    strengths = [(frame, [frame.strength]) for frame in frames if frame.strength is not None]
    shares = [(frame, frame.shares) for frame in frames if frame.shares is not None]
    return KeyFrames(
        _curve(strengths, is_single=True) if strengths else None,
        _curve(shares, is_single=False) if shares else None,
        frames[-1].time,
    )


def _tables(path: Path) -> list[tuple[int, Any]]:
    try:
        found = tomllib.loads(read_text(path))
    except OSError as error:
        raise UsageError(
            f"`--keyframes` must be a file that can be read, got '{path}': {error.strerror}."
        ) from error
    except ValueError as error:  # Of TOML or of its encoding.
        raise UsageError(f"`--keyframes` must be a TOML file, got '{path}': {error}.") from error
    tables = found.get("keyframe")
    if set(found) != {"keyframe"} or not isinstance(tables, list) or not tables:
        raise UsageError(f"`--keyframes` must be a file of tables `[[keyframe]]` alone, got '{path}'.")
    return list(enumerate(tables, 1))


def _key_frame(table: Any, label: str) -> _KeyFrame:
    if not isinstance(table, dict):
        raise UsageError(f"{label} must be a table `[[keyframe]]`, got {table!r}.")
    for key in table:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise UsageError(f"{label} has a key {key!r}, which must be one of {', '.join(_KEYS)}.{hint}")
    time, strength, weights = table.get("time"), table.get("strength"), table.get("style_weights")
    ease = table.get("ease", "linear")
    if not (is_number(time) and 0 <= time < math.inf):
        raise UsageError(f"{label} must have a 'time' in seconds, 0 or later, got {time!r}.")
    if strength is None and weights is None:
        raise UsageError(f"{label} must have 'strength', 'style_weights' or both, got neither.")
    if strength is not None and not (is_number(strength) and 0 <= strength <= 1):
        raise UsageError(f"{label} must have a 'strength' from 0 to 1, got {strength!r}.")
    if ease not in _EASES:
        raise UsageError(f"{label} must have an 'ease' of {' or '.join(_EASES)}, got {ease!r}.")
    return _KeyFrame(float(time), strength, _shares(weights, label), is_smooth=ease == "smooth")


def _shares(weights: Any, label: str) -> Sequence[float] | None:
    if weights is None:
        return None
    found: list[Any] = weights if isinstance(weights, list) else [None]
    if not all(is_number(weight) and 0 <= weight < math.inf for weight in found) or not sum(found) > 0:
        raise UsageError(
            f"{label} must have 'style_weights' such as [0.7, 0.3], none negative and not all 0, got "
            f"{weights!r}."
        )
    return [weight / sum(found) for weight in found]


def _curve(points: Sequence[tuple[_KeyFrame, Sequence[float]]], *, is_single: bool) -> Curve:
    times, values = [points[0][0].time], [np.array(points[0][1], np.float64)]
    for frame, value in points[1:]:
        way = np.linspace(0, 1, _POINTS + 1)[1:] if frame.is_smooth else np.ones(1)
        start, first = times[-1], values[-1]
        for share in way:
            eased = share * share * (3 - 2 * share) if frame.is_smooth else share
            times.append(start + (frame.time - start) * share)
            values.append(first + (np.array(value) - first) * eased)
    rows = np.stack(values)
    return Curve(times, rows[:, 0] if is_single else rows)
