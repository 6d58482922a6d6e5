from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.ruder_2016._frame_optimizer import FrameOptimizer, VideoInit
from pystyle.runner import Callback, RunInterrupted
from pystyle.typing import OptimizerFactory
from pystyle.video import DISFlow, FlowBetween, Frame, FramePainter


class RuderPainter(FramePainter):
    """Optimises each frame of a clip, and holds it to those before: :func:`style_transfer` for streams.

    The pictures are those of :func:`style_transfer`. In memory are as many earlier frames and pictures as the
    largest of `distances`, however long the clip is. A frame takes minutes: give
    :func:`~pystyle.video.paint_clip` a `checkpoint` and ``segment_seconds=0``, which keeps each frame.

    Args:
        style: The painting; it is brought to the long side of the frames.
        flow: From two images to the optical flow between them: a :class:`~pystyle.video.DISFlow`, which is
            taken at full size if nothing is given, a :class:`RAFTFlow`, or a function.
        encoder: The network; see the table of the module.
        variant: Whose losses.
        distances: J: which previous frames a frame is held to.
        init: What frames after the first begin with, as in :func:`style_transfer`.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        temporal_weight: Of :func:`criterion`; with 0 only `init` ties frames together.
        num_steps: Steps for the first frame and for each other one.
        tolerance: A frame is finished when the loss falls by less than this fraction in 50 steps.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all frames.
        evaluation: How the gradient is computed.
        seed: Of the noise.

    Attributes:
        flow: What finds the motion.
        method: How each frame is optimised.

    Raises:
        ImportError: If no flow is given and OpenCV is missing, the extra ``flow``.
        TypeError: If the style is no floating tensor.
        ValueError: If an argument is unknown or out of its range.

    Shape:
        - style: (1, 3, any height, any width), RGB in [0, 1]

    Example:
        >>> from fractions import Fraction
        >>> def still(image, other):
        ...     return torch.zeros(1, 2, *image.shape[2:])
        >>> painter = RuderPainter(
        ...     torch.rand(1, 3, 32, 32), still, encoder=vgg19(weights=None), num_steps=(1, 1)
        ... )
        >>> frames = [Frame(torch.rand(1, 3, 32, 40), Fraction(index, 25)) for index in range(2)]
        >>> painter.paint(frames).shape
        torch.Size([2, 3, 32, 40])
    """

    def __init__(
        self,
        style: Tensor,
        flow: FlowBetween | None = None,
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
    ) -> None:
        self.flow = DISFlow(scale=1.0) if flow is None else flow
        self.method = FrameOptimizer(
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
        # They watch, and are no part of what a run is recognised by.
        self._callbacks = callbacks
        self.begin()

    def begin(self) -> None:
        """Forget what came before: the next frame is the first of a clip."""
        self._count = 0
        self._images: dict[int, Tensor] = {}
        self._pictures: dict[int, Tensor] = {}

    def paint(self, frames: Sequence[Frame]) -> Tensor:
        """The pictures of frames that follow each other, and those of the call before.

        Nothing is remembered of a call that raises.

        Args:
            frames: The frames.

        Returns:
            The pictures, of the type and the device of the frames; the style and the encoder say where they
            are computed.

        Raises:
            RunInterrupted: At Ctrl-C; its `result` is the picture so far of the frame that was painted.
            TypeError: If a frame is no floating tensor.
            ValueError: If it leaves [0, 1], or has another size than those before.

        Shape:
            - output: (number of frames, 3, height, width)
        """
        count, images, pictures = self._count, dict(self._images), dict(self._pictures)
        painted = list[Tensor]()
        for frame in frames:
            self._check(frame.image, images)
            images[count] = frame.image.detach().to(self.method.style, copy=True)
            result = self.method.run(
                count, images[count], pictures, lambda i, j: self.flow(images[i], images[j]), self._callbacks
            )
            if result.interrupted:
                raise RunInterrupted(result)
            pictures[count] = result.image
            painted.append(result.image.to(frame.image))
            for known in (images, pictures):
                known.pop(count - self.method.depth, None)
            count += 1
        self._count, self._images, self._pictures = count, images, pictures
        return torch.cat(painted)

    def state_dict(self) -> Mapping[str, Any]:
        """How many frames were painted, and the last frames and pictures, the last of them at the end."""
        return {
            "count": self._count,
            "images": list(self._images.values()),
            "pictures": list(self._pictures.values()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what another one remembered."""
        self._count = state["count"]
        first = self._count - len(state["images"])
        style = self.method.style
        self._images, self._pictures = (
            {number: tensor.to(style) for number, tensor in enumerate(state[name], first)}
            for name in ("images", "pictures")
        )

    def _check(self, image: Tensor, images: Mapping[int, Tensor]) -> None:
        check_images({"frame.image": image})
        for before in images.values():
            if before.shape != image.shape:
                raise ValueError(
                    f"`frames` must be of one size, got {tuple(image.shape)} after {tuple(before.shape)}. "
                    "Call `begin()` before the frames of another clip."
                )
