from collections.abc import Mapping, Sequence

from torch import Generator, Tensor

from pystyle._arguments import seed_number
from pystyle.functional import mean_absolute_error, self_similarity
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import Draws, checked_count, sampled_alike, with_options
from pystyle.typing import Representation


class SelfSimilarityLoss(Loss):
    """The mean absolute difference of self-similarities: the content loss of STROTSS.

    What was alike in the content stays alike, and what differed differs, but the features
    themselves are free. So it holds the layout where the style demands other textures and colours.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the difference to an all-zero map, in which nothing is alike.
        reference: The name of the image to compare with.
        num_samples: Positions that are compared with each other, from a regular grid; None for all.
            The cost grows with the square.
        resample: Take another grid at each evaluation, as the paper does. The loss is then another
            function each time, which L-BFGS does not take.
        seed: Determines the grids, the same for every device.

    Raises:
        ValueError: If `num_samples` is not positive.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> SelfSimilarityLoss("relu4_2", num_samples=256)
        SelfSimilarityLoss('relu4_2', num_samples=256)

    Note:
        The mean is that of the paper times the number of samples, as in the authors' code: it then
        hardly depends on the number. The paper takes a single vector of all layers (a hypercolumn).

    References:
        Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport and
        self-similarity*. CVPR 2019, section 2.3.
    """

    reference = "content"
    spatial = "set"
    independent_positions = True
    aligned = True
    takes_maps = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        num_samples: int | None = 1024,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        self.num_samples = checked_count("num_samples", num_samples)
        self.resample = resample
        self.seed = seed_number(seed)
        self._draws = Draws(self.seed, resample=resample)

    def represent(self, features: Representation) -> Representation:
        """The features as they are."""
        return features

    def compare(self, representation: Representation, target: Representation) -> Tensor:
        """The difference at the positions of the grid, averaged over the batch."""
        image, reference = sampled_alike(representation, target, self.num_samples, self._draws)
        return mean_absolute_error(self_similarity(image), self_similarity(reference))

    def generators(self) -> Sequence[Generator]:
        """The generator of the choices that are made anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return with_options(
            super().extra_repr(),
            {
                "num_samples": (self.num_samples, 1024),
                "resample": (self.resample, False),
                "seed": (self.seed, 0),
            },
        )
