"""What losses that choose positions or directions at random share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.functional import grid_positions


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


def sampled(features: Tensor, num_samples: int | None, draws: Draws) -> Tensor:
    """The features at a grid of positions, (batch, channels, samples)."""
    return features.flatten(2)[:, :, _grid(features, num_samples, draws)]


def sampled_alike(
    features: Tensor, target: Tensor, num_samples: int | None, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Both feature maps at the same grid of positions."""
    if features.shape != target.shape:
        raise ValueError(
            "The features of the image and of its reference must have the same shape, got "
            f"{tuple(features.shape)} and {tuple(target.shape)}. Give both the same size."
        )
    grid = _grid(features, num_samples, draws)
    return features.flatten(2)[:, :, grid], target.flatten(2)[:, :, grid]


def _grid(features: Tensor, num_samples: int | None, draws: Draws) -> Tensor | slice:
    if num_samples is None:
        return slice(None)
    height, width = features.shape[2:]
    return grid_positions(height, width, num_samples, generator=draws.generator(), device=features.device)


def checked_count(name: str, count: int | None) -> int | None:
    """How many positions are taken, at least one; None for all."""
    return None if count is None else whole_number(count, f"`{name}`", least=1)


def with_options(text: str, options: dict[str, tuple[object, object]]) -> str:
    """The text of a loss, followed by those options whose first value is not the second, the default."""
    given = [f"{name}={value!r}" for name, (value, default) in options.items() if value != default]
    return ", ".join([text, *given])
