"""What networks are asked to paint, and how equal sizes are painted at once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import explained_allocations
from pystyle.losses._representation import combine, tensors_of
from pystyle.networks import Painter, Stylizer
from pystyle.serving._metrics import Metrics
from pystyle.typing import PrecisionChoice, Representation

_NUM_CODES = 64


@dataclass(frozen=True)
class UsedStyle:
    """A style of a task.

    Args:
        value: The name of a learned one, or a function that gives its image.
        weight: How much it counts.
        key: Under which its code is kept; None if it is not.
    """

    value: str | Callable[[], Tensor]
    weight: float = 1.0
    key: Hashable = None


@dataclass(frozen=True)
class Painted:
    """What became of a task.

    Attributes:
        image: The picture.
        waited: Seconds until the network began.
        painted: Seconds that the network took, for all pictures of the batch together.
        count: How many were painted together.
    """

    image: Tensor
    waited: float
    painted: float
    count: int


@dataclass(frozen=True, eq=False)
class PaintTask:
    """A picture that is asked for.

    Args:
        network: The name of the network.
        content: The photograph, at the size of the picture.
        styles: The styles that are blended.
        strength: How much of the style.
        deadline: When it is too late to begin, in seconds of `time.monotonic`.
    """

    network: str
    content: Tensor
    styles: Sequence[UsedStyle]
    strength: float
    deadline: float
    answer: "Future[Painted]" = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    def fits(self, other: "PaintTask") -> bool:
        """Whether both can be painted at once."""
        mine, others = ((task.network, task.strength, task.content.shape) for task in (self, other))
        return mine == others


class Painting:
    """The networks of a service, used by one thread.

    Args:
        networks: The networks by name.
        precision: What they compute in.
        metrics: Where it is counted.
    """

    def __init__(
        self, networks: Mapping[str, Stylizer], *, precision: PrecisionChoice, metrics: Metrics
    ) -> None:
        self._networks, self._precision, self._metrics = networks, precision, metrics
        self._codes: OrderedDict[Hashable, Representation] = OrderedDict()

    def paint(self, tasks: Sequence[PaintTask]) -> None:
        """Answer tasks that fit each other. What is wrong with one is said to that one."""
        groups: dict[Hashable, list[tuple[PaintTask, Representation]]] = {}
        for task in tasks:
            try:
                code = self._code(task)
            except Exception as error:
                task.answer.set_exception(error)
            else:
                shapes = tuple(tensor.shape for tensor in tensors_of(code))
                groups.setdefault(shapes, []).append((task, code))
        for group in groups.values():
            self._paint_group(group)

    def _paint_group(self, group: Sequence[tuple[PaintTask, Representation]]) -> None:
        tasks, codes = zip(*group, strict=True)
        start = time.monotonic()
        try:
            pictures = self._pictures(tasks, codes)
        except Exception as error:
            if len(group) == 1:
                tasks[0].answer.set_exception(error)
                return
            # Whose fault it was is seen alone; the others get their pictures.
            for one in group:
                self._paint_group([one])
            return
        seconds = time.monotonic() - start
        self._metrics.observe("pystyle_paint_seconds", seconds)
        self._metrics.count("pystyle_batches_total")
        self._metrics.count("pystyle_pictures_total", by=len(tasks))
        for task, picture in zip(tasks, pictures, strict=True):
            task.answer.set_result(Painted(picture, start - task.since, seconds, len(tasks)))

    @explained_allocations("Painting the picture")
    def _pictures(self, tasks: Sequence[PaintTask], codes: Sequence[Any]) -> list[Tensor]:
        code = combine(codes, lambda tensors: torch.cat(list(tensors)))
        contents = torch.cat([task.content for task in tasks])
        paint = Painter(self._networks[tasks[0].network], {None: code}, precision=self._precision)
        # Copies, so that no answer holds the pictures of others.
        return [picture[None].clone() for picture in paint(contents, strength=tasks[0].strength)]

    @explained_allocations("Looking at the style")
    def _code(self, task: PaintTask) -> Representation:
        network = self._networks[task.network]
        total = sum(style.weight for style in task.styles)
        used = [style for style in task.styles if style.weight]
        codes = [self._code_of(task.network, style) for style in used]
        if len(used) == 1:
            return codes[0]
        return network.blend(codes, [style.weight / total for style in used])

    def _code_of(self, name: str, style: UsedStyle) -> Representation:
        key = None if style.key is None else (name, style.key)
        if key in self._codes:
            self._codes.move_to_end(key)
            return self._codes[key]
        value = style.value if isinstance(style.value, str) else style.value()
        code: Representation = self._networks[name].bind(value, precision=self._precision).codes[None]
        if key is not None:
            self._codes[key] = code
            while len(self._codes) > _NUM_CODES:
                self._codes.popitem(last=False)
        return code
