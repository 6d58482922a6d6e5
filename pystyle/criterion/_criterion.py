import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pystyle.criterion._checks import check_finite, check_image
from pystyle.criterion._objective import Objective, Part, Target, encode
from pystyle.encoders import Encoder
from pystyle.losses import Loss
from pystyle.typing import IMAGE, Reference, References, Representation


class Criterion(nn.Module):
    """An encoder and named losses: what is to be minimised, without the images.

    :meth:`bind` adds the images. The features of all losses come from one pass of the encoder.

    Args:
        encoder: The encoder; it is frozen. Several are joined by
            :class:`~pystyle.encoders.MultiEncoder`.
        losses: The losses by name.

    Raises:
        ValueError: If there are no losses, a name contains a dot, or the encoder lacks a layer.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, ContentLoss, MultiLayerGramLoss
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(
        ...     vgg19(weights=None),
        ...     {"content": ContentLoss("relu2_2"), "style": MultiLayerGramLoss(["relu1_1", "relu2_1"])},
        ... )
        >>> photo, painting = torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 48, 32)
        >>> objective = criterion.bind({"content": photo, "style": painting})
        >>> list(objective(torch.zeros(1, 3, 32, 32)))
        ['content.relu2_2', 'style.relu1_1', 'style.relu2_1']
    """

    def __init__(self, encoder: Encoder, losses: Mapping[str, Loss]) -> None:
        super().__init__()
        if not losses:
            raise ValueError("`losses` must have at least one loss, got none.")
        for name, loss in losses.items():
            if not isinstance(loss, Loss):
                raise TypeError(f"`losses` must hold losses, got a {type(loss).__name__} named {name!r}.")
            if not name or "." in name:
                raise ValueError(f"The names of `losses` must not be empty or contain a dot, got {name!r}.")
            encoder.check_layers([layer for layer in loss.layers if layer != IMAGE])
        self.encoder = encoder.requires_grad_(False).eval()
        self.losses = nn.ModuleDict(dict(losses))

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the images that the losses compare with."""
        return tuple(dict.fromkeys(loss.reference for _, loss in self._named_losses() if loss.reference))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder that the losses look at, each once."""
        layers = (layer for _, loss in self._named_losses() for layer in loss.layers)
        return tuple(dict.fromkeys(layer for layer in layers if layer != IMAGE))

    @torch.no_grad()
    def bind(self, references: References) -> Objective:
        """Represent the references once.

        Args:
            references: The images that the losses compare with, by name. In place of an image a
                list of ``(image, weight)`` blends several; the weights are divided by their sum.
                Further images are ignored.

        Returns:
            The objective: a function of the image.

        Raises:
            ValueError: If a reference is missing, too small, not finite, or on another device than the
                encoder.
            TypeError: If a reference is not of the encoder's floating-point type.

        Shape:
            - references: (1 or batch, 3, height, width), RGB in [0, 1]
        """
        for name in self.references:
            if name not in references:
                given = ", ".join(map(repr, references)) or "none"
                raise ValueError(
                    f"`references` must have the image {name!r} that the losses compare with, got {given}."
                )
        targets: dict[tuple[str, str], tuple[Target, ...]] = {}
        for name in self.references:
            targets.update(self._targets(name, _blend(references[name], name)))
        return Objective(
            self.encoder,
            tuple(
                Part(f"{name}.{layer}", loss.at(layer), layer, targets.get((name, layer), (Target(None),)))
                for name, loss in self._named_losses()
                for layer in loss.layers
            ),
        )

    def _targets(
        self, reference: str, blend: list[tuple[Tensor, float]]
    ) -> dict[tuple[str, str], tuple[Target, ...]]:
        losses = {name: loss for name, loss in self._named_losses() if loss.reference == reference}
        layers = tuple(
            dict.fromkeys(layer for loss in losses.values() for layer in loss.layers if layer != IMAGE)
        )
        found: dict[tuple[str, str], list[tuple[Any, float]]] = {}
        for image, weight in blend:
            check_image(image, f'references["{reference}"]', self.encoder, layers)
            check_finite(image, f'references["{reference}"]')
            # A copy: what a loss keeps must not change with the caller's image, nor know its graph.
            features = encode(self.encoder, image.detach().clone(), layers)
            for name, loss in losses.items():
                for layer in loss.layers:
                    representation = loss.at(layer).represent(features[layer])
                    found.setdefault((name, layer), []).append((representation, weight))
        return {
            (name, layer): _prepare(losses[name].at(layer), representations)
            for (name, layer), representations in found.items()
        }

    def _named_losses(self) -> list[tuple[str, Loss]]:
        return [(name, loss) for name, loss in self.losses.items() if isinstance(loss, Loss)]


def _blend(reference: Reference, name: str) -> list[tuple[Tensor, float]]:
    if isinstance(reference, Tensor):
        return [(reference, 1.0)]
    pairs = isinstance(reference, list | tuple)
    if not pairs or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in reference):
        raise TypeError(
            f'`references["{name}"]` must be an image or a list of (image, weight), '
            f"got a {type(reference).__name__}. Read files with `read_image`."
        )
    total = sum(weight for _, weight in reference)
    if not reference or min(weight for _, weight in reference) < 0 or not 0 < total < math.inf:
        raise ValueError(
            f'`references["{name}"]` must be an image or a list of (image, weight) with weights that are not '
            f"negative, finite and not all 0, got {[weight for _, weight in reference]}."
        )
    return [(image, weight / total) for image, weight in reference]


def _prepare(loss: Loss, representations: list[tuple[Representation, float]]) -> tuple[Target, ...]:
    """The targets of one layer: the mean of the representations, or each of them if they are sets."""
    if loss.spatial != "set" and len(representations) > 1:
        representations = [(_mean(representations), 1.0)]
    targets = []
    for representation, weight in representations:
        target = loss.prepare(representation)
        magnitude = None
        if loss.relative:
            empty = _combine([representation], lambda tensors: torch.zeros_like(tensors[0]))
            magnitude = loss.compare(empty, target)
            # A target that is empty itself, such as a layer of dead channels, has nothing to be divided by.
            magnitude = torch.where(magnitude > 1e-12, magnitude, torch.ones_like(magnitude))
        targets.append(Target(target, weight, magnitude))
    return tuple(targets)


def _mean(representations: list[tuple[Representation, float]]) -> Representation:
    weights = [weight for _, weight in representations]

    def weighted(tensors: list[Tensor]) -> Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(
                f"Blended references must fit each other, got {shapes}. Give them the same size."
            )
        return torch.stack([w * t for w, t in zip(weights, tensors, strict=True)]).sum(0)

    mean: Representation = _combine([representation for representation, _ in representations], weighted)
    return mean


def _combine(representations: list[Any], function: Any) -> Any:
    """The function applied to corresponding tensors of representations, which may be (named) tuples."""
    first = representations[0]
    if isinstance(first, Tensor):
        return function(representations)
    items = [function(list(tensors)) for tensors in zip(*representations, strict=True)]
    return type(first)(*items) if hasattr(first, "_fields") else tuple(items)
