from torch import Tensor

from pystyle.functional import quantile_distance
from pystyle.losses._loss import Loss


class HistogramLoss(Loss):
    """The mean squared difference to features with the histograms of the target, per channel.

    It says how often each value of a channel occurs and nothing about which channels go together.
    The paper adds it to a Gram loss, whose results otherwise vary in contrast.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The name of the image to compare with.

    Example:
        >>> HistogramLoss(["relu1_1", "relu4_1"], weight=0.5)
        HistogramLoss(['relu1_1', 'relu4_1'], weight=0.5)

    Note:
        The histograms are matched exactly, by sorting; the paper takes bins. So the loss is the
        squared Wasserstein-2 distance of the values of each channel: a sliced distance along the
        axes. If image and reference differ in size it exceeds the mean squared error to
        :func:`~pystyle.functional.histogram_match` by a constant.

    References:
        Risser, Wilmot, Barnes. *Stable and controllable neural texture synthesis and style
        transfer using histogram losses*. 2017.
    """

    reference = "style"
    spatial = "set"
    independent_positions = True

    def represent(self, features: Tensor) -> Tensor:
        """The values of each channel in ascending order, (batch, channels, positions)."""
        return features.flatten(2).sort(dim=2).values

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The distance to the target, averaged over channels and batch."""
        return quantile_distance(representation, target).mean()
