"""What a network does in a step of its training."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pystyle.losses._representation import combine
from pystyle.networks import Stylizer
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
            code = self._code(styles, len(contents))
            pictures: Tensor = self.network(contents, code).to(contents)
            drawn = styles if isinstance(styles, Tensor) else None
            painted = Painted(contents, drawn, code, pictures)
            lessons = {name: self.tasks[name](self.network, painted) for name in active}
        return pictures, lessons

    def _code(self, styles: Tensor | list[int], count: int) -> Any:
        if isinstance(styles, Tensor) and not self.network.styles:
            return self.network.represent_style(styles)
        # A network whose one style has many examples.
        numbers = [0] * count if isinstance(styles, Tensor) else styles
        names = [self.network.styles[index] for index in numbers]
        return combine(
            [self.network.named_code(name) for name in names], lambda codes: torch.cat(list(codes))
        )


def distributed(paint: Paint) -> nn.Module:
    """The module, wrapped if several processes share each batch."""
    if processes().count == 1:
        return paint
    # A task may have parameters that are not used while it is off.
    return DistributedDataParallel(
        paint, broadcast_buffers=False, find_unused_parameters=len(paint.tasks) > 0
    )
