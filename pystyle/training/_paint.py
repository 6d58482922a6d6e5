"""What a network does in a step of its training."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pystyle.networks import Stylizer
from pystyle.training._example_code import example_code, learned_code
from pystyle.training._processes import processes
from pystyle.training._task import Lesson, Painted, Task


class Paint(nn.Module):
    """The network from style to picture, and its tasks, in one call, as distributed training wants it.

    Args:
        network: The network.
        tasks: What else it learns.
        autocast: Whether it computes in bfloat16 where it loses little by it.
    """

    def __init__(self, network: Stylizer, tasks: Mapping[str, Task], *, autocast: bool) -> None:
        super().__init__()
        self.network, self.autocast = network, autocast
        self.tasks = nn.ModuleDict(dict(tasks))

    def forward(
        self, contents: Tensor, styles: Tensor | list[int], active: Sequence[str]
    ) -> tuple[Tensor, dict[str, Lesson]]:
        """The pictures, and the lessons of the tasks that are active."""
        with torch.autocast(contents.device.type, torch.bfloat16, enabled=self.autocast):
            network = self.network
            drawn = styles if isinstance(styles, Tensor) else None
            code = (
                example_code(network, styles) if isinstance(styles, Tensor) else learned_code(network, styles)
            )
            pictures: Tensor = network(contents, code).to(contents)
            painted = Painted(contents, drawn, code, pictures)
            lessons = {name: self.tasks[name](network, painted) for name in active}
        return pictures, lessons


def distributed(paint: Paint) -> nn.Module:
    """The module, wrapped if several processes share each batch."""
    if processes().count == 1:
        return paint
    # A task may have parameters that are not used while it is off.
    return DistributedDataParallel(
        paint, broadcast_buffers=False, find_unused_parameters=len(paint.tasks) > 0
    )
