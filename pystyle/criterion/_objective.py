from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pystyle.criterion._checks import check_image, check_loss_names
from pystyle.criterion._gradient_norms import normalize_gradient
from pystyle.criterion._represent import (
    encode,
    inputs_of,
    positions,
    representation_of,
    representation_of_maps,
)
from pystyle.criterion._terms import Terms
from pystyle.encoders import Encoder
from pystyle.losses import LayerMask, Loss
from pystyle.losses._representation import changed, image_of_batch, tensors_of
from pystyle.losses._sampling import rewinding
from pystyle.typing import IMAGE, Representation


@dataclass(frozen=True, eq=False)
class Target:
    """What one loss compares one layer with.

    Attributes:
        value: The prepared representation of the reference; None for a loss without reference.
        weight: Its share; the shares of one layer sum to one. Only sets and batches have several targets.
        magnitude: What the comparison is divided by; None if it is not relative.
        image: The index of the image that is compared with it, where each image of a batch has references of
            its own; None for all images.
        origin: What was subtracted from the features of the reference, and is from those of the image; the
            same for all targets of a layer. See ``shift_invariant``.
    """

    value: Any
    weight: float = 1.0
    magnitude: Tensor | None = None
    image: int | None = None
    origin: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """One loss at one layer, with its targets.

    Attributes:
        name: That of its term, such as ``style.relu3_1``.
        loss: The loss.
        layer: The layer.
        targets: What the layer is compared with.
        factors: What the weight is multiplied by.
        normalizes: Whether the gradient at the layer is as long as the weight.
        mask: Where the region is that the loss is confined to.
    """

    name: str
    loss: Loss
    layer: str
    targets: tuple[Target, ...]
    factors: tuple[float | Tensor, ...] = ()
    normalizes: bool = False
    mask: LayerMask | None = None

    @property
    def loss_name(self) -> str:
        """The name of the loss, such as ``style``."""
        return self.name.partition(".")[0]

    def inputs(self, encoder: Encoder) -> tuple[str, ...]:
        """Of what the loss gets the features: its layer, or the maps that are joined to it."""
        # The gradient has the length of the weight at the layer, not at the maps.
        return (self.layer,) if self.normalizes else inputs_of(encoder, self.loss, self.layer)

    def value(self, *features: Tensor) -> Tensor:
        """The weighted loss of these features: those of the layer, or of the maps that are joined to it."""
        if len(features) > 1:
            with self._named_errors():
                representation = representation_of_maps(self.loss, features)
            return self.score(representation, features[0].shape[0])
        (own,) = (self.normalized(features[0]),) if self.normalizes else features
        return self.score(self.represent(own), own.shape[0])

    def represent(self, features: Tensor) -> Representation:
        """What counts in these features."""
        with self._named_errors():
            if self.mask is not None and positions(self.mask.mask) != positions(features):
                raise ValueError(
                    f"The layer has {positions(features)} positions, the mask of the region "
                    f"{self.loss.region!r} {positions(self.mask.mask)}. Give the image the size of the "
                    "content with the masks."
                )
            return representation_of(self.loss, features, self.mask, self.targets[0].origin)

    def score(self, representation: Any, batch: int) -> Tensor:
        """The weighted loss of a representation of so many images."""
        with self._named_errors():
            values = self._comparisons(representation, batch)
        value = self.loss.weight * self.loss.layer_weights[self.layer] * torch.stack(values).sum()
        for factor in self.factors:
            value = value * (factor.to(value) if isinstance(factor, Tensor) else factor)
        return value

    def normalized(self, features: Tensor, norms: Tensor | None = None) -> Tensor:
        """The features, at which the gradient of this part gets an L1 norm of the weight."""
        length: float | Tensor = abs(self.loss.weight * self.loss.layer_weights[self.layer])
        for factor in self.factors:
            length = length * factor
        return normalize_gradient(features, length, norms)

    def rows(self, start: int, stop: int, height: int) -> "Part":
        """The same loss for some rows of a layer of this height."""
        mask = self.mask and self.mask.rows(start, stop)
        if self.loss.spatial != "dense":
            return replace(self, mask=mask)
        targets = [
            replace(target, value=self._rows(target.value, start, stop, height)) for target in self.targets
        ]
        return replace(self, targets=tuple(targets), mask=mask)

    def _rows(self, value: Any, start: int, stop: int, height: int) -> Any:
        if value is None:
            return None
        for tensor in tensors_of(value):
            if tensor.shape[-2] != height:
                raise ValueError(
                    f"The loss {self.name!r} cannot be computed. The layer has {height} rows, its reference "
                    f"{tensor.shape[-2]}. Give the image and its reference the same size."
                )
        return changed(value, lambda tensor: tensor[..., start:stop, :])

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise ValueError(f"The loss {self.name!r} cannot be computed. {error}") from error

    def _comparisons(self, representation: Any, batch: int) -> list[Tensor]:
        count = 1 + max(target.image or 0 for target in self.targets)
        if count not in (1, batch):
            raise ValueError(
                f"There must be one image for each of {count} images of its references, got {batch}. Give "
                "batches of the same size, or references of a single image."
            )
        # A loss that draws at random draws the same for each image, as if it were alone.
        rewind = rewinding(self.loss.generators())
        values, last = [], self.targets[0].image
        for target in self.targets:
            if target.image != last:
                last = target.image
                rewind()
            values.append(self._compare(representation, target, batch))
        return values

    def _compare(self, representation: Any, target: Target, batch: int) -> Tensor:
        if target.image is not None:
            representation, batch = image_of_batch(representation, target.image), 1
        value = target.weight * self.loss.compare(representation, expand_batch(target.value, batch))
        return value if target.magnitude is None else value / target.magnitude


class Objective:
    """A criterion with its references: a function of the image, and nothing else.

    It comes from :meth:`pystyle.Criterion.bind` and never changes.

    Args:
        encoder: The encoder.
        parts: The losses at their layers, with their targets.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, TotalVariationLoss
        >>> from pystyle.encoders import vgg19
        >>> objective = Criterion(vgg19(weights=None), {"smoothness": TotalVariationLoss()}).bind({})
        >>> objective(torch.zeros(1, 3, 8, 8))
        smoothness.image  0
        total             0
    """

    def __init__(self, encoder: Encoder, parts: tuple[Part, ...]) -> None:
        self.encoder = encoder
        self.parts = parts

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder that are needed, each once."""
        return tuple(dict.fromkeys(part.layer for part in self.parts if part.layer != IMAGE))

    def weighted(self, factors: Mapping[str, float | Tensor]) -> "Objective":
        """The same objective with other weights; the targets are shared.

        Args:
            factors: What the weights of losses are multiplied by, by the names of the losses. A scalar tensor
                is read anew at each evaluation, so that whoever holds it may fill it in between. Weights
                that were multiplied before are multiplied again.

        Raises:
            ValueError: If there is no loss of such a name.

        Example:
            >>> import torch
            >>> from pystyle import Criterion, ValueRangeLoss
            >>> from pystyle.encoders import vgg19
            >>> objective = Criterion(vgg19(weights=None), {"range": ValueRangeLoss()}).bind({})
            >>> image = torch.full((1, 3, 8, 8), 2.0)
            >>> float(objective.weighted({"range": 0.5})(image).total / objective(image).total)
            0.5
        """
        check_loss_names("factors", factors, (part.loss_name for part in self.parts))
        parts = (
            replace(part, factors=(*part.factors, factors[part.loss_name]))
            if part.loss_name in factors
            else part
            for part in self.parts
        )
        return Objective(self.encoder, tuple(parts))

    def __call__(self, image: Tensor) -> Terms:
        """The terms of the image, which add up to ``.total``.

        Args:
            image: One image or a batch; references are repeated along the batch.

        Returns:
            The weighted terms by name.

        Raises:
            ValueError: If the image is too small, on another device than the encoder, or of
                another size than the reference of a loss that compares positions.
            TypeError: If the image is not of the encoder's floating-point type.

        Shape:
            - image: (batch, 3, height, width), RGB in [0, 1]
        """
        self.check(image)
        inputs = [part.inputs(self.encoder) for part in self.parts]
        features = encode(self.encoder, image, [name for names in inputs for name in names])
        return Terms(
            {
                part.name: part.value(*(features[name] for name in names))
                for part, names in zip(self.parts, inputs, strict=True)
            }
        )

    def check(self, image: Tensor) -> None:
        """Check that the encoder can take the image.

        Raises:
            ValueError: If the image is too small or on another device than the encoder.
            TypeError: If it is not of the encoder's floating-point type.
        """
        check_image(image, "image", self.encoder, self.layers)


def expand_batch(value: Any, batch: int) -> Any:
    """The target with its batch axis repeated to the size of the batch."""
    if isinstance(value, Tensor):
        return value.expand(batch, *value.shape[1:]) if value.ndim and value.shape[0] == 1 else value
    if isinstance(value, tuple):
        items = [expand_batch(item, batch) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
