import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from pystyle.functional import gram_matrix, mean_squared_error
from pystyle.losses import Loss


class AugmentedGramLoss(Loss):
    """The mean squared differences of the Gram matrices of masked features, summed over regions.

    It has masks for each layer, rather than one region, because they get there in another way than those of
    :meth:`pystyle.Loss.within`.

    Args:
        image_masks: The masks of the image, all regions as channels, for each layer.
        style_masks: The masks of the reference in the same order, for each layer.
        normalized: Divide the matrices by channels, positions and the area of the region, and weigh each
            region by its area in the image. If not, they are bare sums and count alike.
        weight: Factor of each layer.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If the layers of both differ.

    Shape:
        - image_masks, style_masks: (1, regions, height, width) of each layer's features

    Example:
        >>> masks = {"relu1_1": torch.ones(1, 2, 8, 8) / 2}
        >>> AugmentedGramLoss(masks, masks, weight=100.0)
        AugmentedGramLoss('relu1_1', weight=100)
    """

    reference = "style"
    spatial = "set"

    def __init__(
        self,
        image_masks: Mapping[str, Tensor],
        style_masks: Mapping[str, Tensor],
        *,
        normalized: bool = True,
        weight: float = 1.0,
        reference: str | None = None,
    ) -> None:
        layers = tuple(image_masks)
        super().__init__(layers, weight=weight, layer_weights=[1.0] * len(layers), reference=reference)
        if set(style_masks) != set(layers):
            raise ValueError(f"`style_masks` must have the layers {layers}, got {tuple(style_masks)}.")
        self.normalized = normalized
        self._layer = layers[0]
        for index, layer in enumerate(layers):
            self.register_buffer(f"_image_{index}", image_masks[layer].detach().clone())
            self.register_buffer(f"_style_{index}", style_masks[layer].detach().clone())

    def at(self, layer: str) -> "AugmentedGramLoss":
        """The loss with the masks of one layer."""
        own = copy.copy(self)
        own._layer = layer
        return own

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def prepare(self, representation: Tensor) -> Tensor:
        """The Gram matrices of the reference's regions, (batch, regions, channels, channels)."""
        return self._grams(representation, self._masks("style"))

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The sum over the regions, averaged over the batch."""
        masks = self._masks("image")
        found = self._grams(representation, masks)
        areas = masks.mean((0, 2, 3)) if self.normalized else masks.new_ones(masks.shape[1])
        values = [mean_squared_error(found[:, region], target[:, region]) for region in range(len(areas))]
        return (torch.stack(values) * areas.to(found)).sum()

    def _masks(self, of: str) -> Tensor:
        masks: Tensor = self.get_buffer(f"_{of}_{self.layers.index(self._layer)}")
        return masks

    def _grams(self, features: Tensor, masks: Tensor) -> Tensor:
        if masks.shape[2:] != features.shape[2:]:
            raise ValueError(
                f"The masks must have the size of the features, {tuple(features.shape[2:])}, got "
                f"{tuple(masks.shape[2:])}. Make them of masks of the image's size with `layer_masks`."
            )
        grams = []
        for region in range(masks.shape[1]):
            mask = masks[:, region : region + 1]
            gram = gram_matrix(
                features * mask.to(features), normalization="chw" if self.normalized else "none"
            )
            # A region that is gone in this layer has a matrix of zeros, and no area to divide by.
            area = mask.mean().to(gram)
            grams.append(gram / torch.where(area > 0, area, 1) if self.normalized else gram)
        return torch.stack(grams, dim=1)
