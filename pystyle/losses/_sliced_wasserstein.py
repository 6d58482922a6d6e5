from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Generator, Tensor

from pystyle._arguments import seed_number, whole_number
from pystyle.functional import (
    quantile_distance,
    random_directions,
    sliced_wasserstein_distance,
    sorted_projections,
)
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import Draws, with_options


class _Projections(NamedTuple):
    directions: Tensor
    values: Tensor


class SlicedWassersteinLoss(Loss):
    """The sliced Wasserstein distance of the features, which compares their whole distribution.

    The features are projected on random directions and sorted; sorted values are compared. It
    sees what means and covariances do not, such as that a feature is rare but strong.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the mean square of the target's projections.
        reference: The name of the image to compare with.
        num_directions: Directions per layer; as many as its channels if not given.
        resample: Draw new directions at each evaluation, as the paper does. The loss is then
            another function each time, which Adam takes and L-BFGS does not. Held directions leave
            some of the space unseen; more of them see more of it.
        seed: Determines the directions, the same for every device.

    Raises:
        ValueError: If `num_directions` is not positive.

    Example:
        >>> SlicedWassersteinLoss(["relu1_1", "relu2_1"], num_directions=128)
        SlicedWassersteinLoss(['relu1_1', 'relu2_1'], num_directions=128)

    Note:
        The paper sums over layers, where `layer_weights` average by default, and takes twelve of
        them, relu1_1 to relu4_4. It needs as many positions in the image as in its reference, or a
        whole multiple; here the transport between any two sizes is exact.

        The spatial tags of the paper need no argument: they let positions match those with the same tag
        only, and that is what :meth:`within` does, with a loss for each tag.

    References:
        Heitz, Vanhoey, Chambon, Belcour. *A sliced Wasserstein loss for neural texture synthesis*.
        CVPR 2021.
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
        num_directions: int | None = None,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        self.num_directions = (
            None if num_directions is None else whole_number(num_directions, "`num_directions`", least=1)
        )
        self.resample = resample
        self.seed = seed_number(seed)
        self._draws = Draws(self.seed, resample=resample)

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def prepare(self, representation: Tensor) -> Tensor | _Projections:
        """The directions and the sorted projections on them; the features if directions are resampled."""
        if self.resample:
            return representation
        directions = self._directions(representation)[None]
        return _Projections(directions, sorted_projections(representation, directions))

    def compare(self, representation: Tensor, target: Tensor | _Projections) -> Tensor:
        """The distance to the target, averaged over directions and batch."""
        if isinstance(target, _Projections):
            values = sorted_projections(representation, target.directions)
            return quantile_distance(values, target.values).mean()
        directions = self._directions(representation)
        return sliced_wasserstein_distance(representation, target, directions).mean()

    def generators(self) -> Sequence[Generator]:
        """The generator of the choices that are made anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return with_options(
            super().extra_repr(),
            {
                "num_directions": (self.num_directions, None),
                "resample": (self.resample, False),
                "seed": (self.seed, 0),
            },
        )

    def _directions(self, features: Tensor) -> Tensor:
        channels = features.shape[1]
        count = self.num_directions or channels
        directions = random_directions(count, channels, generator=self._draws.generator())
        return directions.to(features.device)
