import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from pystyle._arguments import whole_number
from pystyle.metrics import KernelDistance, kernel_distance
from pystyle.metrics._features import check_network
from pystyle.networks._codes import for_network
from pystyle.runner import Step
from pystyle.training._draws import Images, checked, images_of
from pystyle.training._step import TrainingStep

_LOG = logging.getLogger("pystyle")


class HeldOut:
    """Measures how far pictures of contents that are not trained on are from styles: how a game really goes.

    The losses of two players say little, since each makes those of the other worse. Every so many steps the
    network, with the average of its weights, paints the contents, and the kernel distance of the pictures and
    the styles is written to the logger ``pystyle`` and to `path`. With the features of
    :func:`~pystyle.metrics.published_inception` it is the KID.

    Args:
        contents: Contents that are held out, two or more.
        styles: What the pictures are compared with, two or more; a network for any style paints in them, too.
        features: Gives a vector for each image of a batch.
        every: Steps between two looks.

    Attributes:
        path: What was found, by the number of the step.

    Raises:
        TypeError: If `features` is no function, such as the name of a network.
        ValueError: If there are less than two contents or styles, or `every` is not positive.

    Example:
        >>> import torch
        >>> def mean_color(images):
        ...     return images.mean((2, 3))
        >>> photographs, paintings = torch.rand(2, 4, 3, 32, 32)
        >>> held_out = HeldOut(photographs, paintings, mean_color, every=1000)
        >>> held_out.path
        {}
    """

    def __init__(
        self,
        contents: Images | Tensor,
        styles: Images | Tensor,
        features: Callable[[Tensor], Tensor],
        *,
        every: int = 1000,
    ) -> None:
        self._contents, self._styles = images_of(contents, "contents"), images_of(styles, "styles")
        for label, images in (("contents", self._contents), ("styles", self._styles)):
            if len(images) < 2:
                raise ValueError(f"`{label}` must be two or more, got {len(images)}.")
        check_network(features, "`features`")
        self.features = features
        self.every = whole_number(every, "`every`", least=1)
        self.path: dict[int, KernelDistance] = {}
        with torch.no_grad():
            self._wanted = torch.cat([features(self._style(index)) for index in range(len(self._styles))])

    def __call__(self, step: Step) -> None:
        """Measure, if it is due.

        Raises:
            TypeError: If the step is not that of a training.
        """
        if not isinstance(step, TrainingStep):
            raise TypeError("`HeldOut` must be a callback of `train`, got a step of another run.")
        if step.index % self.every and step.index != step.num_steps:
            return
        with torch.no_grad():
            painted = torch.cat([self.features(picture) for picture in self._pictures(step)])
        found = self.path[step.index] = kernel_distance(painted, self._wanted)
        _LOG.info("Held out, after step %d: kernel distance %s.", step.index, found)

    def state_dict(self) -> dict[str, Any]:
        """What was found so far, for a checkpoint."""
        return {"path": {step: tuple(found) for step, found in self.path.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on behind what was found before."""
        self.path = {step: KernelDistance(*found) for step, found in state["path"].items()}

    def _pictures(self, step: TrainingStep) -> Iterator[Tensor]:
        network = step.network
        for index in range(len(self._contents)):
            content = checked(self._contents[index], "contents")[None]
            style = network.styles[0] if network.styles else self._style(index % len(self._styles))
            yield network.bind(style)(for_network(network, content)).cpu()

    def _style(self, index: int) -> Tensor:
        return checked(self._styles[index], "styles")[None]
