from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pystyle._arguments import number, whole_number
from pystyle.optim._factory import optimizer_factory
from pystyle.typing import OptimizerFactory, OptimizerName

Decoys = Callable[[Tensor, Tensor], Sequence[tuple[Tensor, float]]]
"""Images that are no paintings either, with their weights, made of the real images and the contents."""


@dataclass(frozen=True)
class Adversary:
    """How a discriminator learns, the second player of a training.

    The discriminator is that of an :class:`~pystyle.losses.AdversarialLoss`. In each step the network moves
    first, and then the discriminator learns to tell its pictures from the styles.

    Args:
        optimizer: What moves its weights: an optimizer class of torch or a `functools.partial` of one. Its
            learning rate falls as that of the network does.
        num_steps: How often it moves in each step; each time with other contents and styles.
        gradient_penalty: The weight of :func:`~pystyle.functional.gradient_penalty`, which WGAN-GP has.
        real_penalty: The weight of :func:`~pystyle.functional.real_gradient_penalty`, called R1.
        memory: How many pictures of earlier steps are kept. For each that the network paints, one of these is
            judged instead half of the time.
        most_success: How often it may be right, from 0.5 to 1. As long as it is right at least that often in
            the average of the last steps, only the network moves; otherwise only the discriminator does. A
            step of the network counts how often it is right about pictures; one of its own, about all images
            that it sees. None for both in each step.
        decoys: What else is to be told from the styles: a function of the real images and the contents that
            gives images with weights, a picture's being 1. ``lambda real, contents: [(contents, 1.0)]`` lets
            it learn that photographs are no paintings.
        max_gradient_norm: A longer gradient of its weights is scaled down to this length; None for no limit.

    Raises:
        ValueError: If a number has an impossible value.
        TypeError: If `decoys` is no function.

    Example:
        >>> from functools import partial
        >>> from torch.optim import Adam
        >>> critic = Adversary(partial(Adam, lr=1e-4, betas=(0.0, 0.9)), num_steps=5, gradient_penalty=10.0)
        >>> patches = Adversary(memory=50)

    References:
        Rates and memory: Zhu, Park, Isola, Efros, *Unpaired image-to-image translation using cycle-consistent
        adversarial networks*, ICCV 2017. Waiting: the published code of Sanakoyeu et al., *A style-aware
        content loss for real-time HD style transfer*, ECCV 2018. Decoys: Chen, Lai, Liu, *CartoonGAN:
        Generative adversarial networks for photo cartoonization*, CVPR 2018, section 3.2.
    """

    optimizer: OptimizerFactory | OptimizerName = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    num_steps: int = 1
    gradient_penalty: float = 0.0
    real_penalty: float = 0.0
    memory: int = 0
    most_success: float | None = None
    max_gradient_norm: float | None = None
    decoys: Decoys | None = None

    def __post_init__(self) -> None:
        def kept(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        kept("optimizer", optimizer_factory(self.optimizer))
        kept("num_steps", whole_number(self.num_steps, "`num_steps`", least=1))
        kept("memory", whole_number(self.memory, "`memory`", least=0))
        for name in ("gradient_penalty", "real_penalty"):
            kept(name, number(getattr(self, name), f"`{name}`", least=0))
        if self.most_success is not None:
            kept("most_success", number(self.most_success, "`most_success`", least=0.5, below=1))
        if self.decoys is not None and not callable(self.decoys):
            raise TypeError(
                "`decoys` must be a function of real images and contents that gives images with weights, "
                f"got a {type(self.decoys).__name__}."
            )
        if self.max_gradient_norm is not None:
            kept("max_gradient_norm", number(self.max_gradient_norm, "`max_gradient_norm`", above=0))
