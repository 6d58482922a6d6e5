import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle._arguments import callables, explained_allocations, whole_number
from pystyle.checkpoints import Checkpoints
from pystyle.criterion import Criterion
from pystyle.criterion._blend import check_references
from pystyle.criterion._checks import check_loss_names, check_pictures
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.optim import LBFGS
from pystyle.optim._factory import optimizer_factory
from pystyle.parametrizations import Parametrization, Pixels
from pystyle.runner._checks import check_ingredients, check_parametrization_wraps, checked_bounds
from pystyle.runner._factory import RunnerFactory, check_runner
from pystyle.runner._inits import checked_init, checked_seed, initial_image
from pystyle.runner._interrupted import check_on_interrupt, ended
from pystyle.runner._keeper import Keeper
from pystyle.runner._memory import explained_memory_errors
from pystyle.runner._result import Result
from pystyle.runner._runner import Runner
from pystyle.runner._schedules import checked_schedules
from pystyle.runner._step import Callback
from pystyle.typing import Init, OnInterrupt, OptimizerFactory, OptimizerName, References, Schedule


@explained_allocations("Preparing the images of a run")
# In the inference mode of a caller nothing could be differentiated.
@torch.inference_mode(False)
def optimize_image(
    criterion: Criterion,
    references: References,
    *,
    init: Init = "content",
    optimizer: OptimizerFactory | OptimizerName = LBFGS,
    parametrization: Callable[[Tensor], Parametrization] = Pixels,
    num_steps: int = 500,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    averaging: float | None = None,
    callbacks: Callback | Sequence[Callback] = (),
    on_interrupt: OnInterrupt = "return",
    schedules: Mapping[str, Schedule] | None = None,
    evaluation: Evaluation = EagerEvaluation(),
    runner: RunnerFactory = Runner,
    seed: int | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    resume: bool = False,
) -> Result:
    """Optimise an image until its features are as the criterion wants them.

    Args:
        criterion: Encoder and losses.
        references: The images that the losses compare with, by name; see
            :meth:`Criterion.bind <pystyle.Criterion.bind>`.
        init: What to start from: ``"content"``, ``"recoloured"`` (the content in the colours of the
            style), ``"style"``, ``"uniform"``, ``"normal"``, ``"grey"``, ``"style_colours"``, a tensor, or
            the size (height, width) of noise; see :func:`initial_image`.
        optimizer: Any optimizer class of torch or pystyle, a `functools.partial` of one, ``"lbfgs"`` or
            ``"adam"`` (with a learning rate of 0.02).
        parametrization: What is optimised: a class of :mod:`pystyle.parametrizations` or a
            `functools.partial` of one.
        num_steps: Steps of the optimizer.
        bounds: The image stays within them during the run, so that what is saved is what was
            optimised; None for none, as in the papers of 2016, whose results are clamped at the end.
        averaging: Give back an exponential average of the iterates with this decay, such as 0.99.
        callbacks: One or several, called with a :class:`~pystyle.runner.Step` after each step.
        on_interrupt: What Ctrl-C does once the steps have begun: ``"return"`` gives the picture so far, and
            the program goes on; ``"raise"`` raises a :class:`~pystyle.runner.RunInterrupted` that has it,
            which ends a loop over images, too.
        schedules: How weights change, by the names of the losses: any function from the fraction of the
            run, 0 at the first step and 1 at the last, to a factor of the weight, such as a
            :class:`~pystyle.runner.CosineSchedule`. All of them are called before the first step.
        evaluation: How the terms and the gradient are computed, and in which precision.
        runner: What takes the steps: a subclass of :class:`~pystyle.Runner`, or a function with its
            arguments that makes one.
        seed: Of noise to start from.
        checkpoint: A folder in which the state of the run is kept, or
            :class:`~pystyle.checkpoints.Checkpoints` with one and how often it is written.
        resume: Go on from the last checkpoint in that folder, with the same bytes as a run that was not
            interrupted; without one the run starts at its beginning. With more steps than before a run that
            was over goes on longer: as if they had been asked for at once, or with `schedules`, which depend
            on their number, from its picture with a new optimizer. The logger ``pystyle`` says which.

    Returns:
        The picture, the history of all terms, and why the run stopped.

    Raises:
        ValueError: If a reference is missing, an argument has an impossible value, or there is a
            checkpoint and `resume` is false.
        CheckpointError: If the checkpoint is of a run with other arguments, all are damaged, or another
            run has the folder.
        MemoryError: If there is too little memory, with what to change.
        RunInterrupted: At Ctrl-C with ``on_interrupt="raise"``; its `result` is the picture so far.

    Shape:
        - references: (batch, 3, height, width), RGB in [0, 1]
        - result.image: that of `init`

    Example:
        >>> import torch
        >>> from pystyle import Criterion, GramLoss, optimize_image
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(vgg19(weights=None), {"texture": GramLoss("relu1_1", relative=True)})
        >>> texture = torch.rand(1, 3, 16, 16)
        >>> result = optimize_image(criterion, {"style": texture}, init=(16, 24), num_steps=5, seed=0)
        >>> result.image.shape, len(result.history["total"])
        (torch.Size([1, 3, 16, 24]), 6)

    Note:
        The history holds the terms with the weights of their steps. Where weights change, totals of different
        steps are values of different objectives, and a callback that looks for a plateau compares them
        nevertheless. L-BFGS learns the curvature from differences of gradients, into which the change of
        the weights is mixed; nothing is done about it. What a slow schedule adds is small, and gone when
        as many steps with constant weights were taken as pairs are kept; after jumps start another run.
    """
    check_ingredients(criterion, evaluation, parametrization)
    optimizer, callbacks = optimizer_factory(optimizer), callables(callbacks, "`callbacks`")
    check_references(references)
    check_pictures(references)
    check_runner(runner)
    check_on_interrupt(on_interrupt)
    check_loss_names("schedules", schedules or {}, criterion.named_losses)
    checked_schedules(schedules or {})
    num_steps, seed = whole_number(num_steps, "`num_steps`", least=0), checked_seed(seed)
    bounds = checked_bounds(bounds)
    init = checked_init(init, bounds)
    image = initial_image(init, references, seed=seed)
    size = (image.shape[2], image.shape[3])
    arguments = {
        "references": references,
        "init": init,
        "optimizer": optimizer,
        "parametrization": parametrization,
        "bounds": bounds,
        "averaging": averaging,
        "evaluation": evaluation,
        "runner": runner,
        "seed": seed,
        "schedules": schedules,
    }
    keeper = Keeper(
        checkpoint,
        resume=resume,
        criteria=[criterion],
        callbacks=callbacks,
        arguments=arguments,
        num_steps=[num_steps],
        scheduled=bool(schedules),
    )
    with keeper, explained_memory_errors(criterion, size, optimizer, evaluation):
        make = partial(
            runner,
            keeper.bind(evaluation, references),
            optimizer=optimizer,
            parametrization=parametrization,
            bounds=bounds,
            averaging=averaging,
            callbacks=callbacks,
            schedules=schedules,
        )
        made = keeper.make(make, image)
        check_parametrization_wraps(made.parametrization, criterion.wrap)
        result = keeper.run(made, keeper.num_steps[0])
    return ended(result, on_interrupt)
