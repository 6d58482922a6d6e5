"""What a checkpoint of a run holds beside the state of its runner, and how it is given back."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pystyle.checkpoints import CheckpointError, describe, differences, environment
from pystyle.criterion import Criterion
from pystyle.runner._step import Callback

_LOG = logging.getLogger("pystyle")


class Snapshots:
    """Takes the state of a run, and gives a run the state that was taken of another one.

    Args:
        criteria: Encoder and losses of each level.
        callbacks: Those with `state_dict` and `load_state_dict` are part of the state.
        arguments: All else that the result depends on, by name.
    """

    def __init__(
        self, criteria: Sequence[Criterion], callbacks: Sequence[Callback], arguments: Mapping[str, Any]
    ) -> None:
        self._criteria = list(dict.fromkeys(criteria))
        self._callbacks = callbacks
        all_alike = len(self._criteria) == 1
        self._arguments = describe({"criterion": criteria[0] if all_alike else list(criteria), **arguments})
        device = next((str(parameter.device) for parameter in criteria[0].parameters()), "cpu")
        self._environment = {**environment(), "device": device}
        self._bound: list[Tensor] = []

    def take(
        self, state: Mapping[str, Any], surroundings: Mapping[str, Any], plan: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A copy of the state of a runner, with all that belongs to it."""
        return {
            "arguments": self._arguments,
            "environment": self._environment,
            "surroundings": surroundings,
            "plan": plan,
            "runner": _copied(state),
            "generators": self._generators(),
            "generators when bound": self._bound,
            "callbacks": {name: callback.state_dict() for name, callback in self._stateful()},
        }

    def check(self, snapshot: Mapping[str, Any], place: str) -> None:
        """Refuse what is no snapshot, and that of a run with other arguments.

        Raises:
            CheckpointError: With what is missing or differs.
        """
        missing = [name for name in self.take({}, {}, {}) if name not in snapshot]
        if missing:
            raise CheckpointError(f"The checkpoint {place} is not of a run: it has no {missing[0]!r}.")
        changed = differences(snapshot["arguments"], self._arguments)
        if changed:
            more = f", and {len(changed) - 3} more" if len(changed) > 3 else ""
            raise CheckpointError(
                f"The checkpoint {place} is of another run: {'; '.join(changed[:3])}{more}. "
                "Give the arguments of that run, or name another folder."
            )

    def restore_callbacks(self, snapshot: Mapping[str, Any]) -> None:
        """Give the callbacks their states, and say if they were taken elsewhere."""
        other = differences(snapshot["environment"], self._environment)
        if other:
            _LOG.warning("The run goes on elsewhere, and its bytes may differ: %s.", "; ".join(other))
        for name, callback in self._stateful():
            if name in snapshot["callbacks"]:
                callback.load_state_dict(snapshot["callbacks"][name])

    def before_binding(self, snapshot: Mapping[str, Any] | None) -> None:
        """Let losses draw for their targets what they drew the first time."""
        if snapshot is not None:
            self._set_generators(snapshot["generators when bound"])
        self._bound = self._generators()

    def before_running(self, snapshot: Mapping[str, Any]) -> None:
        """Let losses go on drawing where they were."""
        self._set_generators(snapshot["generators"])

    def _generators(self) -> list[Tensor]:
        return [generator.get_state() for generator in self._all_generators()]

    def _set_generators(self, states: Sequence[Tensor]) -> None:
        for generator, state in zip(self._all_generators(), states, strict=True):
            generator.set_state(state)

    def _all_generators(self) -> list[torch.Generator]:
        losses = [loss for criterion in self._criteria for loss in criterion.named_losses.values()]
        return list(dict.fromkeys(generator for loss in losses for generator in loss.generators()))

    def _stateful(self) -> list[tuple[str, Any]]:
        """The callbacks that have a state, by their classes and a number."""
        found: list[tuple[str, Any]] = []
        for callback in self._callbacks:
            inner: Any = callback
            while not hasattr(inner, "load_state_dict") and hasattr(inner, "callback"):
                inner = inner.callback
            if hasattr(inner, "load_state_dict") and hasattr(inner, "state_dict"):
                kind = type(inner).__qualname__
                number = sum(name.startswith(f"{kind} ") for name, _ in found)
                found.append((f"{kind} {number}", inner))
        return found


def _copied(value: Any) -> Any:
    """The value with copies of its tensors, which go on changing."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_copied(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value
