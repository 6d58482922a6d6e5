import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pystyle.criterion._checks import check_finite, check_image, check_loss_names
from pystyle.criterion._objective import Objective, Part, Target
from pystyle.criterion._represent import combine, represent
from pystyle.encoders import Encoder
from pystyle.losses import Loss
from pystyle.typing import IMAGE, Reference, References, Representation

Key = tuple[str, str]
"""The names of a loss and of one of its layers."""


class Criterion(nn.Module):
    """An encoder and named losses: what is to be minimised, without the images.

    :meth:`bind` adds the images. The features of all losses come from one pass of the encoder.

    Args:
        encoder: The encoder; it is frozen. Several are joined by
            :class:`~pystyle.encoders.MultiEncoder`.
        losses: The losses by name.
        normalize_gradients: The names of losses whose gradients are as long as their weights: at each
            layer, the gradient of the loss's term with respect to the features is divided by its L1 norm
            and multiplied by the weight of the loss and of the layer. For each image of a batch on its own.

    Raises:
        ValueError: If there are no losses, a name contains a dot or is not that of a loss, or the encoder
            lacks a layer.

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

    Note:
        With `normalize_gradients` the gradient is no longer that of the terms, which stay the values of the
        losses; it does not follow factors of a term or of the total either. The total is no potential of it:
        a line search compares values that say little, L-BFGS learns from pairs that are no curvatures, and
        the total may rise. Strips take one more pass, for the norms.

    References:
        The option ``-normalize_gradients`` of Johnson, *neural-style*, 2015, which normalises the gradients
        of all losses at their layers. Here zero is handled without a constant in the denominator, and in a
        batch each image is on its own.
    """

    def __init__(
        self, encoder: Encoder, losses: Mapping[str, Loss], *, normalize_gradients: str | Sequence[str] = ()
    ) -> None:
        super().__init__()
        if not losses:
            raise ValueError("`losses` must have at least one loss, got none.")
        for name, loss in losses.items():
            if not isinstance(loss, Loss):
                raise TypeError(f"`losses` must hold losses, got a {type(loss).__name__} named {name!r}.")
            if not name or "." in name:
                raise ValueError(f"The names of `losses` must not be empty or contain a dot, got {name!r}.")
            encoder.check_layers([layer for layer in loss.layers if layer != IMAGE])
        names = (normalize_gradients,) if isinstance(normalize_gradients, str) else normalize_gradients
        check_loss_names("normalize_gradients", names, losses)
        self.normalize_gradients = tuple(names)
        self.encoder = encoder.requires_grad_(False).eval()
        self.losses = nn.ModuleDict(dict(losses))

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the images that the losses compare with."""
        return tuple(dict.fromkeys(loss.reference for _, loss in self.named_losses.items() if loss.reference))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder that the losses look at, each once."""
        layers = (layer for _, loss in self.named_losses.items() for layer in loss.layers)
        return tuple(dict.fromkeys(layer for layer in layers if layer != IMAGE))

    @torch.no_grad()
    def bind(self, references: References, *, strip_rows: int | None = None) -> Objective:
        """Represent the references once.

        Args:
            references: The images that the losses compare with, by name. In place of an image a
                list of ``(image, weight)`` blends several; the weights are divided by their sum.
                Further images are ignored.
            strip_rows: Compute the features of the references in strips of so many rows, for
                images that are too large for one pass; see :class:`~pystyle.encoders.StripPass`.

        Returns:
            The objective: a function of the image.

        Raises:
            ValueError: If a reference is missing, too small, not finite, or on another device than the
                encoder, or a loss that needs all positions at once is to be computed in strips.
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
        targets: dict[Key, tuple[Target, ...]] = {}
        for name in self.references:
            targets.update(self._targets(name, _blend(references[name], name), strip_rows))
        return Objective(
            self.encoder,
            tuple(
                Part(
                    f"{name}.{layer}",
                    loss.at(layer),
                    layer,
                    targets.get((name, layer), (Target(None),)),
                    normalizes=name in self.normalize_gradients,
                )
                for name, loss in self.named_losses.items()
                for layer in loss.layers
            ),
        )

    def _targets(
        self, reference: str, blend: list[tuple[Tensor, float]], strip_rows: int | None
    ) -> dict[Key, tuple[Target, ...]]:
        losses = [
            ((name, layer), loss.at(layer), layer)
            for name, loss in self.named_losses.items()
            for layer in loss.layers
            if loss.reference == reference
        ]
        layers = tuple(dict.fromkeys(layer for _, _, layer in losses if layer != IMAGE))
        found: dict[Key, list[tuple[Representation, float]]] = {}
        for image, weight in blend:
            check_image(image, f'references["{reference}"]', self.encoder, layers)
            check_finite(image, f'references["{reference}"]')
            # A copy: what a loss keeps must not change with the caller's image, nor know its graph.
            image = image.detach().clone()
            for view, parts, share in _views(image, losses):
                if view is not image:
                    seen = [layer for _, _, layer in parts if layer != IMAGE]
                    check_image(view, f'a view of references["{reference}"]', self.encoder, seen)
                for key, representation in represent(
                    self.encoder, view, parts, strip_rows=strip_rows
                ).items():
                    found.setdefault(key, []).append((representation, weight * share))
        return {key: _prepare(loss, found[key]) for key, loss, _ in losses}

    def extra_repr(self) -> str:
        """The arguments that are not modules and not the default."""
        return f"normalize_gradients={self.normalize_gradients}" if self.normalize_gradients else ""

    @property
    def named_losses(self) -> dict[str, Loss]:
        """The losses by name."""
        return {name: loss for name, loss in self.losses.items() if isinstance(loss, Loss)}


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


def _views(
    image: Tensor, losses: Sequence[tuple[Key, Loss, str]]
) -> list[tuple[Tensor, list[tuple[Key, Loss, str]], float]]:
    """The versions of an image that losses want to see, which losses those are, and the share of each."""
    unchanged: list[tuple[Key, Loss, str]] = []
    found = []
    for part in losses:
        views = part[1].views(image)
        if len(views) == 1 and views[0] is image:
            unchanged.append(part)
        else:
            found += [(view, [part], 1 / len(views)) for view in views]
    # Those that see the image as it is share one pass of the encoder.
    return [(image, unchanged, 1.0), *found] if unchanged else found


def _prepare(loss: Loss, representations: list[tuple[Representation, float]]) -> tuple[Target, ...]:
    """The targets of one layer: the mean of the representations, or what becomes of them if they are sets."""
    joined: Sequence[tuple[Representation, float]] = representations
    if loss.spatial == "set":
        joined = loss.join(representations)
    elif len(representations) > 1:
        joined = [(_mean(representations), 1.0)]
    targets = []
    for representation, weight in joined:
        target = loss.prepare(representation)
        magnitude = None
        if loss.relative:
            magnitude = loss.magnitude(representation, target)
            # A target that is empty itself, such as a layer of dead channels, has nothing to be divided by.
            magnitude = torch.where(magnitude > 1e-12, magnitude, torch.ones_like(magnitude))
        targets.append(Target(target, weight, magnitude))
    return tuple(targets)


def _mean(representations: list[tuple[Representation, float]]) -> Representation:
    weights = [weight for _, weight in representations]

    def weighted(tensors: Sequence[Tensor]) -> Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise ValueError(
                f"Blended references must fit each other, got {shapes}. Give them the same size."
            )
        return torch.stack([w * t for w, t in zip(weights, tensors, strict=True)]).sum(0)

    mean: Representation = combine([representation for representation, _ in representations], weighted)
    return mean
