from collections.abc import Sequence
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor
from torch.optim import Adam

from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.images import resize
from pystyle.networks import Painter, Style, StyleCode, Stylizer
from pystyle.papers._images import check_images
from pystyle.papers.kwon_2022._criterion import SOURCE, criterion
from pystyle.runner import Callback, Runner
from pystyle.text import Prompt, RandomCrops, TextImageEncoder
from pystyle.typing import OptimizerFactory

_CROPS = RandomCrops(size=64)


def painter(
    content: Tensor,
    text: Prompt,
    text_encoder: TextImageEncoder,
    *,
    stylizer: Stylizer,
    style: Style,
    encoder: Encoder | None = None,
    network: Literal["torchvision", "caffe"] = "caffe",
    source: Prompt = SOURCE,
    crops: RandomCrops = _CROPS,
    edge_size: int = 128,
    num_steps: int = 60,
    optimizer: OptimizerFactory = partial(Adam, lr=0.03),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> Painter:
    """A function of photographs that paints as a text says; none of the paper, but by its losses.

    What a network that paints in any style keeps of a painting is moved until its picture of one photograph
    is what the text says. No weight is trained, a small picture will do, and other photographs are painted
    at once.

    Args:
        content: The photograph to look at meanwhile.
        text: What pictures become: a text, a painting, or several of both with weights.
        text_encoder: What knows images and texts.
        stylizer: The network, such as ``pystyle.networks.pretrained("any-style")``.
        style: What its code starts from: a painting not too far from what the text says.
        encoder: The network of the content loss; see :func:`criterion`.
        network: Which weights of the VGG-19 the losses are weighted for.
        source: What the photograph is.
        crops: The parts that are looked at.
        edge_size: The short side of the photograph meanwhile, in pixels.
        num_steps: Steps of the optimizer.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step.
        evaluation: How the gradient is computed.

    Returns:
        The network with the code that was found; after Ctrl-C with the one so far.

    Raises:
        ValueError: If an argument has an impossible value.

    Shape:
        - content: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> import torch
        >>> from pystyle.encoders import vgg19
        >>> from pystyle.networks import AnyStyleNetwork
        >>> class Brightness:
        ...     def encode_images(self, images):
        ...         return torch.nn.functional.normalize(images.mean((2, 3))[:, :2], dim=1)
        ...     def encode_texts(self, texts):
        ...         return torch.eye(2)[[int("Photo" in text) for text in texts]]
        >>> paint = painter(
        ...     torch.rand(1, 3, 24, 24), "fire", Brightness(), stylizer=AnyStyleNetwork(width=2),
        ...     style=torch.rand(1, 3, 24, 24), encoder=vgg19(weights=None), edge_size=24, num_steps=1,
        ... )
        >>> paint(torch.rand(1, 3, 40, 61)).shape
        torch.Size([1, 3, 40, 61])
    """
    check_images({"content": content})
    photograph = resize(content, edge_size)
    losses = criterion(text, text_encoder, encoder, network=network, source=source, crops=crops)
    runner = Runner(
        evaluation.bind(losses, {"content": photograph}),
        photograph,
        parametrization=partial(StyleCode, stylizer=stylizer, style=style),
        optimizer=optimizer,
        callbacks=callbacks,
    )
    runner.run(num_steps)
    with torch.no_grad():
        return cast(StyleCode, runner.parametrization).painter
