from collections.abc import Mapping

from torch import Tensor

from pystyle.encoders import Encoder, propagate_mask
from pystyle.encoders._masks import dilated
from pystyle.losses import LayerMask, Loss
from pystyle.typing import IMAGE


class Masks:
    """The masks of one image at the layers, each computed once.

    Args:
        encoder: The encoder.
        masks: The masks by the names of their regions; none at all for an image that counts as a whole.
        name: How errors call the image.
    """

    def __init__(self, encoder: Encoder, masks: Mapping[str, Tensor], name: str) -> None:
        self._encoder = encoder
        self._masks = masks
        self._name = name
        self._found: dict[tuple[str, str, int, str, tuple[int, int]], LayerMask | None] = {}

    def at(self, loss: Loss, layer: str, size: tuple[int, int]) -> LayerMask | None:
        """The mask of a loss at a layer of this size; None where it sees the whole image.

        Raises:
            ValueError: If the image has masks, but not that of the loss, or nothing is left of it.
        """
        if loss.region is None or not self._masks:
            return None
        if loss.region not in self._masks:
            raise ValueError(
                f"{self._name} must have a mask of the region {loss.region!r}, got "
                f"{', '.join(map(repr, self._masks))}."
            )
        key = (loss.region, loss.propagation, loss.dilation, layer, size)
        if key not in self._found:
            self._found[key] = self._layer_mask(loss, layer, size)
        return self._found[key]

    def _layer_mask(self, loss: Loss, layer: str, size: tuple[int, int]) -> LayerMask | None:
        mask = self._masks[str(loss.region)]
        if layer == IMAGE:
            mask = dilated(mask, loss.dilation)
        else:
            mask = propagate_mask(
                self._encoder, layer, mask, size, method=loss.propagation, dilation=loss.dilation
            )
        if not bool((mask > 0).any()):
            raise ValueError(
                f"The region {loss.region!r} of {self._name} must not be empty at {layer!r}, whose positions "
                f"see {self._encoder.receptive_field(layer)} pixels each: with {loss.propagation!r} none is "
                'left. Use `propagation="simple"`, an earlier layer or a larger region.'
            )
        # Ones everywhere are no mask: the same numbers, bit by bit.
        return None if bool((mask == 1).all()) else LayerMask.of(mask)
