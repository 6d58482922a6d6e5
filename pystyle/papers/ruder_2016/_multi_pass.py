from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import warp
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.ruder_2016._criterion import criterion
from pystyle.papers.ruder_2016._frames import blended, common_size, noise_like
from pystyle.papers.ruder_2016._reliability import Flow, reliable_pixels
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import OptimizerFactory


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
        The result of each frame in the last pass. A run that was interrupted ends all passes.

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
        >>> results = multi_pass(
        ...     frames, painting, lambda i, j: still, encoder=vgg19(weights=None), num_passes=2, num_steps=1
        ... )
        >>> len(results)
        2
    """
    check_variant(variant)
    check_images({"style": style} | {f"frames[{i}]": frame for i, frame in enumerate(frames)})
    size = common_size(frames)
    num_passes = whole_number(num_passes, "`num_passes`", least=1)
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
            start = noise_like(frames[index], seed + index) if number == 1 else results[index].image
            if 0 <= neighbour < len(frames):
                reliable = reliable_pixels(flow, neighbour, index, variant)
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
            if results[index].interrupted:
                return [results[painted] for painted in sorted(results)]
    return [results[index] for index in range(len(frames))]
