import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self, cast

import torch
from torch import Tensor

from pystyle._arguments import (
    callables,
    explained_allocations,
    is_number,
    number,
    whole_number,
    whole_numbers,
)
from pystyle._wrapping import checked_wrap
from pystyle.checkpoints import Checkpoints
from pystyle.criterion import Criterion
from pystyle.criterion._blend import check_references, first_image
from pystyle.criterion._checks import check_loss_names, check_pictures
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.pyramid._climb import LevelRunners, climb
from pystyle.pyramid._level import levels_of
from pystyle.pyramid._level_criteria import criteria_of_levels
from pystyle.pyramid._level_schedules import checked_level_weights
from pystyle.pyramid._references import fits, reference_scales
from pystyle.runner import Callback, Keeper, Result, Runner, RunnerFactory
from pystyle.runner._checks import check_ingredients, checked_bounds
from pystyle.runner._factory import check_runner
from pystyle.runner._inits import checked_init, checked_seed
from pystyle.runner._interrupted import check_on_interrupt, ended
from pystyle.runner._schedules import factors_of_steps
from pystyle.runner._step import close_all
from pystyle.typing import Init, OnInterrupt, OptimizerFactory, OptimizerName, References, Schedule, Wrap


@dataclass(frozen=True)
class Pyramid:
    """Sizes from coarse to fine, and how many steps are taken at each.

    Coarse levels settle composition and large strokes cheaply; the last level has the size of the
    result. References are resized for each level, always from their full size, and what the
    optimizer remembers per pixel (Adam's moments) is resized with the image.

    Args:
        edge_sizes: The short edge of the image at each level, in pixels, growing.
        num_steps: Steps at each level; one number for all, or one for each.
        wrap: The sides beyond which an image goes on with its other side when it is resized, as textures do
            that are repeated. A criterion that wraps says so itself.

    Raises:
        ValueError: If there are no levels, the sizes do not grow, the numbers do not fit or are not whole, or
            `wrap` is unknown.
        TypeError: If one is no number.

    Example:
        >>> Pyramid([128, 256], num_steps=[200, 100])
        Pyramid(edge_sizes=(128, 256), num_steps=(200, 100))
        >>> Pyramid.octaves(512, num_steps=100).edge_sizes
        (64, 128, 256, 512)
        >>> Pyramid.from_ratio(256, num_steps=100, ratio=2 ** 0.5, smallest=128).edge_sizes
        (128, 181, 256)
    """

    edge_sizes: Sequence[int]
    num_steps: int | Sequence[int]
    wrap: Wrap | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        checked_wrap(self.wrap)
        sizes = whole_numbers(self.edge_sizes, "`edge_sizes`")
        if is_number(self.num_steps):
            steps = (whole_number(self.num_steps, "`num_steps`", least=0),) * len(sizes)
        else:
            steps = whole_numbers(self.num_steps, "`num_steps`", least=0)
        if not sizes or sizes[0] < 1 or any(small >= large for small, large in pairwise(sizes)):
            raise ValueError(
                f"`edge_sizes` must be positive and grow from level to level, got {sizes}. They are the "
                "short edges of the image, one for each level."
            )
        if len(steps) != len(sizes):
            raise ValueError(
                f"`num_steps` must be one number or one for each of {len(sizes)} levels, got {steps}."
            )
        object.__setattr__(self, "edge_sizes", sizes)
        object.__setattr__(self, "num_steps", steps)

    def __repr__(self) -> str:
        """The arguments that are not the default."""
        wrap = "" if self.wrap is None else f", wrap={self.wrap!r}"
        return f"{type(self).__name__}(edge_sizes={self.edge_sizes}, num_steps={self.num_steps}{wrap})"

    @classmethod
    def octaves(cls, edge_size: int, *, num_steps: int | Sequence[int], smallest: int = 64) -> Self:
        """Levels that double in size up to `edge_size`, none smaller than `smallest`."""
        return cls.from_ratio(edge_size, num_steps=num_steps, ratio=2.0, smallest=smallest)

    @classmethod
    def from_ratio(
        cls, edge_size: int, *, num_steps: int | Sequence[int], ratio: float = 2**0.5, smallest: int = 128
    ) -> Self:
        """Levels that grow by `ratio` up to `edge_size`, none smaller than `smallest`.

        Sizes that are rounded to the same number of pixels are one level.
        """
        edge_size = whole_number(edge_size, "`edge_size`", least=1)
        ratio, smallest = number(ratio, "`ratio`", above=1), whole_number(smallest, "`smallest`", least=1)
        sizes, size = [edge_size], edge_size / ratio
        # 181 / √2 is 128 for whoever counts pixels; 1.6, which is rounded to 2 as well, is no level of 2.
        while round(size) >= smallest and size >= 0.99 * smallest:
            if round(size) < sizes[-1]:
                sizes.append(round(size))
            size /= ratio
        return cls(tuple(reversed(sizes)), num_steps)

    @explained_allocations("Preparing the images of a run")
    # In the inference mode of a caller nothing could be differentiated.
    @torch.inference_mode(False)
    def optimize(
        self,
        criterion: Criterion | Sequence[Criterion],
        references: References,
        *,
        init: Init = "content",
        optimizer: OptimizerFactory | OptimizerName = LBFGS,
        parametrization: Callable[[Tensor], Parametrization] = Pixels,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        averaging: float | None = None,
        callbacks: Callback | Sequence[Callback] = (),
        on_interrupt: OnInterrupt = "return",
        schedules: Mapping[str, Schedule] | None = None,
        level_weights: Mapping[str, Sequence[float]] | None = None,
        evaluation: Evaluation = EagerEvaluation(),
        runner: RunnerFactory = Runner,
        seed: int | None = None,
        style_scale: float = 1.0,
        checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
        resume: bool = False,
    ) -> Result:
        """Run all levels; the arguments are those of :func:`~pystyle.optimize_image`.

        Levels at which the image or a reference would be smaller than the encoder can take are
        left out.

        Args:
            criterion: Encoder and losses: one for all levels, or one for each level of the pyramid, whose
                losses have the same names. Losses that look at shallow layers only make cheap steps. If it
                wraps, the sides that do are rounded to multiples of the stride of its deepest layer.
            references: The images that the losses compare with, by name. The content, and what else is
                compared position by position, is resized to the level, all others to `style_scale` times it.
            init: What the first level starts from. A tensor or a size has the aspect ratio of the
                result; it is brought to the size of the level.
            optimizer: Any optimizer class of torch or pystyle, a `functools.partial` of one, ``"lbfgs"`` or
                ``"adam"`` (with a learning rate of 0.02).
            parametrization: What is optimised; each level makes its parameters of the image of the one
                before. Only what an optimizer remembers per pixel is carried over.
            bounds: The image stays within them during the run; None for none.
            averaging: The decay of an average of the iterates, with which each level ends.
            callbacks: One or several, called with a step after each step; steps are counted through all
                levels.
            on_interrupt: What Ctrl-C does once the steps have begun: ``"return"`` gives the picture so far,
                and the program goes on; ``"raise"`` raises a :class:`~pystyle.runner.RunInterrupted` that has
                it, which ends a loop over images, too.
            schedules: How weights change, by the names of the losses. The fraction of the run counts the
                steps of all levels that are run: 0 is the first step of the first, 1 the last of the last.
            level_weights: Factors of the weights of losses, by their names: one for each level of the
                pyramid, also for those that are left out. They multiply those of `schedules`.
            evaluation: How the terms and the gradient are computed, and in which precision.
            runner: What takes the steps of each level: a subclass of :class:`~pystyle.Runner`, or a function
                with its arguments that makes one.
            seed: Of noise to start from.
            style_scale: Short edge of the style relative to that of the image: larger strokes
                above 1, smaller ones below.
            checkpoint: A folder in which the state of the run is kept, or
                :class:`~pystyle.checkpoints.Checkpoints` with one and how often it is written.
            resume: Go on from the last checkpoint in that folder, in the middle of a level. With more steps
                than before a run that was over goes on longer: as if they had been asked for at once, if no
                level before has another number of steps and there are no `schedules`; otherwise from its
                picture, as a level does from the one before, until as many steps were taken as are asked for
                in all. The logger ``pystyle`` says which.

        Returns:
            The result of the last level, with the history of all. Its column ``edge_size`` tells
            the levels apart; a term that is not computed at a level is 0 there. A callback that stops ends
            its level, and with ``all_levels=True`` the run; Ctrl-C ends the run. The picture has the size of
            the level then.

        Raises:
            ValueError: If even the last level is too small for the encoder, an argument is wrong, or there
                is a checkpoint and `resume` is false.
            CheckpointError: If the checkpoint is of a run with other arguments, all are damaged, or another
                run has the folder.
            MemoryError: If there is too little memory, with what to change.
            RunInterrupted: At Ctrl-C with ``on_interrupt="raise"``; its `result` is the picture so far.
        """
        criteria = criteria_of_levels(criterion, len(self.edge_sizes))
        check_ingredients(criteria[0], evaluation, parametrization)
        optimizer, callbacks = optimizer_factory(optimizer), callables(callbacks, "`callbacks`")
        check_references(references)
        check_pictures(references)
        bounds = checked_bounds(bounds)
        init = checked_init(init, bounds)
        seed, style_scale = checked_seed(seed), number(style_scale, "`style_scale`", above=0)
        check_runner(runner)
        check_on_interrupt(on_interrupt)
        schedules, given_weights = schedules or {}, level_weights or {}
        for argument, names in (("schedules", schedules), ("level_weights", given_weights)):
            check_loss_names(argument, names, criteria[0].named_losses)
        weights = checked_level_weights(given_weights, len(self.edge_sizes))
        scales = reference_scales(criteria, references, style_scale)
        sizes, steps = self._large_enough(criteria, scales)
        levels = levels_of(sizes, steps)
        left_out = len(self.edge_sizes) - len(sizes)
        criteria = criteria[left_out:]
        runners = LevelRunners(
            criteria,
            self.wrap,
            references,
            scales,
            full_size=_full_size(init, references),
            optimizer=optimizer,
            parametrization=parametrization,
            bounds=bounds,
            averaging=averaging,
            callbacks=callbacks,
            schedules=schedules,
            level_weights={name: factors[left_out:] for name, factors in weights.items()},
            evaluation=evaluation,
            runner=runner,
        )
        # So that a wrong one is found now and not at the last level.
        factors_of_steps(schedules, levels[0].all_steps)
        image = runners.first_image(init, levels[0], seed)
        arguments = runners.arguments() | {"init": init, "seed": seed, "style_scale": style_scale}
        arguments["pyramid"] = {"edge_sizes": self.edge_sizes}
        keeper = Keeper(
            checkpoint,
            resume=resume,
            criteria=criteria,
            callbacks=callbacks,
            arguments=arguments,
            num_steps=steps,
            scheduled=bool(schedules),
        )
        try:
            return ended(climb(sizes, runners, keeper, image), on_interrupt)
        finally:
            close_all(callbacks)

    def _large_enough(
        self, criteria: Sequence[Criterion], scales: Mapping[str, float]
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Sizes and steps of the levels that the encoder can take."""
        sizes, steps = self.edge_sizes, cast(Sequence[int], self.num_steps)
        large_enough = [fits(one, size, scales) for one, size in zip(criteria, sizes, strict=True)]
        first = large_enough.index(True) if True in large_enough else len(sizes) - 1
        return sizes[first:], steps[first:]


def _full_size(init: Init, references: References) -> tuple[int, int]:
    """The size whose aspect ratio all levels have: that of the content, or else of `init`."""
    if "content" in references:
        init = first_image(references["content"])
    if isinstance(init, str):
        raise ValueError(
            f"`init` must be an image or a size (height, width) without a content, got {init!r}."
        )
    return (init.shape[2], init.shape[3]) if isinstance(init, Tensor) else init
