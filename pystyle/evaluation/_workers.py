"""The processes that share the work of an evaluation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import torch.distributed
from torch import Tensor

from pystyle.evaluation._stored_targets import without_store

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Workers:
    """Which of how many processes this is."""

    index: int = 0
    count: int = 1

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its sum over all processes."""
        if self.count > 1:
            for tensor in tensors:
                torch.distributed.all_reduce(tensor)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its mean over all processes."""
        self.add_up(tensors)
        if self.count > 1:
            for tensor in tensors:
                tensor /= self.count

    def copy_first(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by that of the first process."""
        if self.count > 1:
            for tensor in tensors:
                torch.distributed.broadcast(tensor.detach(), 0)

    def gathered(self, batch: Tensor) -> Tensor:
        """The batches of all processes, of one size, behind each other."""
        if self.count == 1:
            return batch
        found = [torch.empty_like(batch) for _ in range(self.count)]
        torch.distributed.all_gather(found, batch.contiguous())
        return torch.cat(found)

    def share_of(self, whole: Tensor) -> Tensor:
        """The part of a gathered batch that is this process's."""
        return whole.chunk(self.count)[self.index]

    def one_of(self, value: _Value | None) -> _Value | None:
        """What a process has, if any has something: that of the first of these."""
        if self.count == 1:
            return value
        values: list[_Value | None] = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return next((found for found in values if found is not None), None)

    def from_first(self, function: Callable[[], _Value]) -> _Value:
        """What the function gives in the first process, which alone calls it.

        Raises:
            Exception: What it raises there, in all processes: else the others would wait.
        """
        if self.count == 1:
            return function()
        value, error = None, None
        if self.index == 0:
            try:
                value = function()
            except Exception as raised:
                error = raised
        box = [value, error]
        torch.distributed.broadcast_object_list(box)
        if box[1] is not None:
            raise cast(Exception, box[1])
        return cast(_Value, box[0])


def all_workers() -> Workers:
    """The processes of the default group of `torch.distributed`.

    Raises:
        RuntimeError: If there is none.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        raise RuntimeError(
            "`distributed=True` of `StripEvaluation` needs a process group. Start the program with "
            "`torchrun` and call `torch.distributed.init_process_group()` first."
        )
    return Workers(torch.distributed.get_rank(), torch.distributed.get_world_size())


def workers_of(evaluation: object) -> Workers:
    """The processes that share an evaluation: one, unless it says that it is distributed."""
    return all_workers() if getattr(without_store(evaluation), "distributed", False) else Workers()
