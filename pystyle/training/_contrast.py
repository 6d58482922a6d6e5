from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from pystyle._arguments import described, number, whole_number
from pystyle.functional import patch_nce
from pystyle.losses._arguments import layer_names
from pystyle.networks import Stylizer
from pystyle.training._task import Lesson, Painted, Task


class FeatureNetwork(Protocol):
    """A network that shows what its first half sees, as :class:`~pystyle.networks.ResNetGenerator` does.

    Example:
        >>> from pystyle.networks import ResNetGenerator
        >>> network: FeatureNetwork = ResNetGenerator(width=2)
    """

    def features(self, content: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """The features of the layers for images."""


class ContrastTask(Task):
    """A place in the picture is to be recognised as that of the content, by features of the network itself.

    A vector of the picture's features is compared with those of the content at the same place and at others.
    So what is in the content stays where it is, without any network that was trained before. Each layer has a
    small network of its own on top of the features, which learns with the task.

    Args:
        network: The network that will be trained; only the sizes of its features are looked at.
        layers: One layer or several of its ``features``.
        num_samples: Places that are told from each other in each layer.
        channels: The length of the vectors that are compared.
        temperature: The smaller it is, the more the nearest confusions count.
        identity: Whether the network is to leave its styles as they are, as well. Each half counts half then.
        flip: Whether the features of the content are those of its mirror image, mirrored back, in half of the
            steps.
        weight: Factor of both.

    Raises:
        TypeError: If the network shows no features.
        ValueError: If a layer is unknown, or a number not positive.

    Example:
        >>> from pystyle.networks import ResNetGenerator
        >>> task = ContrastTask(ResNetGenerator(width=2, num_blocks=2), ["pixels", "block1"], num_samples=64)
        >>> task.terms
        ('picture', 'identity')

    Note:
        The places are the same for all images of a batch, and each is told from places of its own image only.
        Those of the content get no gradient. The authors paint the mirror image and mirror its features back,
        where here the content is mirrored: the same for contents that are mirrored half of the time, as
        :class:`ImageFolder` does it.

        The small networks begin with the tiny weights of the authors' code, Xavier's times 0.02, drawn by
        torch's global generator; what they give is divided by its length.

    References:
        Park, Efros, Zhang, Zhu. *Contrastive learning for unpaired image-to-image translation*. ECCV 2020,
        equations 3 to 5. `flip` is FastCUT of its published code.
    """

    def __init__(
        self,
        network: Stylizer,
        layers: str | Sequence[str],
        *,
        num_samples: int = 256,
        channels: int = 256,
        temperature: float = 0.07,
        identity: bool = True,
        flip: bool = False,
        weight: float = 1.0,
    ) -> None:
        super().__init__(weight=weight)
        if isinstance(network, type) or not hasattr(network, "features"):
            raise TypeError(
                "`network` must have a method `features(content, layers)`, as `ResNetGenerator` has, got "
                f"{described(network)}."
            )
        self.layers = layer_names(layers)
        self.num_samples = whole_number(num_samples, "`num_samples`", least=1)
        self.channels = whole_number(channels, "`channels`", least=1)
        self.temperature = number(temperature, "`temperature`", above=0)
        self.identity, self.flip = bool(identity), bool(flip)
        self.terms = ("picture", "identity") if identity else ("picture",)
        parameter = next(network.parameters())
        with torch.no_grad():
            size = -(-network.smallest // network.stride) * network.stride
            found = cast(FeatureNetwork, network).features(parameter.new_zeros(1, 3, size, size), self.layers)
        self.heads = nn.ModuleList(_head(features.shape[1], self.channels) for features in found)
        self.heads.to(parameter)

    def forward(self, network: Stylizer, painted: Painted) -> Lesson:
        """How badly the places are recognised."""
        share = 0.5 if self.identity else 1.0
        terms = {"picture": share * self._contrast(network, painted.pictures, painted.contents)}
        if self.identity:
            if painted.styles is None:
                raise ValueError("`identity` needs styles that are drawn, as they are for a discriminator.")
            again = network(painted.styles, painted.code).to(painted.styles)
            terms["identity"] = share * self._contrast(network, again, painted.styles)
        return Lesson(terms)

    def _contrast(self, network: Stylizer, pictures: Tensor, contents: Tensor) -> Tensor:
        shows = cast(FeatureNetwork, network)
        flipped = self.flip and bool(torch.rand((), device="cpu") < 0.5)
        with torch.no_grad():
            kept = shows.features(contents.flip(3) if flipped else contents, self.layers)
        losses = []
        for head, features, targets in zip(
            self.heads, shows.features(pictures, self.layers), kept, strict=True
        ):
            seen, known = features.flatten(2), (targets.flip(3) if flipped else targets).flatten(2)
            places = torch.randperm(seen.shape[2], device="cpu")[: self.num_samples].to(seen.device)
            with torch.no_grad():
                answers = head(known[:, :, places].mT).mT
            questions = head(seen[:, :, places].mT).mT
            losses.append(patch_nce(questions, answers, temperature=self.temperature).mean())
        return torch.stack(losses).mean()

    def extra_repr(self) -> str:
        """The layers."""
        return ", ".join(map(repr, self.layers))


def _head(inputs: int, channels: int) -> nn.Sequential:
    """Two layers on top of the features of one place."""
    layers = [nn.Linear(inputs, channels), nn.Linear(channels, channels)]
    for layer in layers:
        nn.init.xavier_normal_(layer.weight, gain=0.02)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.ReLU(), layers[1])
