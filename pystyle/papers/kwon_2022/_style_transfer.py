from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from torch import Tensor

from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.papers._images import check_images
from pystyle.papers._variants import Variant
from pystyle.papers.kwon_2022._criterion import CROPS, SOURCE, criterion
from pystyle.papers.kwon_2022._network import PhotographNetwork
from pystyle.papers.kwon_2022._optimizer import HalvedAdam
from pystyle.parametrizations import Parametrization
from pystyle.runner import Callback, Result, optimize_image
from pystyle.text import Prompt, RandomCrops, TextImageEncoder
from pystyle.typing import OptimizerFactory


def style_transfer(
    content: Tensor,
    text: Prompt,
    text_encoder: TextImageEncoder,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    network: Literal["torchvision", "caffe"] = "torchvision",
    source: Prompt = SOURCE,
    crops: RandomCrops = CROPS,
    edge_size: int = 512,
    num_steps: int = 200,
    parametrization: Callable[[Tensor], Parametrization] | None = None,
    optimizer: OptimizerFactory = HalvedAdam,
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 0,
) -> Result:
    """A photograph as a text says.

    Args:
        content: The photograph, at its full size.
        text: What the picture becomes: a text, a painting, or several of both with weights.
        text_encoder: What knows images and texts.
        encoder: The network of the content loss; see :func:`criterion`.
        variant: Which side of the table.
        network: Which weights of the VGG-19 the losses are weighted for.
        source: What the photograph is.
        crops: The parts that are looked at.
        edge_size: The short side of the result in pixels.
        num_steps: Steps of the optimizer.
        parametrization: What is moved; a :class:`PhotographNetwork` with weights of `seed` if not given. With
            :class:`~pystyle.parametrizations.Pixels` take ``optimizer=partial(HalvedAdam, lr=0.01)``.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.
        seed: Of the weights of the network. That of the crops is theirs.

    Returns:
        The picture and the history. :func:`stretched` gives it the contrast of the authors' files.

    Raises:
        ValueError: If an argument has an impossible value.

    Shape:
        - content: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> class Brightness:
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3))[:, :2], dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.eye(2)[[int("Photo" in text) for text in texts]]
        >>> result = style_transfer(
        ...     torch.rand(1, 3, 20, 24), "fire", Brightness(), encoder=vgg19(weights=None),
        ...     crops=RandomCrops(2, size=16), edge_size=20, num_steps=2,
        ... )
        >>> result.image.shape
        torch.Size([1, 3, 20, 24])
    """
    check_images({"content": content})
    photograph = resize(content, edge_size)
    return optimize_image(
        criterion(text, text_encoder, encoder, variant=variant, network=network, source=source, crops=crops),
        {"content": photograph},
        parametrization=partial(PhotographNetwork, seed=seed) if parametrization is None else parametrization,
        optimizer=optimizer,
        num_steps=num_steps,
        callbacks=callbacks,
        evaluation=evaluation,
    )
