r"""Ruder, Dosovitskiy, Brox 2016: artistic style transfer for videos.

Each frame begins with the stylised previous one, moved along the optical flow, and is held to it where the
flow can be relied on:

.. math:: \mathcal{L} = \alpha \mathcal{L}_c + \beta \mathcal{L}_s
          + \gamma \sum_{j \in J} \frac{1}{D} \sum_k c^{(i - j, i)}_k (x_k - \omega(x^{(i - j)})_k)^2

=====================  ======================================  ===========================================
what                   paper                                   authors' code
=====================  ======================================  ===========================================
network                VGG-19                                  VGG-19 as Caffe has it, max pooling
content                relu4_2, Σ(F - P)² / (N M), α = 1       relu4_2, ⟨(F - P)²⟩, weight 5
style                  relu1_1 ... relu5_1, Σ(G - A)² / (N²    the same layers, matrices over N M, ⟨ΔG²⟩,
                       M²), β = 20                             weight 100 each
temporal               γ = 200                                 the same of levels 0 ... 255, weight 1000;
                                                               500 with several passes
total variation        --                                      half of the sum of squares, 1e-3
reliability c          0 or 1, from forward and backward flow  softened by a Gaussian of 0.8 pixels
several frames J       c less the c of all nearer frames, not  c less what was left of the nearer frames',
                       below 0                                 not below 0; J = {1}
init                   noise, then the warped frame; what      noise of 0.001; the same
                       comes from outside gets the mean
                       colour
steps                  2000, then 1000                         the same
stopped                when the loss falls by less than 1e-4   the same
                       in 50 steps
several passes         ½ of the warped neighbour where it is   neighbour and frame with the weights c and 1,
                       reliable, forwards and backwards        divided by their sum; 15 passes of 100 steps,
                                                               temporal loss from the eighth
optimizer              L-BFGS                                  its L-BFGS, 100 pairs
=====================  ======================================  ===========================================

Sources: the paper's sections 3 to 4.3 and 5, from memory, whose ratios of the weights are the code's;
manuelruder/artistic-videos, commit 40e7447, ``artistic_video.lua``, ``artistic_video_multiPass.lua``,
``artistic_video_core.lua``, ``consistencyChecker``.

What differs here: the temporal gradient is exact, where the code's leaves out a root of c; colours are
multiplied by 255, where the code takes 256; frames do not go through 8-bit files in between; the last row
and column may be relied on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import reliability, warp
from pystyle.images import resize
from pystyle.losses import ContentLoss, GramLoss, Loss, TemporalLoss, TotalVariationLoss
from pystyle.optim import LBFGS
from pystyle.papers._raft import RAFTFlow
from pystyle.papers.gatys_2015 import MEAN_COLOUR
from pystyle.papers.gatys_2016 import CONTENT_LAYER, STYLE_LAYERS
from pystyle.runner import Callback, Result, StopOnPlateau, optimize_image
from pystyle.typing import OptimizerFactory

__all__ = [
    "RAFTFlow",
    "blended",
    "criterion",
    "long_term_weights",
    "multi_pass",
    "style_transfer",
    "temporal_error",
    "warped_frame",
]

Variant: TypeAlias = Literal["paper", "code"]
VideoInit: TypeAlias = Literal["random", "previous", "warped", "content"]

Flow: TypeAlias = Callable[[int, int], Tensor]
"""From the numbers of two frames to the optical flow from the first to the second, (1, 2, height, width)."""


def criterion(
    encoder: Encoder | None = None,
    *,
    weights: Sequence[Tensor] = (),
    variant: Variant = "code",
    size: tuple[int, int],
    content_weight: float | None = None,
    style_weight: float | None = None,
    temporal_weight: float | None = None,
    smoothness: float = 1e-3,
) -> Criterion:
    """The losses of one frame.

    Args:
        encoder: The network; that of the table if not given.
        weights: How much each pixel of each warped frame counts; see :func:`long_term_weights`.
        variant: Whose losses.
        size: Height and width of the frame in pixels, on which the total variation depends.
        content_weight: α; 1 for the paper and 5 for the code if not given.
        style_weight: β, for each layer; 20 for the paper and 100 for the code if not given.
        temporal_weight: γ; 200 for the paper and 1000 for the code if not given.
        smoothness: Of the code's total variation.

    Returns:
        A criterion with the losses ``content`` and ``style``, for each of `weights` ``temporal_0``,
        ``temporal_1``, ..., whose references are ``warped_0``, ``warped_1``, ..., and with the code
        ``smoothness``.

    Raises:
        ValueError: If `variant` is unknown, or weights are not in [0, 1].

    Example:
        >>> losses = criterion(vgg19(weights=None), weights=[torch.ones(1, 1, 32, 32)], size=(32, 32)).losses
        >>> list(losses)
        ['content', 'style', 'temporal_0', 'smoothness']
    """
    _check(variant)
    paper = variant == "paper"
    defaults = (1.0, 20.0, 200.0) if paper else (5.0, 100.0, 1000.0)
    alpha, beta, gamma = (
        default if given is None else given
        for given, default in zip((content_weight, style_weight, temporal_weight), defaults, strict=True)
    )
    losses: dict[str, Loss] = {
        "content": ContentLoss(CONTENT_LAYER, weight=alpha),
        "style": GramLoss(
            STYLE_LAYERS, layer_weights=[beta] * len(STYLE_LAYERS), normalization="hw" if paper else "chw"
        ),
    }
    for index, each in enumerate(weights):
        # The squares are those of levels of 0 ... 255.
        losses[f"temporal_{index}"] = TemporalLoss(each, weight=gamma * 255**2, reference=f"warped_{index}")
    if not paper and smoothness:
        # The loss is a mean over the pixels that have both neighbours, of three colours.
        variation = smoothness * 255**2 * 3 * (size[0] - 1) * (size[1] - 1) / 2
        losses["smoothness"] = TotalVariationLoss(weight=variation)
    return Criterion(vgg19() if encoder is None else encoder, losses)


def warped_frame(frame: Tensor, flow: Tensor) -> Tensor:
    """A frame moved along a flow; what comes from outside of it gets the mean colour of ImageNet.

    Args:
        frame: The previous frame.
        flow: The flow from the current frame to the previous one.

    Returns:
        The frame in the pose of the current one.

    Shape:
        - frame, output: (1, 3, height, width), RGB in [0, 1]
        - flow: (1, 2, height, width)

    Example:
        >>> frame, flow = torch.ones(1, 3, 1, 3), torch.zeros(1, 2, 1, 3)
        >>> flow[:, 0] = 1.0
        >>> warped_frame(frame, flow)[0, 2]
        tensor([[1.0000, 1.0000, 0.4076]])
    """
    height, width = frame.shape[2:]
    x = torch.arange(width, device=flow.device) + flow[:, :1]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1:]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    mean = torch.tensor(MEAN_COLOUR).reshape(1, 3, 1, 1).to(frame)
    return torch.where(inside.to(frame.device), warp(frame, flow), mean)


def long_term_weights(weights: Sequence[Tensor], *, variant: Variant = "code") -> list[Tensor]:
    r"""How much each pixel of several previous frames counts: a far one where no nearer one can be relied on.

    .. math:: c_{long}^{(i - j, i)} = \max \left( c^{(i - j, i)} - \sum_{k < j} c^{(i - k, i)}, 0 \right)

    Args:
        weights: The reliability of each previous frame, the nearest first.
        variant: The code subtracts what was left of the nearer frames instead, which is another number where
            weights are neither 0 nor 1.

    Returns:
        The weights in the same order.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - weights, output: each (1, 1, height, width), in [0, 1]

    Example:
        >>> near, far = torch.tensor([[[[1.0, 0.0, 0.6]]]]), torch.tensor([[[[1.0, 1.0, 1.0]]]])
        >>> long_term_weights([near, far])[1]
        tensor([[[[0.0000, 1.0000, 0.4000]]]])
    """
    _check(variant)
    found = list[Tensor]()
    for index, each in enumerate(weights):
        nearer = weights[:index] if variant == "paper" else found
        left = each
        for other in nearer:
            left = left - other
        found.append(left.clamp_min(0))
    return found


def style_transfer(
    frames: Sequence[Tensor],
    style: Tensor,
    flow: Flow,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    distances: Sequence[int] = (1,),
    init: VideoInit = "warped",
    content_weight: float | None = None,
    style_weight: float | None = None,
    temporal_weight: float | None = None,
    num_steps: tuple[int, int] = (2000, 1000),
    tolerance: float = 1e-4,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> list[Result]:
    """A clip in the style of a painting, frame by frame.

    Args:
        frames: The frames of the clip; :func:`pystyle.images.read_video` gives them.
        style: The painting; it is brought to the long side of the frames.
        flow: From the numbers i and j of two frames to the optical flow from frame i to frame j. It is called
            with neighbours in both directions, and with frames that are `distances` apart. For files it is
            ``lambda i, j: read_flow(f"flow/{i}_{j}.flo")``, and :class:`RAFTFlow` finds it.
        encoder: The network; see the table of the module. variant: Whose losses. distances: J: which
            previous frames a frame is held to. init: What frames after the first begin with: noise, the
            previous result, that result along the flow, or the frame itself. The first begins with noise,
            or with the frame itself if the others do.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        temporal_weight: Of :func:`criterion`; with 0 only `init` ties frames together.
        num_steps: Steps for the first frame and for each other one.
        tolerance: A frame is finished when the loss falls by less than this fraction in 50 steps.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all frames.
        evaluation: How the gradient is computed.
        seed: Of the noise.

    Returns:
        The result of each frame.

    Raises:
        ValueError: If there are no frames, they differ in size, or an argument is unknown or out of its
            range.

    Shape:
        - frames: each (1, 3, height, width), RGB in [0, 1]
        - style: (1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> frames, painting = [torch.rand(1, 3, 32, 40) for _ in range(2)], torch.rand(1, 3, 32, 32)
        >>> still = torch.zeros(1, 2, 32, 40)
        >>> results = style_transfer(
        ...     frames, painting, lambda i, j: still, encoder=vgg19(weights=None), num_steps=(1, 1)
        ... )
        >>> [tuple(result.image.shape[2:]) for result in results]
        [(32, 40), (32, 40)]
    """
    size = _checked(frames, variant)
    if init not in ("random", "previous", "warped", "content"):
        raise ValueError(f"`init` must be 'random', 'previous', 'warped' or 'content', got {init!r}.")
    if not distances or min(distances) < 1:
        raise ValueError(f"`distances` must be positive numbers of frames, got {tuple(distances)}.")
    encoder = vgg19() if encoder is None else encoder
    painting = resize(style, max(size), edge="long", interpolation="bilinear")
    results = list[Result]()
    for index, frame in enumerate(frames):
        references = {"content": frame, "style": painting}
        weights = list[Tensor]()
        if temporal_weight != 0:
            previous = [index - distance for distance in sorted(set(distances)) if distance <= index]
            reliable = [_reliability(flow, other, index, variant) for other in previous]
            weights = long_term_weights(reliable, variant=variant)
            for count, other in enumerate(previous):
                references[f"warped_{count}"] = warped_frame(results[other].image, flow(index, other))
        if init == "content":
            start = frame
        elif init == "random" or not results:
            start = _noise(frame, seed + index)
        elif init == "previous":
            start = results[-1].image
        else:
            start = warped_frame(results[-1].image, flow(index, index - 1))
        results.append(
            optimize_image(
                criterion(
                    encoder, weights=weights, variant=variant, size=size, content_weight=content_weight,
                    style_weight=style_weight, temporal_weight=temporal_weight,
                ),
                references,
                init=start,
                optimizer=optimizer,
                num_steps=num_steps[1] if index else num_steps[0],
                bounds=None,
                callbacks=(StopOnPlateau(patience=50, tolerance=tolerance), *callbacks),
                evaluation=evaluation,
            )
        )  # fmt: skip
    return results


def multi_pass(
    frames: Sequence[Tensor],
    style: Tensor,
    flow: Flow,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    num_passes: int = 15,
    temporal_from: int = 8,
    content_weight: float | None = None,
    style_weight: float | None = None,
    temporal_weight: float | None = None,
    num_steps: int = 100,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> list[Result]:
    """A clip in the style of a painting, in passes forwards and backwards.

    A strong motion of the camera makes the last frames of one pass better than the first, for they had more
    steps. Here every frame begins with noise of its own, and in each further pass with a mix of itself and
    its warped neighbour, which in a forward pass is the previous frame and in a backward pass the next one.

    Args:
        frames: The frames of the clip.
        style: The painting; it is brought to the long side of the frames.
        flow: As in :func:`style_transfer`; it is called with neighbours only.
        encoder: The network; see the table of the module.
        variant: Whose losses, and whose mix; see :func:`blended`.
        num_passes: How many passes; every second one goes backwards.
        temporal_from: The number of the first pass with the temporal loss, counted from 1.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        temporal_weight: Of :func:`criterion`; 100 for the paper and 500 for the code if not given.
        num_steps: Steps for each frame in each pass.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all frames.
        evaluation: How the gradient is computed.
        seed: Of the noise.

    Returns:
        The result of each frame in the last pass.

    Raises:
        ValueError: If there are no frames, they differ in size, or an argument is unknown or out of its
            range.

    Shape:
        - frames: each (1, 3, height, width), RGB in [0, 1]
        - style: (1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> frames, painting = [torch.rand(1, 3, 32, 40) for _ in range(2)], torch.rand(1, 3, 32, 32)
        >>> still = torch.zeros(1, 2, 32, 40)
        >>> results = multi_pass(
        ...     frames, painting, lambda i, j: still, encoder=vgg19(weights=None), num_passes=2, num_steps=1
        ... )
        >>> len(results)
        2
    """
    size = _checked(frames, variant)
    if num_passes < 1:
        raise ValueError(f"`num_passes` must be positive, got {num_passes}.")
    if temporal_weight is None:
        temporal_weight = 100.0 if variant == "paper" else 500.0
    encoder = vgg19() if encoder is None else encoder
    painting = resize(style, max(size), edge="long", interpolation="bilinear")
    results: dict[int, Result] = {}
    for number in range(1, num_passes + 1):
        step = 1 if number % 2 else -1
        for index in list(range(len(frames)))[::step]:
            neighbour = index - step
            references = {"content": frames[index], "style": painting}
            weights = list[Tensor]()
            start = _noise(frames[index], seed + index) if number == 1 else results[index].image
            if 0 <= neighbour < len(frames):
                reliable = _reliability(flow, neighbour, index, variant)
                warped = warp(results[neighbour].image, flow(index, neighbour))
                if number > 1:
                    start = blended(start, warped, reliable, variant=variant)
                if number >= temporal_from and temporal_weight:
                    weights, references["warped_0"] = [reliable], warped
            results[index] = optimize_image(
                criterion(
                    encoder, weights=weights, variant=variant, size=size, content_weight=content_weight,
                    style_weight=style_weight, temporal_weight=temporal_weight,
                ),
                references,
                init=start,
                optimizer=optimizer,
                num_steps=num_steps,
                bounds=None,
                callbacks=callbacks,
                evaluation=evaluation,
            )  # fmt: skip
    return [results[index] for index in range(len(frames))]


def blended(frame: Tensor, warped: Tensor, weights: Tensor, *, variant: Variant = "code") -> Tensor:
    r"""A frame mixed with its warped neighbour where that can be relied on.

    .. math:: \tfrac12 c\, \omega + (1 - \tfrac12 c)\, x \quad \text{(paper)} \qquad
              \frac{c\, \omega + x}{c + 1} \quad \text{(code)}

    Args:
        frame: The result x of the pass before.
        warped: The neighbour ω of this pass.
        weights: The reliability c.
        variant: Whose formula; they are the same where c is 0 or 1.

    Returns:
        The image that the frame begins with in this pass.

    Raises:
        ValueError: If `variant` is unknown.

    Shape:
        - frame, warped, output: (1, 3, height, width)
        - weights: (1, 1, height, width), in [0, 1]

    Example:
        >>> x, other = torch.zeros(1, 3, 1, 2), torch.ones(1, 3, 1, 2)
        >>> blended(x, other, torch.tensor([[[[1.0, 0.0]]]]))[0, 0]
        tensor([[0.5000, 0.0000]])
    """
    _check(variant)
    if variant == "paper":
        return weights / 2 * warped + (1 - weights / 2) * frame
    return (weights * warped + frame) / (weights + 1)


def temporal_error(images: Sequence[Tensor], flow: Flow) -> float:
    """The mean squared difference of each frame to the warped one before, where the flow can be relied on.

    It is what the paper's table 1 compares.

    Args:
        images: The stylised frames.
        flow: As in :func:`style_transfer`.

    Returns:
        The mean over all reliable pixels and colours, for values in [0, 1]; 0 if there are none.

    Raises:
        ValueError: If there are no frames or they differ in size.

    Shape:
        - images: each (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> still = torch.zeros(1, 2, 4, 4)
        >>> temporal_error([torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)], lambda i, j: still)
        0.25
    """
    _checked(images, "paper")
    total, count = 0.0, 0.0
    for index in range(1, len(images)):
        weights = _reliability(flow, index - 1, index, "paper").to(images[index])
        warped = warp(images[index - 1], flow(index, index - 1))
        total += float((weights * (images[index] - warped).square()).sum())
        count += float(3 * weights.sum())
    return total / count if count else 0.0


def _reliability(flow: Flow, other: int, index: int, variant: Variant) -> Tensor:
    """Where another frame, warped into the one of this index, shows what this shows."""
    smoothing = 0.0 if variant == "paper" else 0.8
    return reliability(flow(other, index), flow(index, other), smoothing=smoothing)


def _noise(frame: Tensor, seed: int) -> Tensor:
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
    return (torch.tensor(MEAN_COLOUR).reshape(1, 3, 1, 1) + 1e-3 / 255 * noise).to(frame)


def _checked(frames: Sequence[Tensor], variant: str) -> tuple[int, int]:
    """The size of the frames."""
    _check(variant)
    sizes = {tuple(frame.shape) for frame in frames}
    if len(sizes) != 1:
        raise ValueError(f"`frames` must be at least one image, all of one shape, got {sorted(sizes)}.")
    return frames[0].shape[2], frames[0].shape[3]


def _check(variant: str) -> None:
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
