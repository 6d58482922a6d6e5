"""The discriminators and tasks of a training, checked before the first step."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from pystyle._arguments import check_mapping
from pystyle.criterion import Criterion
from pystyle.encoders._names import check_names
from pystyle.losses import AdversarialLoss
from pystyle.networks import Stylizer
from pystyle.training._adversary import Adversary
from pystyle.training._data import described_images
from pystyle.training._players import adversarial_losses
from pystyle.training._task import Task

_Module = TypeVar("_Module", bound=nn.Module)


@dataclass(frozen=True)
class Game:
    """Who plays in a training.

    Attributes:
        adversaries: How each discriminator learns, by the name of its loss; None for one that does not.
        tasks: What else the network learns.
        drawn: Whether styles are drawn, although the network may have learned names.
    """

    adversaries: dict[str, Adversary | None]
    tasks: dict[str, Task]
    drawn: bool


def checked_game(
    network: Stylizer,
    criterion: Criterion,
    adversaries: Mapping[str, Adversary | None],
    tasks: Mapping[str, Task],
    *,
    paired: bool,
) -> Game:
    """Who plays, if all fit each other.

    Raises:
        TypeError: If a task or an adversary is something else.
        ValueError: If a name is not known or there twice, something is on another device, or the network has
            several styles and is to learn them from examples.
    """
    tasks = checked_tasks(tasks, criterion)
    losses = adversarial_losses(criterion, tasks)
    check_devices(network, losses, tasks)
    drawn = check_examples(network, criterion, paired=paired)
    return Game(checked_adversaries(adversaries, losses), tasks, drawn)


def described(network: Stylizer, contents: Any, styles: Any, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """What tells a training from another: not the weights, which are in its checkpoint."""
    return {
        "network": type(network),
        "configuration": network.configuration,
        "contents": described_images(contents),
        "styles": described_images(styles),
        "tasks": {name: without_numbers(task) for name, task in tasks.items()},
    }


def checked_tasks(tasks: Mapping[str, Task], criterion: Criterion) -> dict[str, Task]:
    """The tasks, if each is one and has a name of its own.

    Raises:
        TypeError: If one is something else.
        ValueError: If a name is that of a loss, or contains a dot.
    """
    check_mapping(tasks, "`tasks`", '{"contrast": ContrastTask(network)}')
    check_names("tasks", tasks)
    for name, task in tasks.items():
        if not isinstance(task, Task):
            raise TypeError(f"`tasks` must map names to tasks, got a {type(task).__name__} for {name!r}.")
        if name in criterion.named_losses:
            raise ValueError(f"`tasks` must have names of their own, got {name!r}, which is that of a loss.")
    return dict(tasks)


def checked_adversaries(
    adversaries: Mapping[str, Adversary | None], losses: Mapping[str, AdversarialLoss]
) -> dict[str, Adversary | None]:
    """How each discriminator learns.

    Raises:
        TypeError: If something else is given for one.
        ValueError: If there is no loss of a name.
    """
    check_mapping(adversaries, "`adversaries`", '{"adversarial": Adversary()}')
    for name, adversary in adversaries.items():
        if name not in losses:
            known = ", ".join(map(repr, losses)) or "none"
            raise ValueError(
                f"`adversaries` must name losses with a discriminator, got {name!r}. There are: {known}."
            )
        if not isinstance(adversary, Adversary | None):
            raise TypeError(
                f"`adversaries` must map {name!r} to an `Adversary` or None, got a "
                f"{type(adversary).__name__}."
            )
    return {name: adversaries.get(name, Adversary()) for name in losses}


def check_devices(
    network: Stylizer, losses: Mapping[str, AdversarialLoss], tasks: Mapping[str, Task]
) -> None:
    """Check that all that takes part in a game is where the network is.

    Raises:
        ValueError: If something is on another device.
    """
    device = next(network.parameters()).device
    parts: dict[str, nn.Module] = {f"The discriminator of {name!r}": loss for name, loss in losses.items()}
    parts |= {f"The task {name!r}": task for name, task in tasks.items()}
    for label, module in parts.items():
        other = next((parameter.device for parameter in module.parameters()), device)
        if other != device:
            raise ValueError(
                f"{label} must be on the device of the network, {device}, got {other}. Move it with "
                "`.to(...)`."
            )


def check_examples(network: Stylizer, criterion: Criterion, *, paired: bool) -> bool:
    """Whether styles are drawn, although the network may have learned names.

    Raises:
        ValueError: If a network with several names is to learn them from examples.
    """
    judged = any(isinstance(loss, AdversarialLoss) for loss in criterion.named_losses.values())
    if not network.styles:
        return True
    if not (judged or paired):
        return False
    if len(network.styles) > 1:
        raise ValueError(
            "`network` must have one style to learn it from many examples, as a discriminator or `paired` "
            f"wants it, got {len(network.styles)}. Train a network for each style."
        )
    return True


def without_learned(criterion: Criterion) -> Criterion:
    """The criterion without the weights of discriminators, which change."""
    losses = {
        name: without_numbers(loss) if isinstance(loss, AdversarialLoss) else loss
        for name, loss in criterion.named_losses.items()
    }
    return Criterion(
        criterion.encoder,
        losses,
        normalize_gradients=criterion.normalize_gradients,
        wrap=criterion.wrap,
    )


def without_numbers(module: _Module) -> _Module:
    """A copy whose tensors have shapes and no numbers."""
    return copy.deepcopy(module).to("meta")
