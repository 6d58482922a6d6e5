"""The processes that share the work of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.distributed
from torch import Tensor


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


def all_workers() -> Workers:
    """The processes of the default group of `torch.distributed`.

    Raises:
        RuntimeError: If there is none.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        raise RuntimeError(
            "`distributed=True` needs a process group. Start the program with `torchrun` and call "
            "`torch.distributed.init_process_group()` first."
        )
    return Workers(torch.distributed.get_rank(), torch.distributed.get_world_size())
