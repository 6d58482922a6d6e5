from collections.abc import Mapping, Sequence

import torch
from torch import nn

from pystyle._arguments import check_mapping
from pystyle._wrapping import checked_wrap, nearest_multiples
from pystyle.criterion._blend import masks_of
from pystyle.criterion._checks import check_image, check_loss_names, check_losses, check_wraps
from pystyle.criterion._given_targets import Targets
from pystyle.criterion._masks import Masks
from pystyle.criterion._objective import Objective, Part, Target
from pystyle.criterion._origins import Origins
from pystyle.criterion._represent import layer_sizes
from pystyle.criterion._targets import Blend, Key, LossAtLayer, blends_of, lies_there, prepared
from pystyle.encoders import Encoder, WrappedEncoder
from pystyle.encoders._given import given_encoder
from pystyle.encoders._names import check_names
from pystyle.losses import LayerMask, Loss
from pystyle.typing import IMAGE, MaskedImage, Reference, Wrap


class Criterion(nn.Module):
    """An encoder and named losses: what is to be minimised, without the images.

    :meth:`bind` adds the images. The features of all losses come from one pass of the encoder.

    Args:
        encoder: The encoder, or the name of one for :func:`~pystyle.encoders.named_encoder`; it is frozen.
            Several are joined by :class:`~pystyle.encoders.MultiEncoder`. None if all losses look at the
            image itself.
        losses: The losses by name.
        normalize_gradients: The names of losses whose gradients are as long as their weights: at each
            layer, the gradient of the loss's term with respect to the features is divided by its L1 norm
            and multiplied by the weight of the loss and of the layer. For each image of a batch on its own.
        wrap: The sides beyond which the image goes on with its other side: ``"both"`` for what is laid beside
            itself, ``"horizontal"`` for panoramas. So do the references that lie where the image does
            (:attr:`aligned`); others, such as paintings, end at their borders. See
            :class:`~pystyle.encoders.WrappedEncoder`.

    Raises:
        ValueError: If there are no losses, a name contains a dot or is not that of a loss, the encoder lacks
            a layer, the encoder or a loss was built in inference mode, or one of them cannot wrap.

    Example:
        >>> import torch
        >>> from pystyle import Criterion, ContentLoss, MultiLayerGramLoss
        >>> from pystyle.encoders import vgg19
        >>> criterion = Criterion(
        ...     vgg19(weights=None),
        ...     {"content": ContentLoss("relu2_2"), "style": MultiLayerGramLoss(["relu1_1", "relu2_1"])},
        ... )
        >>> photo, painting = torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 48, 32)
        >>> objective = criterion.bind({"content": photo, "style": painting})
        >>> list(objective(torch.zeros(1, 3, 32, 32)))
        ['content.relu2_2', 'style.relu1_1', 'style.relu2_1']

    Note:
        With `normalize_gradients` the gradient is no longer that of the terms, which stay the values of the
        losses; it does not follow factors of a term or of the total either. The total is no potential of it:
        a line search compares values that say little, L-BFGS learns from pairs that are no curvatures, and
        the total may rise. Strips take one more pass, for the norms.

    References:
        The option ``-normalize_gradients`` of Johnson, *neural-style*, 2015, which normalises the gradients
        of all losses at their layers. Here zero is handled without a constant in the denominator, and in a
        batch each image is on its own.
    """

    def __init__(
        self,
        encoder: Encoder | str | None,
        losses: Mapping[str, Loss],
        *,
        normalize_gradients: str | Sequence[str] = (),
        wrap: Wrap | None = None,
    ) -> None:
        super().__init__()
        encoder = given_encoder(encoder)
        check_losses(losses)
        for loss in losses.values():
            encoder.check_layers([layer for layer in loss.layers if layer != IMAGE])
        if any(parameter.is_inference() for parameter in encoder.parameters()):
            raise ValueError(
                "`encoder` must be built outside of `torch.inference_mode()`: nothing can be differentiated "
                "through weights that were made in it."
            )
        check_names("losses", losses)
        names = (normalize_gradients,) if isinstance(normalize_gradients, str) else normalize_gradients
        check_loss_names("normalize_gradients", names, losses)
        self.normalize_gradients = tuple(names)
        self.encoder = encoder.requires_grad_(False).eval()
        self.losses = nn.ModuleDict(dict(losses))
        self.wrap = checked_wrap(wrap)
        if self.wrap is not None:
            check_wraps(self.encoder, losses, self.wrap)

    @property
    def aligned(self) -> frozenset[str]:
        """The names of the references that lie where the image does: compared position by position."""
        losses = self.named_losses.values()
        there = {name for name in self.references if any(lies_there(loss, name) for loss in losses)}
        return frozenset({"content", *there})

    def nearest_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The nearest height and width that an image can have: whole numbers of positions where it wraps.

        Example:
            >>> from pystyle import Criterion, GramLoss
            >>> from pystyle.encoders import vgg11
            >>> losses = {"texture": GramLoss("relu3_1")}
            >>> criterion = Criterion(vgg11(weights=None), losses, wrap="horizontal")
            >>> criterion.nearest_size((150, 150))
            (150, 152)
        """
        return nearest_multiples(size, self.wrap, self.encoder.multiple(self.layers))

    @property
    def image_encoder(self) -> Encoder:
        """What sees the image that is optimised: the encoder, which wraps if the image does."""
        if self.wrap is None:
            return self.encoder
        return WrappedEncoder(self.encoder, self.wrap, layers=self.layers)

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the images that the losses compare with."""
        return tuple(dict.fromkeys(name for loss in self.named_losses.values() for name in loss.references))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the encoder that the losses look at, each once."""
        layers = (layer for _, loss in self.named_losses.items() for layer in loss.layers)
        return tuple(dict.fromkeys(layer for layer in layers if layer != IMAGE))

    # What is kept of the references takes part in gradients later.
    @torch.inference_mode(False)
    @torch.no_grad()
    def bind(
        self, references: Mapping[str, Reference | Targets], *, strip_rows: int | None = None
    ) -> Objective:
        """Represent the references once.

        Args:
            references: The images that the losses compare with, by name. In place of an image a
                list of ``(image, weight)`` blends several; the weights are divided by their sum.
                Further images are ignored. A :class:`~pystyle.MaskedImage` says where regions are;
                that of the image itself are those of ``"content"``. Where the images were
                represented before, their :class:`~pystyle.criterion.Targets` stand in their place.
            strip_rows: Compute the features of the references in strips of so many rows, for
                images that are too large for one pass; see :class:`~pystyle.encoders.StripPass`.

        Returns:
            The objective: a function of the image.

        Raises:
            ValueError: If a reference is missing, too small, not finite, or on another device than the
                encoder, a region has no mask or is empty at a layer, or a loss that needs all positions at
                once is to be computed in strips.
            TypeError: If a reference is not of the encoder's floating-point type.

        Shape:
            - references: (1 or batch, 3, height, width), RGB in [0, 1]
        """
        check_mapping(references, "`references`", '{"content": photo, "style": painting}')
        for name in self.references:
            if name not in references:
                given = ", ".join(map(repr, references)) or "none"
                raise ValueError(
                    f"`references` must have the image {name!r} that the losses compare with, got {given}."
                )
        image_encoder = self.image_encoder
        own_masks = Masks(self.encoder, masks_of(references.get("content")), 'references["content"]')
        masks = self._image_masks(references, own_masks, strip_rows)
        losses = [
            ((name, layer), loss.at(layer), layer)
            for name, loss in self.named_losses.items()
            for layer in loss.layers
        ]
        seeing = losses
        if self.wrap is not None:
            seeing = [(key, loss.wrapped(self.wrap), layer) for key, loss, layer in losses]
        targets = self._targets(losses, seeing, references, own_masks, image_encoder, strip_rows)
        parts = (
            Part(
                ".".join(key),
                loss,
                layer,
                targets[key],
                mask=masks.get(key),
                normalizes=key[0] in self.normalize_gradients,
            )
            for key, loss, layer in seeing
        )
        return Objective(image_encoder, tuple(parts))

    def _targets(
        self,
        losses: Sequence[LossAtLayer],
        wrapped: Sequence[LossAtLayer],
        references: Mapping[str, Reference | Targets],
        masks: Masks,
        image_encoder: Encoder,
        strip_rows: int | None,
    ) -> dict[Key, tuple[Target, ...]]:
        """What all losses compare with. References that lie where the image does are seen as it is."""
        targets: dict[Key, tuple[Target, ...]] = {}
        blends: dict[str, dict[Key, Blend]] = {}
        origins = Origins()
        for name in self.references:
            aligned = name in self.aligned
            seeing = [part for part in (wrapped if aligned else losses) if name in part[1].references]
            reference = references[name]
            if isinstance(reference, Targets):
                targets.update(reference.at(seeing, name))
                continue
            blends[name] = blends_of(
                image_encoder if aligned else self.encoder,
                seeing,
                reference,
                name,
                image_masks=masks,
                origins=origins,
                strip_rows=strip_rows,
            )
        for key, loss, layer in losses:
            if not loss.references:
                targets[key] = (Target(None),)
            elif key not in targets:
                own = [blends[name].pop(key) for name in loss.references]
                targets[key] = prepared(loss, own, origins.of(loss, layer))
        return targets

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of the regions that losses are confined to."""
        return tuple(dict.fromkeys(loss.region for loss in self.named_losses.values() if loss.region))

    def _image_masks(
        self, references: Mapping[str, Reference | Targets], masks: Masks, strip_rows: int | None
    ) -> dict[Key, LayerMask | None]:
        """The masks of the image that is optimised, for the losses with a region."""
        confined = {name: loss for name, loss in self.named_losses.items() if loss.region}
        if not confined:
            return {}
        content = references.get("content")
        if not isinstance(content, MaskedImage):
            raise ValueError(
                f'`references["content"]` must be a MaskedImage with masks of the regions '
                f"{', '.join(map(repr, self.regions))}: they say where these are in the image."
            )
        layers = tuple(layer for loss in confined.values() for layer in loss.layers)
        check_image(content.image, 'references["content"]', self.encoder, [x for x in layers if x != IMAGE])
        sizes = layer_sizes(self.encoder, content.image.detach(), layers, strip_rows=strip_rows)
        return {
            (name, layer): masks.at(loss, layer, sizes[layer])
            for name, loss in confined.items()
            for layer in loss.layers
        }

    def extra_repr(self) -> str:
        """The arguments that are not modules and not the default."""
        normalize = f"normalize_gradients={self.normalize_gradients}" if self.normalize_gradients else ""
        return ", ".join(filter(None, [normalize, f"wrap={self.wrap!r}" if self.wrap else ""]))

    @property
    def named_losses(self) -> dict[str, Loss]:
        """The losses by name."""
        return {name: loss for name, loss in self.losses.items() if isinstance(loss, Loss)}

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of the terms: one for each loss and layer, such as ``style.relu3_1``."""
        return tuple(f"{name}.{layer}" for name, loss in self.named_losses.items() for layer in loss.layers)
