from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, get_args

from torch import Tensor

from pystyle._arguments import number, whole_numbers
from pystyle.encoders import Encoder
from pystyle.evaluation import Evaluation
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.ruder_2016._criterion import criterion
from pystyle.papers.ruder_2016._frames import noise_like, warped_frame
from pystyle.papers.ruder_2016._reliability import Flow, long_term_weights, reliable_pixels
from pystyle.runner import Callback, Result, StopOnPlateau, optimize_image
from pystyle.typing import OptimizerFactory

VideoInit: TypeAlias = Literal["random", "previous", "warped", "content"]


@dataclass(kw_only=True, eq=False)
class FrameOptimizer:
    """Optimises one frame of a clip, after those before it; :func:`style_transfer` says what the fields are.

    Raises:
        TypeError: If the style is no floating tensor.
        ValueError: If an argument is unknown or out of its range.
    """

    style: Tensor
    encoder: Encoder
    variant: Variant
    distances: Sequence[int]
    init: VideoInit
    content_weight: float | None
    style_weight: float | None
    temporal_weight: float | None
    num_steps: tuple[int, int]
    tolerance: float
    optimizer: OptimizerFactory
    evaluation: Evaluation
    seed: int

    def __post_init__(self) -> None:
        check_variant(self.variant)
        check_images({"style": self.style})
        if self.init not in get_args(VideoInit):
            raise ValueError(
                f"`init` must be 'random', 'previous', 'warped' or 'content', got {self.init!r}."
            )
        self.distances = sorted(set(whole_numbers(self.distances, "`distances`", least=1)))
        if not self.distances:
            raise ValueError("`distances` must have at least one number of frames, got none.")
        steps = whole_numbers(self.num_steps, "`num_steps`", least=0)
        if len(steps) != 2:
            raise ValueError(
                f"`num_steps` must be two numbers, for the first frame and for each other one, got {steps}."
            )
        self.num_steps = (steps[0], steps[1])
        self.tolerance = number(self.tolerance, "`tolerance`", least=0)

    @property
    def depth(self) -> int:
        """How many frames back it looks."""
        if self.temporal_weight != 0:
            return self.distances[-1]
        return int(self.init in ("previous", "warped"))

    def run(
        self,
        index: int,
        frame: Tensor,
        pictures: Mapping[int, Tensor],
        flow: Flow,
        callbacks: Sequence[Callback] = (),
    ) -> Result:
        """Optimise a frame.

        Args:
            index: The number of the frame in its clip.
            frame: The frame.
            pictures: What earlier frames became, by their numbers; those within `depth` are needed.
            flow: From the numbers of two frames to the optical flow.
            callbacks: Called after each step.

        Returns:
            The result of the frame.
        """
        # A network takes seconds for a flow, and a frame asks for some more than once.
        flow = cache(flow)
        size = (frame.shape[2], frame.shape[3])
        painting = resize(self.style, max(size), edge="long", interpolation="bilinear")
        references = {"content": frame, "style": painting}
        weights = list[Tensor]()
        if self.temporal_weight != 0:
            before = [index - distance for distance in self.distances if distance <= index]
            reliable = [reliable_pixels(flow, other, index, self.variant) for other in before]
            weights = long_term_weights(reliable, variant=self.variant)
            for count, other in enumerate(before):
                references[f"warped_{count}"] = warped_frame(pictures[other], flow(index, other))
        return optimize_image(
            criterion(
                self.encoder, weights=weights, variant=self.variant, size=size,
                content_weight=self.content_weight, style_weight=self.style_weight,
                temporal_weight=self.temporal_weight,
            ),
            references,
            init=self._start(index, frame, pictures, flow),
            optimizer=self.optimizer,
            num_steps=self.num_steps[1] if index else self.num_steps[0],
            bounds=None,
            callbacks=(StopOnPlateau(patience=50, tolerance=self.tolerance), *callbacks),
            evaluation=self.evaluation,
        )  # fmt: skip

    def _start(self, index: int, frame: Tensor, pictures: Mapping[int, Tensor], flow: Flow) -> Tensor:
        """What a frame begins with."""
        if self.init == "content":
            return frame
        if self.init == "random" or index == 0:
            return noise_like(frame, self.seed + index)
        if self.init == "previous":
            return pictures[index - 1]
        return warped_frame(pictures[index - 1], flow(index, index - 1))
