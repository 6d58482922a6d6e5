from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Generator, Tensor

from pystyle._arguments import seed_number
from pystyle.functional import relaxed_earth_movers_distance
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import Draws, checked_count, sampled, with_options
from pystyle.typing import Representation


class RelaxedEMDLoss(Loss):
    """The relaxed earth mover's distance of the feature vectors: the style loss of STROTSS.

    Each position of the image wants to be like some position of the reference, and each of those
    to be found somewhere in the image. It looks at whole vectors, so that local structures stay
    together, and with cosines not at their lengths, which the paper leaves to :class:`MomentLoss`.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the distance of an all-zero image. For cosines this is 1.
        reference: The name of the image to compare with.
        distance: ``"cosine"`` or ``"euclidean"``; ``"palette"``, for the layer ``"image"``, is the
            palette term of the paper, their sum for colours.
        num_samples: Positions of the reference that are compared, from a regular grid; None for
            all, which costs the product of the positions of both images.
        num_image_samples: The same for the image; all by default, because those that are left
            out get no gradient.
        resample: Take another grid of the image at each evaluation, as the paper does. The loss is
            then another function each time, which L-BFGS does not take.
        seed: Determines the grids, the same for every device.

    Raises:
        ValueError: If a number of samples is not positive, `distance` is unknown, or all positions
            are to be resampled.

    Example:
        >>> RelaxedEMDLoss("relu3_1"), RelaxedEMDLoss("image", distance="palette")
        (RelaxedEMDLoss('relu3_1'), RelaxedEMDLoss('image', distance='palette'))

    Note:
        The paper samples 5000 random positions of the reference and 1024 of the image, and takes
        a single vector of all layers (a hypercolumn). Positions are sampled as pairs of row and
        column from the features that are given, so those of a region stay in it; in the authors'
        code rows and columns are shuffled apart from each other.

    References:
        Kolkin, Salavon, Shakhnarovich. *Style transfer by relaxed optimal transport and
        self-similarity*. CVPR 2019, section 2.2.
    """

    reference = "style"
    spatial = "set"
    independent_positions = True
    takes_maps = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        distance: Literal["cosine", "euclidean", "palette"] = "cosine",
        num_samples: int | None = 1024,
        num_image_samples: int | None = None,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        if distance not in ("cosine", "euclidean", "palette"):
            raise ValueError(f"`distance` must be 'cosine', 'euclidean' or 'palette', got {distance!r}.")
        if resample and num_image_samples is None:
            raise ValueError(
                "`resample` takes other positions of the image each time, but all of them are compared. "
                "Give `num_image_samples` or leave it out."
            )
        self.distance = distance
        self.num_samples = checked_count("num_samples", num_samples)
        self.num_image_samples = checked_count("num_image_samples", num_image_samples)
        self.resample = resample
        self.seed = seed_number(seed)
        self._draws = Draws(self.seed, resample=resample)

    def represent(self, features: Representation) -> Representation:
        """The features as they are."""
        return features

    def prepare(self, representation: Representation) -> Tensor:
        """The features at the sampled positions, (batch, channels, samples)."""
        return sampled(representation, self.num_samples, self._draws)

    def compare(self, representation: Representation, target: Tensor) -> Tensor:
        """The distance to the target, averaged over the batch."""
        image = sampled(representation, self.num_image_samples, self._draws)
        return relaxed_earth_movers_distance(image, target, distance=self.distance).mean()

    def generators(self) -> Sequence[Generator]:
        """The generator of the choices that are made anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return with_options(
            super().extra_repr(),
            {
                "distance": (self.distance, "cosine"),
                "num_samples": (self.num_samples, 1024),
                "num_image_samples": (self.num_image_samples, None),
                "resample": (self.resample, False),
                "seed": (self.seed, 0),
            },
        )
