"""What losses that choose positions or directions at random share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.functional import grid_positions, hypercolumns
from pystyle.losses._representation import tensors_of
from pystyle.typing import Representation


class Draws:
    """Where the random choices of a loss come from: the same each time, or new ones."""

    def __init__(self, seed: int, *, resample: bool) -> None:
        self._seed = seed
        self._running = torch.Generator().manual_seed(seed) if resample else None

    def generator(self) -> torch.Generator:
        """The generator to draw from now."""
        return self._running or torch.Generator().manual_seed(self._seed)

    @property
    def running(self) -> tuple[torch.Generator, ...]:
        """The generator that goes on from draw to draw, if there is one."""
        return () if self._running is None else (self._running,)


def rewinding(generators: Sequence[torch.Generator]) -> Callable[[], None]:
    """A function that sets generators back to where they are now."""
    states = [(generator, generator.get_state()) for generator in generators]

    def rewind() -> None:
        for generator, state in states:
            generator.set_state(state)

    return rewind


def sampled(features: Representation, num_samples: int | None, draws: Draws) -> Tensor:
    """The features at a grid of positions, (batch, channels, samples)."""
    return at_positions(features, _grid(features, num_samples, draws))


def sampled_alike(
    features: Representation, target: Representation, num_samples: int | None, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Both feature maps at the same grid of positions."""
    if _shape(features) != _shape(target):
        raise ValueError(
            "The features of the image and of its reference must have the same shape, got "
            f"{_shape(features)} and {_shape(target)}. Give both the same size."
        )
    grid = _grid(features, num_samples, draws)
    return at_positions(features, grid), at_positions(target, grid)


def at_positions(features: Representation, positions: Tensor | None) -> Tensor:
    """The features at some positions or all, (batch, channels, samples), of several maps joined."""
    if isinstance(features, tuple):
        return hypercolumns(features, positions).flatten(2)
    whole = features.flatten(2)
    return whole if positions is None else whole[:, :, positions]


def _shape(features: Representation) -> tuple[int, ...]:
    """Of the features, or of the hypercolumns of several maps."""
    tensors = tensors_of(features)
    batch, _, height, width = tensors[0].shape
    return batch, sum(tensor.shape[1] for tensor in tensors), height, width


def _grid(features: Representation, num_samples: int | None, draws: Draws) -> Tensor | None:
    if num_samples is None:
        return None
    first = tensors_of(features)[0]
    height, width = first.shape[2:]
    return grid_positions(height, width, num_samples, generator=draws.generator(), device=first.device)


def checked_count(name: str, count: int | None) -> int | None:
    """How many positions are taken, at least one; None for all."""
    return None if count is None else whole_number(count, f"`{name}`", least=1)


def with_options(text: str, options: dict[str, tuple[object, object]]) -> str:
    """The text of a loss, followed by those options whose first value is not the second, the default."""
    given = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
    return ", ".join([text, *given])
