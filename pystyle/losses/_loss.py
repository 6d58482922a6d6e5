import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast, get_args

import torch
from torch import Tensor, nn

from pystyle._arguments import number, whole_number
from pystyle._wrapping import checked_wrap
from pystyle.functional import mean_squared_error
from pystyle.losses._arguments import checked_reference, layer_names, weights_by_layer
from pystyle.losses._description import arguments_of, region_of
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._representation import changed
from pystyle.typing import Propagation, Representation, Spatial, Wrap


class Loss(nn.Module, ABC):
    """A loss: a representation of features, and a comparison of two representations.

    A subclass gives :meth:`represent`, and :meth:`compare` where the mean squared error is not
    what it wants. It holds its hyper-parameters and no target: a
    :class:`~pystyle.Criterion` represents the references and keeps them.

    Attributes:
        reference: The name of the image it compares with, such as ``"style"``; of several, ``("content",
            "style")``, of which :meth:`prepare` makes one target; None if it judges the image alone.
        spatial: How the representation depends on positions. ``"pooled"``: a mean over positions,
            so that the parts of an image add up and styles blend. ``"dense"``: something per
            position, of whose scores the loss is the mean. ``"set"``: it needs all positions at once.
        independent_positions: Of a ``"set"``: that it does not matter which position lies next to which, so
            that a region may be handed to it as a list of positions.
        aligned: Whether each position is compared with the same one of the reference, or of the first of
            several, which has the size, the regions and the wrapping of the image then. None: it is for
            ``"dense"``, and for the first of several.
        shift_invariant: Whether it stays the same if a constant is added to a channel of the image and of
            the reference. Where the channels lie far from zero, :meth:`represent` then gets features less
            their means in the reference: variances of large numbers would be rounding errors.
        can_wrap: Whether it can judge an image that wraps; None if that follows from the above: all but a
            ``"set"`` whose positions are not independent can.
        takes_maps: Whether :meth:`represent` takes the maps of a hypercolumn as a tuple, too; see
            :func:`~pystyle.functional.hypercolumns`. In regions and images that wrap it gets them joined.
        wrap: The sides beyond which the image goes on, or None; see :meth:`wrapped`.
        region: The name of the region it is confined to, or None; see :meth:`within`.
        propagation: How the mask of the region gets to the layers.
        dilation: By how many positions of a layer the region grows there.

    Args:
        layers: One layer or several; ``"image"`` is the image itself.
        weight: Factor of the whole loss.
        layer_weights: Factor of each layer, in the order of `layers` or by name. They are taken
            as they are; if not given, they are equal and sum to one.
        relative: Divide each layer's loss by that of an empty (all zero) representation. A weight
            then means the same for every encoder, layer and image size.
        reference: Compare with the image of this name, or with those of these names, instead of the usual.

    Raises:
        ValueError: If there are no layers, a layer twice, a layer without a weight, or another number of
            references than usual.
        TypeError: If the class has several references and no :meth:`prepare` of its own.

    Example:
        >>> class MeanLoss(Loss):
        ...     reference, spatial = "style", "pooled"
        ...     def represent(self, features):
        ...         return features.mean((2, 3))
        >>> MeanLoss(["relu1_1", "relu2_1"], weight=2.0).layer_weights
        {'relu1_1': 0.5, 'relu2_1': 0.5}
    """

    reference: str | tuple[str, ...] | None = "style"
    spatial: Spatial
    independent_positions: bool = False
    aligned: bool | None = None
    shift_invariant: bool = False
    can_wrap: bool | None = None
    takes_maps: bool = False
    wrap: Wrap | None = None
    region: str | None = None
    propagation: Propagation = "simple"
    dilation: int = 0

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        weight: float = 1.0,
        layer_weights: Sequence[float] | Mapping[str, float] | None = None,
        relative: bool = False,
        reference: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.layers = layer_names(layers)
        self.weight = number(weight, "`weight`")
        self.layer_weights = weights_by_layer(self.layers, layer_weights)
        self.relative = relative
        if reference is not None:
            self.reference = checked_reference(type(self).__name__, type(self).reference, reference)
        if len(self.references) > 1 and type(self).prepare is Loss.prepare:
            raise TypeError(
                f"{type(self).__name__} has the references {self.references} and must override "
                f"`prepare({', '.join(self.references)})`, which makes one target of them."
            )
        if relative and self.reference is None:
            raise ValueError(
                f"{type(self).__name__} compares with nothing; `relative` has no meaning for it."
            )

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the images it compares with; none if it judges the image alone."""
        found = () if self.reference is None else self.reference
        return found if isinstance(found, tuple) else (found,)

    def at(self, layer: str) -> "Loss":
        """The loss of one of its layers: itself, unless every layer has parameters of its own.

        A criterion asks for it when it is bound, and gives it features of this layer only. It is a
        ``copy.copy`` then, which keeps what :meth:`within` and :meth:`wrapped` set.
        """
        del layer
        return self

    @abstractmethod
    def represent(self, features: Tensor) -> Representation:
        """What counts in the features of one layer.

        Shape:
            - features: (batch, channels, height, width)
            - output: one tensor or a (named) tuple of tensors, the batch axis first; a scalar if
              `reference` is None
        """

    def within(self, region: str | None, *, propagation: Propagation = "simple", dilation: int = 0) -> Self:
        """The same loss, confined to a region of the image and of its reference.

        The masks come with the images; see :class:`~pystyle.MaskedImage`. The region of the image is
        compared with that of the reference, however large each is; with all of a reference that has no
        masks.

        Args:
            region: The name of the masks; None for the whole image.
            propagation: How a mask gets to the layers: ``"simple"``, ``"inside"`` or ``"all"``; see
                :func:`~pystyle.encoders.propagate_mask`.
            dilation: By how many positions of a layer the region grows there; a negative number shrinks it.

        Returns:
            A copy that shares the parameters.

        Raises:
            ValueError: If `propagation` is unknown, or a loss of the kind ``"set"`` neither says that its
                positions are independent nor overrides :meth:`represent_within`. From the criterion: if the
                loss judges how positions lie to each other.

        Example:
            >>> from pystyle import GramLoss
            >>> GramLoss("relu3_1", reference="night").within("sky")
            GramLoss('relu3_1', reference='night').within('sky')
        """
        if propagation not in get_args(Propagation):
            raise ValueError(f"`propagation` must be one of {get_args(Propagation)}, got {propagation!r}.")
        if region is not None:
            self._check_confinable()
        confined = copy.copy(self)
        confined.region, confined.propagation = region, propagation
        confined.dilation = whole_number(dilation, "`dilation`")
        return confined

    def represent_within(self, features: Tensor, mask: LayerMask) -> Representation:
        """What counts in a region of the features.

        The positions at which the mask is above 1/2 as a map of a single row, unless a loss knows better:
        one that can weight positions honours soft masks too, and can be evaluated in strips if it is dense.
        One of the kind ``"set"`` gets the list only if its positions are independent.

        Raises:
            ValueError: If they are not.

        Shape:
            - features: (batch, channels, height, width)
            - output: as that of :meth:`represent`
        """
        self._check_confinable()
        representation = self.represent(mask.select(features))
        if self.spatial != "pooled":
            return representation
        # The share of these rows in the region, for what adds up over strips.
        shared: Representation = changed(representation, lambda tensor: tensor * mask.share)
        return shared

    def wrapped(self, wrap: Wrap) -> Self:
        """The same loss for an image that wraps: beyond one side lies the other.

        A criterion with ``wrap`` asks for it. A loss that looks at each position by itself has nothing to do;
        one that looks at neighbours takes those across the border too, where :attr:`wrap` says so.

        Args:
            wrap: ``"both"`` or ``"horizontal"``.

        Returns:
            A copy that shares the parameters.

        Raises:
            ValueError: If it judges how positions lie to each other and does not say how it wraps.

        Example:
            >>> import torch
            >>> from pystyle import TotalVariationLoss
            >>> ramp = torch.tensor([[[[0.0, 1.0, 2.0, 3.0]]]])
            >>> loss = TotalVariationLoss(variant="anisotropic", exponent=1.0)
            >>> loss.wrapped("horizontal").represent(ramp)   # (1 + 1 + 1 + 3) / 4
            tensor(1.5000)
        """
        by_itself = self.spatial != "set" or self.independent_positions
        if not (by_itself if self.can_wrap is None else self.can_wrap):
            raise ValueError(
                f"{type(self).__name__} cannot judge an image that wraps: it judges how positions lie to "
                "each other. Leave it out; or set `can_wrap = True` in the class, if it honours `self.wrap`."
            )
        found = copy.copy(self)
        found.wrap = checked_wrap(wrap)
        return found

    def views(self, image: Tensor) -> Sequence[Tensor]:
        """The versions of a reference image that are represented: the image itself.

        A loss that wants to see the reference turned or in other sizes too gives several. Those of a
        ``"set"`` are handed to :meth:`join`, others are averaged. The first of several references lies where
        the image does and is seen as it is.

        Shape:
            - image: (batch, 3, height, width), RGB in [0, 1]; or a mask, which has one channel
        """
        return (image,)

    def join(self, representations: Sequence[tuple[Any, float]]) -> Sequence[tuple[Any, float]]:
        """The sets that an image is compared with, and the weights of the comparisons.

        Called for a reference if `spatial` is ``"set"``, and for those after the first of several unless it
        is ``"pooled"``, with the sets of all its images and views of them, and their weights, which sum to
        one. They stay apart unless a loss joins them: one that looks for the best match among all takes
        their union.
        """
        return representations

    def prepare(self, representation: Any) -> Any:
        """What :meth:`compare` gets as its target; computed once, after styles were blended.

        The place for work on the target that should not be done again at every step. A loss with several
        references overrides it with a parameter for each: ``prepare(content, style)``. It gets the
        representations of one image at a time: each image of a batch of references has a target of its own.
        """
        return representation

    def compare(self, representation: Any, target: Any) -> Tensor:
        """The loss of a representation: a scalar, averaged over the batch.

        The mean squared error by default, summed over the tensors of the representation.
        """
        if target is None:
            return cast(Tensor, representation)
        if isinstance(representation, Tensor):
            return mean_squared_error(representation, target)
        pairs = zip(representation, target, strict=True)
        return torch.stack([mean_squared_error(*pair) for pair in pairs]).sum()

    def magnitude(self, representation: Any, target: Any) -> Tensor:
        """What a relative loss is divided by: the comparison of an empty representation with the target.

        Args:
            representation: That of the reference, or of the first of several, which gives the shape.
            target: What :meth:`prepare` made of it.
        """
        return self.compare(changed(representation, torch.zeros_like), target)

    def generators(self) -> Sequence[torch.Generator]:
        """The generators that it goes on drawing from: none.

        A loss that makes other random choices at each evaluation names them; checkpoints keep their states.
        """
        return ()

    def _check_confinable(self) -> None:
        """Check that a list of positions says as much as a map, or that the loss knows better than it."""
        own = type(self).represent_within is not Loss.represent_within
        if self.spatial == "set" and not self.independent_positions and not own:
            raise ValueError(
                f"{type(self).__name__} cannot be confined to a region: it needs all positions at once and "
                "does not say that they are independent of where they lie. If they are, set "
                "`independent_positions = True` in the class; if not, override `represent_within`."
            )

    def extra_repr(self) -> str:
        """The arguments that are not the default."""
        return arguments_of(self)

    def __repr__(self) -> str:
        """The arguments that are not the default, and the region."""
        return super().__repr__() + region_of(self)
