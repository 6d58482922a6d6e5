from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from pystyle.functional import mean_squared_error
from pystyle.typing import Representation, Spatial


class Loss(nn.Module, ABC):
    """A loss: a representation of features, and a comparison of two representations.

    A subclass gives :meth:`represent`, and :meth:`compare` where the mean squared error is not
    what it wants. It holds its hyper-parameters and no target: a
    :class:`~pystyle.Criterion` represents the references and keeps them.

    Attributes:
        reference: The name of the image it compares with, such as ``"style"``; None if it judges
            the image alone.
        spatial: How the representation depends on positions. ``"pooled"``: a mean over positions,
            so that the parts of an image add up and styles blend. ``"dense"``: something per
            position, of whose scores the loss is the mean. ``"set"``: it needs all positions at once.

    Args:
        layers: One layer or several; ``"image"`` is the image itself.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer, in the order of `layers` or by name. They are taken
            as they are; if not given, they are equal and sum to one.
        relative: Divide each layer's loss by that of an empty (all zero) representation. A weight
            then means the same for every encoder, layer and image size.
        reference: Compare with the image of this name instead of the usual one.

    Raises:
        ValueError: If there are no layers, a layer twice, or a layer without a weight.

    Example:
        >>> class MeanLoss(Loss):
        ...     reference, spatial = "style", "pooled"
        ...     def represent(self, features):
        ...         return features.mean((2, 3))
        >>> MeanLoss(["relu1_1", "relu2_1"], weight=2.0).layer_weights
        {'relu1_1': 0.5, 'relu2_1': 0.5}
    """

    reference: str | None = "style"
    spatial: Spatial

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
    ) -> None:
        super().__init__()
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        self.weight = float(weight)
        self.layer_weights = _weights_by_layer(self.layers, layer_weights)
        self.relative = relative
        if reference is not None:
            if type(self).reference is None:
                raise ValueError(
                    f"{type(self).__name__} compares with nothing; leave out `reference`={reference!r}."
                )
            self.reference = reference
        if relative and self.reference is None:
            raise ValueError(
                f"{type(self).__name__} compares with nothing; `relative` has no meaning for it."
            )

    def at(self, layer: str) -> "Loss":
        """The loss of one of its layers: itself, unless every layer has parameters of its own.

        A criterion asks for it when it is bound, and gives it features of this layer only.
        """
        del layer
        return self

    @abstractmethod
    def represent(self, features: Tensor) -> Representation:
        """What counts in the features of one layer.

        Shape:
            - features: (batch, channels, height, width)
            - output: one tensor or a (named) tuple of tensors, the batch axis first; a scalar if
              `reference` is None
        """

    def views(self, image: Tensor) -> Sequence[Tensor]:
        """The versions of a reference image that are represented: the image itself.

        A loss that wants to see the reference turned or in other sizes too gives several. Those of a
        ``"set"`` are handed to :meth:`join`, others are averaged.

        Shape:
            - image: (batch, 3, height, width), RGB in [0, 1]; or a mask, which has one channel
        """
        return (image,)

    def join(self, representations: Sequence[tuple[Any, float]]) -> Sequence[tuple[Any, float]]:
        """The sets that an image is compared with, and the weights of the comparisons.

        Only called if `spatial` is ``"set"``, with the sets of all reference images and views of them,
        and their weights, which sum to one. They stay apart unless a loss joins them: one that looks for
        the best match among all takes their union.
        """
        return representations

    def prepare(self, representation: Any) -> Any:
        """What :meth:`compare` gets as its target; computed once, after styles were blended.

        The place for work on the target that should not be done again at every step.
        """
        return representation

    def compare(self, representation: Any, target: Any) -> Tensor:
        """The loss of a representation: a scalar, averaged over the batch.

        The mean squared error by default, summed over the tensors of the representation.
        """
        if target is None:
            return cast(Tensor, representation)
        if isinstance(representation, Tensor):
            return mean_squared_error(representation, target)
        return torch.stack(
            [mean_squared_error(*pair) for pair in zip(representation, target, strict=True)]
        ).sum()

    def magnitude(self, representation: Any, target: Any) -> Tensor:
        """What a relative loss is divided by: the comparison of an empty representation with the target.

        Args:
            representation: That of the reference, which gives the shape.
            target: What :meth:`prepare` made of it.
        """
        return self.compare(_empty(representation), target)

    def generators(self) -> Sequence[torch.Generator]:
        """The generators that it goes on drawing from: none.

        A loss that makes other random choices at each evaluation names them, so that a checkpoint can
        keep their states.
        """
        return ()

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        layers = repr(self.layers[0]) if len(self.layers) == 1 else repr(list(self.layers))
        parts = [layers]
        if self.weight != 1:
            parts.append(f"weight={self.weight:g}")
        if self.layer_weights != _weights_by_layer(self.layers, None):
            parts.append(f"layer_weights={list(self.layer_weights.values())}")
        if self.relative:
            parts.append("relative=True")
        if self.reference != type(self).reference:
            parts.append(f"reference={self.reference!r}")
        return ", ".join(parts)


def _empty(representation: Any) -> Any:
    if isinstance(representation, Tensor):
        return torch.zeros_like(representation)
    items = [torch.zeros_like(tensor) for tensor in representation]
    return type(representation)(*items) if hasattr(representation, "_fields") else tuple(items)


def _weights_by_layer(
    layers: tuple[str, ...], weights: Sequence[float] | Mapping[str, float] | None
) -> dict[str, float]:
    if not layers:
        raise ValueError("`layers` must name at least one layer, got none.")
    if len(set(layers)) < len(layers):
        raise ValueError(f"`layers` must name each layer once, got {list(layers)}.")
    if weights is None:
        return dict.fromkeys(layers, 1.0 / len(layers))
    if not isinstance(weights, Mapping):
        if len(weights) != len(layers):
            raise ValueError(
                f"`layer_weights` must have one weight for each of {len(layers)} layers, got {len(weights)}."
            )
        weights = dict(zip(layers, weights, strict=True))
    if set(weights) != set(layers):
        raise ValueError(f"`layer_weights` must have the layers {list(layers)}, got {list(weights)}.")
    return {layer: float(weights[layer]) for layer in layers}
