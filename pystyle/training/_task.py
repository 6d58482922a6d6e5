from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from pystyle._arguments import number
from pystyle.losses import AdversarialLoss
from pystyle.networks import Stylizer


@dataclass(frozen=True, eq=False)
class Painted:
    """What a step has painted.

    Attributes:
        contents: The contents.
        styles: The styles that were drawn; None for a network that learns one image for each of its names.
        code: What the network keeps of the styles.
        pictures: The pictures, with the graph of the network.

    Shape:
        - contents, styles, pictures: (batch, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> photographs, paintings = torch.rand(2, 4, 3, 32, 32)
        >>> Painted(photographs, paintings, None, pictures=photographs).pictures.shape
        torch.Size([4, 3, 32, 32])
    """

    contents: Tensor
    styles: Tensor | None
    code: Any
    pictures: Tensor


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a task gives.

    Attributes:
        terms: Losses by name, scalars with their graph.
        duels: For each discriminator of the task, real images and painted ones.

    Example:
        >>> import torch
        >>> Lesson({"cycle": torch.tensor(0.25)}).duels
        {}
    """

    terms: Mapping[str, Tensor]
    duels: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


class Task(nn.Module, ABC):
    """What a network learns in a step besides what its criterion says of the pictures.

    It sees the network itself: its features, or what it makes of other images. Parameters of a task are
    trained with those of the network.

    Args:
        weight: Factor of its losses.

    Attributes:
        terms: The names of its losses.
        adversarial: Losses with discriminators of its own, by name.

    Raises:
        ValueError: If the weight is no number.

    Example:
        >>> from torch.nn.functional import l1_loss
        >>> class Identity(Task):
        ...     '''Paintings stay as they are.'''
        ...     terms = ("identity",)
        ...     def forward(self, network, painted):
        ...         again = network(painted.styles, painted.code)
        ...         return Lesson({"identity": l1_loss(again, painted.styles)})
        >>> tasks = {"paintings": Identity(weight=5.0)}
    """

    terms: tuple[str, ...]

    def __init__(self, *, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = number(weight, "`weight`")

    @property
    def adversarial(self) -> Mapping[str, AdversarialLoss]:
        """Losses with discriminators of its own, by name: none."""
        return {}

    @abstractmethod
    def forward(self, network: Stylizer, painted: Painted) -> Lesson:
        """The lesson of a step.

        Args:
            network: The network.
            painted: What it has painted.
        """
