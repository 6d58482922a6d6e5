from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from pystyle.functional import mean_absolute_error, mean_squared_error, scaled_squared_error
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.typing import Spatial

_DISTANCES = {"mse": mean_squared_error, "l1": mean_absolute_error, "scaled_mse": scaled_squared_error}


class ContentLoss(Loss):
    """The difference of the features themselves, squared unless asked otherwise.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the distance of an all-zero map: the mean square of the target, its
            mean absolute value, or their ratio.
        reference: The name of the image to compare with.
        distance: ``"mse"``: the mean of the squares. ``"l1"``: the mean of the absolute values,
            which forgives a few large differences. ``"scaled_mse"``: the squares divided by the
            absolute values, whose gradient is as large near the content as far from it.

    Raises:
        ValueError: If `distance` is unknown.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> ContentLoss("relu4_2", weight=5.0)
        ContentLoss('relu4_2', weight=5)

    Note:
        The paper writes half the sum of squares (equation 1); its authors' code takes the mean,
        as here.

    References:
        Gatys, Ecker, Bethge. *Image style transfer using convolutional neural networks*. CVPR 2016.
        For the scaled distance see :func:`~pystyle.functional.scaled_squared_error`.
    """

    reference = "content"
    spatial: Spatial = "dense"
    aligned = True
    can_wrap = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        distance: Literal["mse", "l1", "scaled_mse"] = "mse",
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        if distance not in _DISTANCES:
            raise ValueError(f"`distance` must be 'mse', 'l1' or 'scaled_mse', got {distance!r}.")
        self.distance = distance
        if distance == "scaled_mse":
            # A ratio of two sums is no mean over positions.
            self.spatial = "set"

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The features times what makes their distance that of the region."""
        if self.distance == "scaled_mse":
            return mask.select(features)
        return features * (mask.weights if self.distance == "l1" else mask.weights.sqrt())

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The distance to the target."""
        return _DISTANCES[self.distance](representation, target)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        distance = "" if self.distance == "mse" else f", distance={self.distance!r}"
        return super().extra_repr() + distance
