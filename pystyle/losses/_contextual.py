from collections.abc import Mapping, Sequence

from torch import Tensor

from pystyle._arguments import number
from pystyle.functional import contextual_similarity
from pystyle.losses._loss import Loss


class ContextualLoss(Loss):
    """The negative logarithm of the contextual similarity: does each feature of the reference have a match?

    Unlike nearest neighbours of the image's features, it wants all of the reference to appear somewhere,
    and it counts a match only if it is clearly better than the alternatives.

    Args:
        layers: One layer or several; the paper takes relu3_2 and relu4_2.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the logarithm of the number of the reference's positions, which is the loss
            of an image that is the same everywhere.
        reference: The name of the image to compare with. With ``"content"`` it is the content loss of
            the paper, which does not ask for the same positions.
        bandwidth: How much worse than the best match still counts as one, relative to the best; h in
            the paper.

    Raises:
        ValueError: If `bandwidth` is not positive.

    Example:
        >>> ContextualLoss(["relu3_2", "relu4_2"], bandwidth=0.2)
        ContextualLoss(['relu3_2', 'relu4_2'], bandwidth=0.2)

    Note:
        All positions of both images count. The authors' code draws 65 x 65 of each. The time grows with
        the square of the number of positions, the memory does not; see
        :func:`~pystyle.functional.contextual_similarity`, also for other departures.

    References:
        Mechrez, Talmi, Zelnik-Manor. *The contextual loss for image transformation with non-aligned
        data*. ECCV 2018, equation 5.
    """

    reference = "style"
    spatial = "set"
    independent_positions = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        bandwidth: float = 0.5,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        self.bandwidth = number(bandwidth, "`bandwidth`", above=0)

    def represent(self, features: Tensor) -> Tensor:
        """The feature vectors, (batch, channels, positions)."""
        return features.flatten(2)

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The negative logarithm of the similarity, averaged over the batch."""
        return -contextual_similarity(representation, target, bandwidth=self.bandwidth).log().mean()

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return super().extra_repr() + ("" if self.bandwidth == 0.5 else f", bandwidth={self.bandwidth:g}")
