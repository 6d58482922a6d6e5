from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from pystyle.encoders import WHOLE_IMAGE, Encoder, LayerGeometry
from pystyle.functional._precision import at_least_float32
from pystyle.losses import Loss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.wang_2023._network import MicroASTNetwork

LAYER = "signals"
_MIXED_SHARE = 4
"""A quarter of the signals are the moments of the first depth."""


class SignalEncoder(Encoder):
    """The signals that a network extracts from an image, as the features of an encoder.

    The network stays what it is: its weights belong neither to this encoder nor to what it is part of, and
    are not frozen. So the signals are always those of the network as it is by now.

    Args:
        network: The network, whose style encoder and modulator look at the image.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - features: (batch, 32 width, 1, 1): moments of both depths, then filters of both

    Example:
        >>> encoder = SignalEncoder(MicroASTNetwork(width=4))
        >>> encoder(torch.rand(2, 3, 32, 32), ["signals"])["signals"].shape
        torch.Size([2, 128, 1, 1])
        >>> list(encoder.parameters())
        []
    """

    layers = (LAYER,)

    def __init__(self, network: MicroASTNetwork) -> None:
        super().__init__()
        # In a tuple, where torch does not look for modules.
        self._networks = (network,)

    @property
    def network(self) -> MicroASTNetwork:
        """The network."""
        return self._networks[0]

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """The signals; a single position."""
        self.check_layers(layers)
        code = self.network.represent_style(image)
        signals = torch.cat([tensor.flatten(1) for tensor in code], 1)
        return dict.fromkeys(layers, signals[..., None, None])

    def geometry(self, layer: str) -> LayerGeometry:
        """That of something which sees the whole image."""
        self.check_layers([layer])
        return LayerGeometry(1, WHOLE_IMAGE, self.network.smallest)


class ContrastiveStyleLoss(Loss):
    r"""A contrastive loss: the signals of a picture are to be those of its style and not of others.

    .. math:: \sum_i \frac{\|f(x_i) - f(s_i)\|^2}{\sum_{j \neq i} \|f(x_i) - f(s_j)\|^2}

    It looks at the batch: the styles of the other pictures are what the picture is told from. So it is the
    one loss whose value for an image depends on the rest of the batch.

    Args:
        layers: The signals, ``"signals"`` of a :class:`SignalEncoder`, or features of a single position.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the loss of a picture without signals.
        reference: The name of the image to compare with.
        variant: ``"paper"``, or ``"code"``: there a picture is told from the other pictures, in place of the
            other styles, by the moments of the first depth.

    Raises:
        ValueError: If the variant is another; from the criterion if there are fewer than two styles.

    Shape:
        - features: (batch, channels, 1, 1), the batch of at least 2

    Example:
        >>> ContrastiveStyleLoss("signals", weight=3.0)
        ContrastiveStyleLoss('signals', weight=3)
    """

    reference = "style"
    spatial = "set"

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        variant: Variant = "paper",
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        check_variant(variant)
        self.variant = variant

    def represent(self, features: Tensor) -> Tensor:
        """For each image its own signals and then those of the others: (batch, batch, channels)."""
        if features.shape[2:].numel() != 1:
            raise ValueError(
                f"The features must have a single position, got {features.shape[2]} x {features.shape[3]}. "
                "Use the signals of a `SignalEncoder`."
            )
        signals = at_least_float32(features.flatten(1))
        places = torch.arange(len(signals), device=signals.device)
        return signals[(places[:, None] + places) % len(places)]

    def prepare(self, representation: Tensor) -> Tensor:
        """The same, if there are others."""
        if representation.shape[1] < 2:
            raise ValueError("There must be at least two styles in a batch, which are told from each other.")
        return representation

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The quotient of the distances to the own style and to the others, times the size of the batch.

        The mean over the batch, which a criterion takes, is then the sum of the paper.
        """
        own, others = representation[:, :1], target[:, 1:]
        if self.variant == "code":
            mixed = representation.shape[2] // _MIXED_SHARE
            others = torch.cat([representation[:, 1:, :mixed], others[..., mixed:]], 2)
        attraction = (own - target[:, :1]).square().sum((1, 2))
        repulsion = (own - others).square().sum((1, 2))
        return target.shape[1] * (attraction / repulsion).mean()

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        variant = "" if self.variant == "paper" else f", variant={self.variant!r}"
        return super().extra_repr() + variant
