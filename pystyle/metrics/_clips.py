"""How steady a painted clip is. Frames are a stream: two of them are in memory at a time."""

import os
from collections.abc import Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from pystyle._arguments import described
from pystyle.colors._pixels import check_picture
from pystyle.functional import warp
from pystyle.functional._flow import stays_inside

_STREAMS = {
    "frames": "(frame.image for frame in read_clip(path))",
    "flows": "[read_flow(path) for path in paths]",
    "weights": "[reliability(forward, backward) for forward, backward in pairs]",
}
"""How each of them is made of files."""


def flicker(frames: Iterable[Tensor]) -> float:
    """How much a clip changes from frame to frame: the mean absolute difference; 0 is a still.

    Motion counts as well as flicker: compare with the clip before it was painted, or take one of a scene in
    which nothing moves. :func:`warping_error` takes motion out.

    Args:
        frames: The frames, a tensor or any stream of images: of a clip ``(frame.image for frame in clip)``.

    Raises:
        TypeError: If it is no stream, or a frame is no floating tensor.
        ValueError: If it leaves [0, 1], there are fewer than two, or their sizes differ.

    Shape:
        - frames: each (1, 3, height, width) or (3, height, width)

    Example:
        >>> import torch
        >>> black, grey = torch.zeros(3, 8, 8), torch.full((3, 8, 8), 0.5)
        >>> flicker([black, grey, black]), flicker([grey, grey])
        (0.5, 0.0)

    References:
        Huang et al., *VBench: Comprehensive Benchmark Suite for Video Generative Models*, CVPR 2024, temporal
        flickering, which is 1 less this.
    """
    return _mean((frame - before).abs().mean() for before, frame in pairwise(_frames(frames)))


def warping_error(
    frames: Iterable[Tensor], flows: Iterable[Tensor], weights: Iterable[Tensor] | None = None
) -> float:
    r"""How unsteady a painted clip is along the motion of its scene: 0 if strokes move with things.

    .. math:: \frac{1}{T - 1} \sum_t \frac{\sum_p m_{tp} \| x_{tp} - W(x_{t-1})_p \|^2 / 3}{\sum_p m_{tp}}

    of the frames x and the previous one warped by the flow W. It rewards blurred and empty pictures, which
    have little that could flicker: look at a measure of the style beside it.

    Args:
        frames: The painted frames, a tensor or any stream of images, as for :func:`flicker`.
        flows: For each frame but the first the flow from it to the one before it, as
            :func:`pystyle.functional.warp` takes it: given with the clip, or estimated from the frames before
            they were painted.
        weights: For each frame but the first where the flow is to be relied on, such as
            :func:`pystyle.functional.reliability`. None relies on it wherever it stays within the frame.

    Returns:
        The mean over the frames; frames in which no pixel counts are left out.

    Raises:
        TypeError: If one is no stream, or a frame is no floating tensor.
        ValueError: If it leaves [0, 1], there are fewer than two, there is not one flow (and one map of
            weights) for each but the first, sizes differ, weights are negative, or no pixel counts.

    Shape:
        - frames: each (1, 3, height, width) or (3, height, width)
        - flows: each (1, 2, height, width) or (2, height, width), in pixels
        - weights: each (1, 1, height, width) or (1, height, width)

    Example:
        >>> import torch
        >>> first = torch.rand(1, 3, 8, 8)
        >>> to_the_left = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
        >>> warping_error([first, first.roll(-1, 3)], [to_the_left])
        0.0

    References:
        Lai, Huang, Wang, Shechtman, Yumer and Yang, *Learning Blind Video Temporal Consistency*, ECCV 2018,
        equation 8. Theirs sums over the channels, and leaves out what is hidden but not what leaves the
        frame.
    """
    maps = _stream(weights, "weights") if weights is not None else None
    motions = _stream(flows, "flows")

    def errors() -> Iterator[Tensor]:
        for index, (before, frame) in enumerate(pairwise(_frames(frames)), 1):
            flow = _next(motions, "flows", index, (2, *frame.shape[2:])).to(frame)
            trusted = stays_inside(flow).to(frame)
            if maps is not None:
                trusted = trusted * _next(maps, "weights", index, (1, *frame.shape[2:])).to(frame)
                if bool((trusted < 0).any()):
                    raise ValueError(f"`weights` must not be negative, got {float(trusted.min()):g}.")
            if bool(trusted.any()):
                squares = (frame - warp(before, flow)).square().mean(1, keepdim=True)
                yield (trusted * squares).where(trusted > 0, 0).sum() / trusted.sum()

    result = _mean(errors())
    for stream, name in ((motions, "flows"), (maps, "weights")):
        if stream is not None and next(stream, None) is not None:
            raise ValueError(f"`{name}` must have one for each frame but the first, got more.")
    return result


def _frames(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    size = None
    for index, given in enumerate(_stream(frames, "frames")):
        frame = check_picture(_as_batch(given, "frames"), f"frames[{index}]").to(torch.float64)
        if len(frame) != 1 or (size is not None and frame.shape != size):
            raise ValueError(
                f"`frames` must be images of one size, got {tuple(given.shape)} for the frame {index}"
                f"{'' if size is None else f' after {tuple(size[2:])}'}."
            )
        size = frame.shape
        yield frame


def _stream(given: Iterable[Tensor], name: str) -> Iterator[Tensor]:
    if isinstance(given, str | os.PathLike) or not isinstance(given, Iterable):
        raise TypeError(
            f"`{name}` must be a tensor or a stream of tensors, got {described(given)}. Write "
            f"`{_STREAMS[name]}`."
        )
    return iter(given)


def _next(stream: Iterator[Tensor], name: str, index: int, shape: tuple[int, ...]) -> Tensor:
    given = next(stream, None)
    if given is None:
        raise ValueError(f"`{name}` must have one for each frame but the first, got {index - 1}.")
    found = _as_batch(given, name)
    if found.shape != (1, *shape):
        raise ValueError(f"`{name}` must be of the shape {shape}, got {tuple(given.shape)}.")
    return found


def _as_batch(given: Tensor, name: str) -> Tensor:
    if not isinstance(given, Tensor):
        raise TypeError(
            f"`{name}` must be tensors, got a {type(given).__name__}. The frames of a clip have theirs as "
            "`frame.image`."
        )
    return given[None] if given.ndim == 3 else given


def _mean(values: Iterable[Tensor]) -> float:
    found = [float(value) for value in values]
    if not found:
        raise ValueError("`frames` must be at least two images, in which some pixels count; got fewer.")
    return sum(found) / len(found)
