from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias

from torch import Tensor

from pystyle._arguments import whole_numbers
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.ruder_2016._criterion import criterion
from pystyle.papers.ruder_2016._frames import common_size, noise_like, warped_frame
from pystyle.papers.ruder_2016._reliability import Flow, long_term_weights, reliable_pixels
from pystyle.runner import Callback, Result, StopOnPlateau, optimize_image
from pystyle.typing import OptimizerFactory

VideoInit: TypeAlias = Literal["random", "previous", "warped", "content"]


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
        frames: The frames of the clip; :func:`pystyle.video.read_clip` gives them.
        style: The painting; it is brought to the long side of the frames.
        flow: From the numbers i and j of two frames to the optical flow from frame i to frame j. It is called
            with neighbours in both directions, and with frames that are `distances` apart. For files it is
            ``lambda i, j: read_flow(f"flow/{i}_{j}.flo")``, and :class:`RAFTFlow` finds it.
        encoder: The network; see the table of the module.
        variant: Whose losses.
        distances: J: which previous frames a frame is held to.
        init: What frames after the first begin with: noise, the previous result, that result along the flow,
            or the frame itself. The first begins with noise, or with the frame itself if the others do.
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
        The result of each frame. One that was interrupted is the last.

    Raises:
        ValueError: If there are no frames, they differ in size, or an argument is unknown or out of its
            range.

    Shape:
        - frames: each (1, 3, height, width), RGB in [0, 1]
        - style: (1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> frames, painting = [torch.rand(1, 3, 32, 40) for _ in range(2)], torch.rand(1, 3, 32, 32)
        >>> still = torch.zeros(1, 2, 32, 40)
        >>> results = style_transfer(
        ...     frames, painting, lambda i, j: still, encoder=vgg19(weights=None), num_steps=(1, 1)
        ... )
        >>> [tuple(result.image.shape[2:]) for result in results]
        [(32, 40), (32, 40)]
    """
    check_variant(variant)
    check_images({"style": style} | {f"frames[{i}]": frame for i, frame in enumerate(frames)})
    size = common_size(frames)
    if init not in ("random", "previous", "warped", "content"):
        raise ValueError(f"`init` must be 'random', 'previous', 'warped' or 'content', got {init!r}.")
    distances = whole_numbers(distances, "`distances`", least=1)
    if not distances:
        raise ValueError("`distances` must have at least one number of frames, got none.")
    encoder = vgg19() if encoder is None else encoder
    painting = resize(style, max(size), edge="long", interpolation="bilinear")
    results = list[Result]()
    for index, frame in enumerate(frames):
        references = {"content": frame, "style": painting}
        weights = list[Tensor]()
        if temporal_weight != 0:
            previous = [index - distance for distance in sorted(set(distances)) if distance <= index]
            reliable = [reliable_pixels(flow, other, index, variant) for other in previous]
            weights = long_term_weights(reliable, variant=variant)
            for count, other in enumerate(previous):
                references[f"warped_{count}"] = warped_frame(results[other].image, flow(index, other))
        results.append(
            optimize_image(
                criterion(
                    encoder, weights=weights, variant=variant, size=size, content_weight=content_weight,
                    style_weight=style_weight, temporal_weight=temporal_weight,
                ),
                references,
                init=_start(frame, results, flow, init, seed),
                optimizer=optimizer,
                num_steps=num_steps[1] if index else num_steps[0],
                bounds=None,
                callbacks=(StopOnPlateau(patience=50, tolerance=tolerance), *callbacks),
                evaluation=evaluation,
            )
        )  # fmt: skip
        if results[-1].interrupted:
            break
    return results


def _start(frame: Tensor, results: Sequence[Result], flow: Flow, init: VideoInit, seed: int) -> Tensor:
    """What a frame begins with, after the results of all frames before it."""
    index = len(results)
    if init == "content":
        return frame
    if init == "random" or not results:
        return noise_like(frame, seed + index)
    if init == "previous":
        return results[-1].image
    return warped_frame(results[-1].image, flow(index, index - 1))
