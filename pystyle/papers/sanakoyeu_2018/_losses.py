import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, l1_loss

from pystyle._arguments import whole_number
from pystyle.losses import Loss
from pystyle.networks import Stylizer
from pystyle.papers.sanakoyeu_2018._layers import same
from pystyle.papers.sanakoyeu_2018._network import StyleAwareNetwork
from pystyle.training import Lesson, Painted, Task
from pystyle.typing import IMAGE


class TransformedImageLoss(Loss):
    """The mean squared difference of blurred images: brushwork is free, colours stay where they are.

    Args:
        kernel_size: The edge of the square of which each pixel becomes the mean, without what is beyond the
            border.
        weight: Factor of the loss.

    Raises:
        ValueError: If the size is not positive.

    Example:
        >>> loss = TransformedImageLoss(kernel_size=2)
        >>> loss.represent(torch.tensor([[[[1.0, 3.0, 7.0]]]]))
        tensor([[[[2., 5., 7.]]]])
    """

    reference = "content"
    spatial = "set"

    def __init__(self, kernel_size: int = 10, *, weight: float = 1.0) -> None:
        super().__init__(IMAGE, weight=weight)
        self.kernel_size = whole_number(kernel_size, "`kernel_size`", least=1)

    def represent(self, features: Tensor) -> Tensor:
        """The blurred image."""
        inside = torch.ones_like(features[:1, :1])
        sums, areas = (
            avg_pool2d(same(one, self.kernel_size), self.kernel_size, 1) for one in (features, inside)
        )
        return sums / areas


class StyleAwareContent(Task):
    """The style-aware content loss: what the network's own encoder sees of the picture and of the content.

    The mean absolute difference of both. The encoder learns with the network what is content to this style.

    Args:
        weight: Factor of the loss.

    Example:
        >>> from pystyle.papers.sanakoyeu_2018 import network
        >>> photographs = torch.rand(1, 3, 32, 32)
        >>> painted = Painted(photographs, None, None, pictures=photographs)
        >>> StyleAwareContent()(network(width=2), painted).terms
        {'features': tensor(0., grad_fn=<MeanBackward0>)}
    """

    terms = ("features",)

    def forward(self, network: Stylizer, painted: Painted) -> Lesson:
        """The difference.

        Raises:
            TypeError: If the network is another.
        """
        if not isinstance(network, StyleAwareNetwork):
            raise TypeError(
                "A `StyleAwareContent` needs the encoder of a `StyleAwareNetwork`, got a "
                f"{type(network).__name__}."
            )
        # The contents are encoded with a gradient, too: both sides of the difference learn.
        pair = network.features(painted.pictures), network.features(painted.contents)
        return Lesson({"features": l1_loss(*pair)})
