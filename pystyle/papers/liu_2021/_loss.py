import copy
from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

from pystyle._arguments import check_mapping, whole_number
from pystyle.functional import mean_squared_error
from pystyle.losses import Loss
from pystyle.losses._sampling import Draws
from pystyle.networks import KeysAndValues, instance_normalization
from pystyle.papers.liu_2021._attention import attended_moments


class LocalFeatureLoss(Loss):
    """The mean squared difference to features of the content with the moments of what they attend to.

    It differs from :class:`~pystyle.AttentionLoss` in what positions are told by: the features of several
    layers, of which the first alone is compared. They come from a group of a
    :class:`~pystyle.encoders.HypercolumnEncoder`.

    Args:
        layers: One group or several, in which the layer that is compared comes first.
        channels: How many channels that layer has, for each group.
        weight: Factor of the whole loss.
        layer_weights: Factor of each group; equal and summing to one if not given.
        relative: Divide by the mean square of the target.
        reference: The names of the content and of the style, if they are others.
        max_keys: The most positions of the style that are looked at, chosen at random.
        seed: Of that choice, which is another one each time that a criterion is bound.

    Raises:
        ValueError: If a group has no number of channels, or a number is not positive.

    Shape:
        The image and the content must have the same size; the style may have another.

    Example:
        >>> LocalFeatureLoss("relu2_1_and_before", channels={"relu2_1_and_before": 128}, weight=3.0)
        LocalFeatureLoss('relu2_1_and_before', weight=3)

    References:
        Liu et al. *AdaAttN: revisit attention mechanism in arbitrary neural style transfer*. ICCV 2021,
        section 3.3.
    """

    reference = ("content", "style")
    # The mean and the deviation are those of all positions.
    spatial = "set"

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        channels: Mapping[str, int],
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: Sequence[str] | None = None,
        max_keys: int = 64 * 64,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        check_mapping(channels, "`channels`", '{"relu2_1_and_before": 128}')
        missing = [layer for layer in self.layers if layer not in channels]
        if missing:
            raise ValueError(f"`channels` must have a number for each layer, got none for {missing[0]!r}.")
        self.channels = {layer: whole_number(channels[layer], "`channels`", least=1) for layer in self.layers}
        self.max_keys = whole_number(max_keys, "`max_keys`", least=1)
        self.compared = self.channels[self.layers[0]]
        self._draws = Draws(seed, resample=True)

    def at(self, layer: str) -> Self:
        """The loss of one group, which knows how many of its channels are compared."""
        own = copy.copy(self)
        own.compared = self.channels[layer]
        return own

    def represent(self, features: Tensor) -> Tensor:
        """The features of all layers of the group."""
        return features

    def prepare(self, content: Tensor, style: Tensor) -> Tensor:  # type: ignore[override]
        """The features of the first layer of the content, with the moments of what they attend to."""
        seen = KeysAndValues(instance_normalization(style).flatten(2), style[:, : self.compared].flatten(2))
        count = seen.keys.shape[2]
        if count > self.max_keys:
            drawn = torch.randperm(count, generator=self._draws.generator(), device="cpu")
            places = drawn[: self.max_keys]
            seen = KeysAndValues(*(tensor[..., places.to(tensor.device)] for tensor in seen))
        mean, deviation = attended_moments(instance_normalization(content), seen)
        return deviation * instance_normalization(content[:, : self.compared]) + mean

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The mean squared difference of the first layer to the target."""
        return mean_squared_error(representation[:, : self.compared], target)

    def generators(self) -> Sequence[torch.Generator]:
        """The generator that positions are chosen with."""
        return self._draws.running
