from collections.abc import Sequence
from functools import partial

from torch import Tensor

from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.ruder_2016._frame_optimizer import FrameOptimizer, VideoInit
from pystyle.papers.ruder_2016._frames import common_size
from pystyle.papers.ruder_2016._reliability import Flow
from pystyle.runner import Callback, Result
from pystyle.typing import OptimizerFactory


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

    All frames and results are in memory; :class:`RuderPainter` takes a clip of any length.

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
    check_images({f"frames[{i}]": frame for i, frame in enumerate(frames)})
    common_size(frames)
    each_frame = FrameOptimizer(
        style=style,
        encoder=vgg19() if encoder is None else encoder,
        variant=variant,
        distances=distances,
        init=init,
        content_weight=content_weight,
        style_weight=style_weight,
        temporal_weight=temporal_weight,
        num_steps=num_steps,
        tolerance=tolerance,
        optimizer=optimizer,
        evaluation=evaluation,
        seed=seed,
    )
    results, pictures = list[Result](), dict[int, Tensor]()
    for index, frame in enumerate(frames):
        results.append(each_frame.run(index, frame, pictures, flow, callbacks))
        pictures[index] = results[-1].image
        if results[-1].interrupted:
            break
    return results
