from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.utils.data import Dataset

from pystyle.training._draws import Draws, paired_batches
from pystyle.training._phase import Phase, PhaseTable


@dataclass(frozen=True, eq=False)
class Batch:
    """What a step sees.

    Attributes:
        contents: The contents.
        styles: A style for each of them, or which of the learned styles each gets; None where it is the
            content.

    Shape:
        - contents: (batch, 3, height, width)
        - styles: (batch, 3, height, width), or a list of numbers
    """

    contents: Tensor
    styles: Tensor | list[int] | None

    def parts(self, count: int) -> "list[Batch]":
        """The batch in so many parts of one size."""
        if count == 1:
            return [self]
        size = len(self.contents) // count
        ranges = [slice(start, start + size) for start in range(0, len(self.contents), size)]
        return [
            Batch(self.contents[own], None if self.styles is None else self.styles[own]) for own in ranges
        ]


class Batches(Dataset[Batch]):
    """The batches of a training, as a function of the number of the step, which counts from 0.

    Args:
        contents: The contents.
        styles: The styles that are drawn; None if all are learned by name, from an image for each.
        num_styles: How many styles are learned by name.
        phases: The phases.
        batch_size: Contents in a step, for all processes together.
        num_parts: How many such batches a step sees, one behind the other.
        paired: Whether the style of a content is that with its number, cropped alike.
        rank: The number of this process.
        num_ranks: How many processes share a batch.
    """

    def __init__(
        self,
        contents: Draws,
        styles: Draws | None,
        *,
        num_styles: int,
        phases: Sequence[Phase],
        batch_size: int,
        num_parts: int = 1,
        paired: bool = False,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        self.contents, self.styles, self.num_styles = contents, styles, num_styles
        self.phases = PhaseTable(phases, batch_size=batch_size)
        self.num_parts, self.paired = num_parts, paired
        self.rank, self.num_ranks = rank, num_ranks

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.phases)

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step."""
        phase = self.phases.at(step)
        positions = self._positions(step)
        if self.paired and self.styles is not None and not phase.identity:
            return Batch(*paired_batches(self.contents, self.styles, positions, phase.crop_size))
        contents = self.contents.batch(positions, phase.crop_size)
        if self.styles is None:
            return Batch(contents, [position % self.num_styles for position in positions])
        if phase.identity:
            return Batch(contents, None)
        return Batch(contents, self.styles.batch(positions, phase.crop_size))

    def _positions(self, step: int) -> list[int]:
        """Where this process draws: behind all that was drawn in the steps before."""
        start = self.num_parts * self.phases.drawn_before(step)
        whole = self.phases.size_of(self.phases.at(step))
        size = whole // self.num_ranks
        firsts = [start + part * whole + self.rank * size for part in range(self.num_parts)]
        return [position for first in firsts for position in range(first, first + size)]
