from collections.abc import Mapping, Sequence

from torch import Generator, Tensor

from pystyle._arguments import number, seed_number
from pystyle.functional import patch_nce
from pystyle.losses._loss import Loss
from pystyle.losses._sampling import Draws, checked_count, sampled_alike, with_options


class PatchNCELoss(Loss):
    """A contrastive content loss: each position is to be recognised among others of the content.

    The feature of the image at a position is to be closer to that of the content at the same
    position than to those at others. How close is left open, so the style may change all of them.

    Args:
        layers: One layer or several.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer; equal and summing to one if not given.
        relative: Divide by the logarithm of the number of positions, the value at which nothing
            is recognised.
        reference: The name of the image to compare with.
        num_samples: Positions that are told from each other, from a regular grid; None for all.
        temperature: The smaller it is, the more the nearest confusions count.
        resample: Take another grid at each evaluation, as the paper does. The loss is then another
            function each time, which L-BFGS does not take.
        seed: Determines the grids, the same for every device.

    Raises:
        ValueError: If `num_samples` or `temperature` is not positive.

    Shape:
        The image and its reference must have the same size.

    Example:
        >>> PatchNCELoss("relu3_1", temperature=0.1)
        PatchNCELoss('relu3_1', temperature=0.1)

    Note:
        The paper trains a small network on top of the features of its generator. The features of
        a network for recognition are compared as they are, and positions lie on a grid instead of
        at random, so that no two are neighbours.

    References:
        Park, Efros, Zhang, Zhu. *Contrastive learning for unpaired image-to-image translation*.
        ECCV 2020.
    """

    reference = "content"
    spatial = "set"
    independent_positions = True
    aligned = True

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | None = None,
        num_samples: int | None = 256,
        temperature: float = 0.07,
        resample: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layers, weight=weight, layer_weights=layer_weights, relative=relative, reference=reference
        )
        self.num_samples = checked_count("num_samples", num_samples)
        self.temperature = number(temperature, "`temperature`", above=0)
        self.resample = resample
        self.seed = seed_number(seed)
        self._draws = Draws(self.seed, resample=resample)

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The cross entropy at the positions of the grid, averaged over the batch."""
        image, reference = sampled_alike(representation, target, self.num_samples, self._draws)
        return patch_nce(image, reference, temperature=self.temperature).mean()

    def generators(self) -> Sequence[Generator]:
        """The generator of the choices that are made anew each time."""
        return self._draws.running

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return with_options(
            super().extra_repr(),
            {
                "num_samples": (self.num_samples, 256),
                "temperature": (self.temperature, 0.07),
                "resample": (self.resample, False),
                "seed": (self.seed, 0),
            },
        )
