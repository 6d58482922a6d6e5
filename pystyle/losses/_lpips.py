import copy
from collections.abc import Mapping, Sequence
from typing import Literal, Self, cast

from torch import Tensor

from pystyle.functional import mean_squared_error, unit_vectors
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._lpips_heads import NETWORKS, published_heads


class LPIPSLoss(Loss):
    r"""The perceptual distance LPIPS: the difference of directions of features, with learnt weights.

    .. math:: \sum_l \operatorname{mean}_p \sum_c w_{lc} \left( \hat F_{lpc} - \hat T_{lpc} \right)^2

    of the features F and T, divided at each position by their length. As a content loss it holds what people
    see rather than the activations themselves, and its weight means the same for every image.

    The published weights fit :func:`pystyle.encoders.vgg16` and :func:`pystyle.encoders.alexnet` with the
    weights of torchvision, and no other network. Beside another encoder use
    ``MultiEncoder({"style": vgg19(), "judge": vgg16()})`` and the layers ``"judge.relu1_2"`` and so on.

    Args:
        heads: ``"vgg16"`` or ``"alexnet"`` for the published weights, which need the extra ``metrics``; or
            the weights of the channels of each layer, by layer.
        layers: The layers; all that have weights if not given. A name may have a prefix, as the layers of a
            :class:`~pystyle.encoders.MultiEncoder` do.
        weight: Factor of the loss.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If `heads` is unknown, no vector or negative, or has no weights for a layer.
        ImportError: If the published weights are not installed.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> import torch
        >>> LPIPSLoss({"relu1_1": torch.ones(64), "relu2_1": torch.ones(128)}, weight=2.0)
        LPIPSLoss(['relu1_1', 'relu2_1'], weight=2)

    Note:
        The metric shifts and scales images in [-1, 1]; for images in [0, 1] this is the normalisation of
        torchvision's networks, which the encoders have inside. Lengths have 1e-8 under the root, so that the
        gradient is finite where all channels are 0.

    References:
        Zhang, Isola, Efros, Shechtman, Wang. *The unreasonable effectiveness of deep features as a
        perceptual metric*. CVPR 2018, equation 1; the weights are its authors', version 0.1.
    """

    reference = "content"
    spatial = "dense"

    def __init__(
        self,
        heads: Literal["alexnet", "vgg16"] | Mapping[str, Tensor] = "vgg16",
        *,
        layers: Sequence[str] | None = None,
        weight: float = 1.0,
        reference: str | None = None,
    ) -> None:
        known = _known_heads(heads)
        names = (layers,) if isinstance(layers, str) else tuple(known if layers is None else layers)
        super().__init__(names, weight=weight, layer_weights=dict.fromkeys(names, 1.0), reference=reference)
        for index, layer in enumerate(names):
            self.register_buffer(f"head_{index}", _head_of(layer, known))

    def at(self, layer: str) -> Self:
        """The loss of one layer, with the weights of its channels."""
        if self.layers == (layer,):
            return self
        own = copy.copy(self)
        own.layers, own.layer_weights = (layer,), {layer: self.layer_weights[layer]}
        own._buffers = {"head_0": self.get_buffer(f"head_{self.layers.index(layer)}")}
        return own

    def represent(self, features: Tensor) -> Tensor:
        """The features divided by their length at each position."""
        return unit_vectors(features)

    def represent_within(self, features: Tensor, mask: LayerMask) -> Tensor:
        """The same, times what makes the mean of the squares that of the region."""
        return self.represent(features) * mask.weights.sqrt()

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The weighted squared difference, averaged over the positions. It is that of a single layer."""
        if len(self.layers) > 1:
            raise ValueError(
                f"The layers {self.layers} have different weights: compare with `loss.at(layer)`."
            )
        head = cast(Tensor, self.head_0)
        if representation.shape[1] != len(head):
            raise ValueError(
                f"The layer {self.layers[0]!r} must have {len(head)} channels for these `heads`, "
                f"got {representation.shape[1]}. Take the encoder that they were learnt with."
            )
        weights = head.reshape(1, -1, *(1,) * (representation.ndim - 2))
        return len(head) * mean_squared_error(representation, target, weights)

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        parts = [repr(list(self.layers))]
        if self.weight != 1:
            parts.append(f"weight={self.weight:g}")
        if self.reference != type(self).reference:
            parts.append(f"reference={self.reference!r}")
        return ", ".join(parts)


def _known_heads(heads: str | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if isinstance(heads, Mapping):
        return heads
    if heads not in NETWORKS:
        raise ValueError(f"`heads` must be one of {NETWORKS} or map layers to weights, got {heads!r}.")
    return published_heads(heads)


def _head_of(layer: str, heads: Mapping[str, Tensor]) -> Tensor:
    name = layer if layer in heads else layer.rpartition(".")[2]
    if name not in heads:
        raise ValueError(
            f"`heads` must have weights for every layer, got none for {layer!r} in {list(heads)}."
        )
    head = heads[name].detach().clone()
    if head.ndim != 1 or not bool((head >= 0).all()):
        raise ValueError(
            f"`heads` must map {name!r} to a vector of weights that are not negative, "
            f"got the shape {tuple(head.shape)}"
            + (f" with {float(head.min()):g}." if head.ndim == 1 else ".")
        )
    return head
