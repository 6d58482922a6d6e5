from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from pystyle.typing import Wrap


class Parametrization(nn.Module, ABC):
    """What is optimised in the place of an image.

    A module that is made from an image, whose :meth:`forward` gives that image back, and whose parameters an
    optimizer moves. The runner takes any function from an image to one: a class, or a `functools.partial` of
    one.

    An image has to stay in [0, 1] during the run, so that what is saved is what was optimised. There are two
    ways. If `projected`, bounds on the parameters are bounds on the image, and the runner clamps the
    parameters after each step, or lets the optimizer do it. Otherwise :meth:`forward` gives values in [0, 1]
    whatever the parameters are; :func:`clamp_with_gradient` is there to do it.

    Attributes:
        projected: Whether bounds on the parameters are bounds on the image.
        starts_with_image: Whether :meth:`forward` gives the image at first. What makes another one of it
            cannot go on from that, and is refused where a pyramid has several levels.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> class Grey(Parametrization):
        ...     projected = True
        ...
        ...     def __init__(self, image):
        ...         super().__init__()
        ...         self.brightness = nn.Parameter(image.detach().mean(1, keepdim=True))
        ...
        ...     def forward(self):
        ...         return self.brightness.expand(-1, 3, -1, -1)
        >>> Grey(torch.rand(1, 3, 8, 8))().shape
        torch.Size([1, 3, 8, 8])
    """

    projected: ClassVar[bool] = False
    starts_with_image: ClassVar[bool] = True

    def wraps(self, wrap: Wrap) -> bool:
        """Whether an image that goes on beyond these sides with its other side is made as one that does.

        That is so where each pixel has numbers of its own, or what neighbours share they share across the
        border, too. A parametrization that does not say so is refused where the image wraps.
        """
        del wrap
        return False

    @abstractmethod
    def forward(self) -> Tensor:
        """The image of the parameters, (batch, 3, height, width)."""
