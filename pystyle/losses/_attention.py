from typing import NamedTuple

from torch import Tensor

from pystyle.functional import attention_features, mean_squared_error
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss


class _Weighted(NamedTuple):
    """Features, and how much each position counts."""

    features: Tensor
    weights: Tensor


class AttentionLoss(Loss):
    """The mean squared difference to features of the content in the statistics of the style it attends to.

    Each position of the content looks for the positions of the style whose normalised features are like its
    own, and takes over their mean and deviation. So a sky gets the statistics of a painted sky, with no masks
    and nothing to be learnt. The target is made of both references once, before the run.

    Args:
        layers: One layer or several. Layers as one come from :class:`~pystyle.encoders.HypercolumnEncoder`.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The names of the content and of the style, if they are others.

    Raises:
        ValueError: If `reference` does not name two images.

    Shape:
        The image and the content must have the same size; the style may have another.

    Example:
        >>> AttentionLoss("relu4_1", weight=3.0)
        AttentionLoss('relu4_1', weight=3)

    Note:
        Each layer attends by its own features; the paper joins those of all layers before it, resized. It
        takes the layers relu3_1, relu4_1 and relu5_1. Of several styles each makes a target of its own, and
        the loss is the weighted mean of the distances to them. Of all pairs of positions only some are
        compared at a time, but all are: the time grows with the fourth power of the side.

    References:
        Liu et al. *AdaAttN: revisit attention mechanism in arbitrary neural style transfer*. ICCV 2021,
        section 3.3 (local feature loss); see :func:`~pystyle.functional.attention_features`.
    """

    reference = ("content", "style")
    spatial = "dense"

    def represent(self, features: Tensor) -> _Weighted:
        """The features, all positions of which count alike."""
        return _Weighted(features, features.new_ones(1, 1, *features.shape[2:]))

    def represent_within(self, features: Tensor, mask: LayerMask) -> _Weighted:
        """The features, and how much each position counts in the region."""
        return _Weighted(features, mask.weights.to(features))

    def prepare(self, content: _Weighted, style: _Weighted) -> _Weighted:  # type: ignore[override]
        """The content in the statistics of the style, and how much each of its positions counts."""
        target = attention_features(
            content.features, style.features, content_weights=content.weights, style_weights=style.weights
        )
        return _Weighted(target, content.weights)

    def compare(self, representation: _Weighted, target: _Weighted) -> Tensor:
        """The mean squared difference to the target."""
        return mean_squared_error(representation.features, target.features, target.weights)
