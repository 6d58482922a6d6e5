import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import callables, number, whole_number
from pystyle.checkpoints import Checkpoints
from pystyle.criterion import Criterion
from pystyle.criterion._kind import check_criterion
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.networks import Stylizer
from pystyle.networks._layout import channels_last
from pystyle.optim._factory import optimizer_factory
from pystyle.runner import Callback, CosineSchedule
from pystyle.runner._checks import check_evaluation
from pystyle.runner._inits import checked_seed
from pystyle.runner._loop import Loop
from pystyle.runner._step import close_all
from pystyle.training._adversary import Adversary
from pystyle.training._batches import Batch
from pystyle.training._data import batches_of, learned_images, read_batches
from pystyle.training._draws import Images
from pystyle.training._games import checked_game, described, without_learned
from pystyle.training._keeper import TrainingKeeper
from pystyle.training._learned_styles import LearnedStyles
from pystyle.training._phase import Phase, described_phases
from pystyle.training._players import num_parts
from pystyle.training._processes import processes
from pystyle.training._result import TrainingResult
from pystyle.training._settings import (
    check_network,
    checked_learning_rate,
    checked_limit,
    checked_phases,
    checked_weights,
)
from pystyle.training._step import TrainingStep
from pystyle.training._task import Task
from pystyle.training._trainer import Trainer
from pystyle.typing import OptimizerFactory, OptimizerName, Schedule

_FALLING = CosineSchedule(1.0, 0.01)


@torch.inference_mode(False)
def train(
    network: Stylizer,
    criterion: Criterion,
    *,
    contents: Images | Tensor,
    styles: Images | Tensor,
    num_steps: int = 10_000,
    batch_size: int = 4,
    crop_size: int | None = None,
    phases: Sequence[Phase] | None = None,
    optimizer: OptimizerFactory | OptimizerName = partial(torch.optim.Adam, lr=1e-3),
    learning_rate: Schedule = _FALLING,
    averaging: float = 0.999,
    max_gradient_norm: float | None = 1.0,
    balance: Mapping[str, float] | None = None,
    adversaries: Mapping[str, Adversary | None] | None = None,
    tasks: Mapping[str, Task] | None = None,
    paired: bool = False,
    evaluation: Evaluation = EagerEvaluation(),
    autocast: bool = False,
    seed: int = 0,
    num_workers: int = 0,
    callbacks: Callback | Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    resume: bool = False,
) -> TrainingResult:
    """Train a network to paint what the criterion wants.

    Each step draws contents and styles, lets the network paint, and moves its weights by the gradient of the
    criterion at the pictures. What a step sees depends on `seed` and on its number alone, so a training that
    was interrupted goes on with the same bytes.

    Args:
        network: What is trained, in place. Its device is that of the training.
        criterion: Encoder and losses. The references are ``"content"`` and ``"style"``: each picture is
            compared with its own content and its own style.
        contents: Images: a tensor, a list of tensors (3, height, width), an :class:`ImageFolder`, or any
            dataset of torch. They may have any size if they are cropped.
        styles: For a network that learns styles by name, one image for each name, in their order; otherwise
            images that are drawn from, like the contents. A discriminator learns from many examples: with one
            in the criterion they are drawn in any case, as the examples of the one style of the network.
        num_steps: How many steps, without `phases`.
        batch_size: Contents in a step.
        crop_size: The edge of the crops in pixels, without `phases`; None for the images as they are.
        phases: A table of phases that differ in crops, learning rates and weights, in place of `num_steps`
            and `crop_size`.
        optimizer: Any optimizer class of torch or a `functools.partial` of one; it must not need a closure.
        learning_rate: What the learning rate is multiplied by: a function from the fraction of the training.
            By default it falls to a hundredth along half a wave.
        averaging: The decay of an exponential average of the weights, which the network has at the end.
        max_gradient_norm: A longer gradient is scaled down to this length; None for no limit.
        balance: How long the gradients of losses are at first, by their names, for 1 of that of all other
            losses: ``{"style": 5.0}``. The weights are multiplied to that end once, at the first step that is
            no identity. So a style needs no weight of its own.
        adversaries: How the discriminators learn, by the names of their losses; those of a task as
            ``"task.name"``. One that is not named is an :class:`Adversary` with its defaults; None for one
            that stays as it is.
        tasks: What else the network learns, by names of your own: a :class:`Task` sees the network itself.
        paired: Whether each content belongs to the style with its number: they are drawn together, and
            cropped alike.
        evaluation: How the criterion is computed, and in which precision.
        autocast: Whether the network computes in bfloat16 where it loses little by it, as `torch.autocast`
            says; its weights stay in float32. It pays where the device multiplies in bfloat16.
        seed: Of all that is drawn.
        num_workers: Processes that read images ahead; 0 for none.
        callbacks: One or several, called with a :class:`TrainingStep` after each step.
        checkpoint: A folder in which the state is kept, or :class:`~pystyle.checkpoints.Checkpoints` with one
            and how often it is written.
        resume: Go on from the last checkpoint in that folder, also behind what a callback has ended; without
            one the training starts at its beginning. With more steps than before, of the last phase if there
            are several, a training that was over goes on longer, at the learning rates of the new number.
            The logger ``pystyle`` warns where that is not the training of as many steps at once.

    Returns:
        The network, the history, and why the training stopped. Ctrl-C ends it without an error.

    Raises:
        ValueError: If an argument has an impossible value, there are no images, or there is a checkpoint and
            `resume` is false.
        TypeError: If an argument is something else.
        CheckpointError: If the checkpoint is of a training with other arguments, or has more steps.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, GramLoss
        >>> from pystyle.encoders import vgg11
        >>> from pystyle.networks import TransformNetwork
        >>> criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
        >>> photographs, painting = torch.rand(8, 3, 40, 48), torch.rand(1, 3, 40, 40)
        >>> data = {"contents": photographs, "styles": painting, "crop_size": 32}
        >>> train(TransformNetwork(width=2), criterion, **data, num_steps=2).stop_reason
        'finished'

    Note:
        A step with a loss or a gradient that is not finite is left out and counted; after 100 in a row the
        training ends. With `torch.distributed` initialised, as by torchrun, the processes share each batch,
        whose size must be a multiple of their number. Give callbacks, `checkpoint` and `resume` to the first
        of them only; all go on from its checkpoint, and stop when a callback stops it.
    """
    check_network(network)
    check_criterion(criterion)
    check_evaluation(evaluation)
    callbacks, seed = callables(callbacks, "`callbacks`"), checked_seed(seed) or 0
    phases = checked_phases(phases, num_steps, crop_size)
    game = checked_game(network, criterion, adversaries or {}, tasks or {}, paired=paired)
    options: dict[str, Any] = {
        "phases": phases,
        "optimizer": optimizer_factory(optimizer),
        "learning_rate": checked_learning_rate(learning_rate),
        "averaging": number(averaging, "`averaging`", least=0, below=1),
        "max_gradient_norm": checked_limit(max_gradient_norm),
        "balance": checked_weights(criterion, game.tasks, phases, balance or {}),
        "adversaries": game.adversaries,
        "autocast": bool(autocast),
        "seed": seed,
    }
    num_workers = whole_number(num_workers, "`num_workers`", least=0)
    batches = batches_of(
        network,
        contents,
        styles,
        phases=phases,
        batch_size=batch_size,
        num_parts=num_parts(game.adversaries),
        drawn=game.drawn,
        paired=paired,
        seed=seed,
    )
    told = described(network, contents, styles, game.tasks)
    told |= {"batch_size": batch_size, "paired": paired, "evaluation": evaluation}
    keeper = TrainingKeeper(
        checkpoint,
        resume=resume,
        criterion=without_learned(criterion),
        callbacks=callbacks,
        arguments={**options, "phases": described_phases(phases), **told},
        num_steps=len(batches),
        learning_rate=options["learning_rate"],
    )
    learned = None if game.drawn else LearnedStyles(evaluation, criterion, learned_images(network, styles))
    channels_last(network.train())
    trainer = Trainer(network, criterion, evaluation, learned=learned, tasks=game.tasks, **options)
    loop = Loop(poll_interval=1, view=partial(TrainingStep, trainer))
    with keeper:
        # The first process alone has the checkpoint, and all go on from it.
        resumed = processes().from_first(lambda: keeper.resumed)
        if resumed is not None:
            trainer.load_state_dict(resumed["trainer"])
            loop.load_state_dict(resumed)
        found = read_batches(batches, loop.done, num_workers, network)
        stop_reason = _run(trainer, loop, found, len(batches), callbacks=callbacks, keep=keeper.keep)
    trainer.finish()
    history = trainer.record.history()
    return TrainingResult(network, history, stop_reason, loop.seconds(), trainer.skipped, trainer.factors)


def _run(
    trainer: Trainer,
    loop: Loop,
    batches: Iterator[Batch],
    num_steps: int,
    *,
    callbacks: Sequence[Callback],
    keep: Callable[[int, Mapping[str, Any]], None],
) -> str:
    """Take the steps, and say why they ended."""

    def accept() -> None:
        # A callback may be in one process alone, and a process that goes on would wait for the others.
        loop.stop_reason = processes().one_of(loop.stop_reason or None) or ""
        keep(loop.done, {**loop.state_dict(), "trainer": trainer.state_dict()})

    loop.start()
    accept()
    try:
        hopeful = loop.take(
            num_steps,
            lambda index: trainer.step(index, next(batches), loop.seconds),
            is_finite=lambda: not trainer.hopeless,
            picture=lambda: trainer.pictures.clamp(0, 1),
            callbacks=callbacks,
            accepted=accept,
        )
    except KeyboardInterrupt:
        return "interrupted"
    finally:
        close_all(callbacks)
    if not hopeful:
        text = "the loss or its gradient was not finite in many steps in a row."
        return f"{text} Lower the weights or the learning rate."
    return loop.stop_reason or "finished"
