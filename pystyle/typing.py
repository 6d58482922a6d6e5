"""The types that several floors of the library share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from pystyle._arguments import check_floating, check_mapping, check_range

IMAGE = "image"
"""The layer that is the image itself."""

Representation: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a loss makes of the features: one tensor or a (named) tuple of them, the batch axis first."""

Spatial: TypeAlias = Literal["pooled", "dense", "set"]
"""How a representation depends on positions; see :class:`pystyle.Loss`."""

Metric: TypeAlias = Literal["cosine", "centered_cosine", "euclidean"]
"""What nearest means; see :func:`pystyle.functional.nearest_neighbors`."""

Propagation: TypeAlias = Literal["simple", "inside", "all"]
"""How a mask gets to a layer; see :func:`pystyle.encoders.propagate_mask`."""


@dataclass(frozen=True, eq=False)
class MaskedImage:
    """An image with masks: where its regions are, by their names.

    It can stand wherever a reference image can. A loss that is confined to a region by
    :meth:`pystyle.Loss.within` looks at these positions only; the masks of the image that is
    optimised are those of the reference ``"content"``.

    Args:
        image: The image.
        masks: The masks by the names of their regions: 1 inside, 0 outside, in between at soft edges; or
            booleans. What resampling added to their range is clamped.

    Attributes:
        image: The image.
        masks: The masks, in the floating-point type and on the device of the image.

    Raises:
        ValueError: If the image or a mask leaves [0, 1], there are no masks, one has another size than the
            image or is empty, or two overlap, so that their sum is above 1.
        TypeError: If the image is not floating-point, or a mask is neither that nor boolean.

    Shape:
        - image: (batch, 3, height, width), RGB in [0, 1]
        - masks: (1, 1, height, width)

    Example:
        >>> import torch
        >>> sky = torch.zeros(1, 1, 4, 4)
        >>> sky[:, :, :2] = 1
        >>> photo = MaskedImage(torch.rand(1, 3, 4, 4), {"sky": sky, "ground": 1 - sky})
        >>> photo
        MaskedImage(4 x 4 pixels, sky 50 %, ground 50 %)
    """

    image: Tensor
    masks: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        if not isinstance(self.image, Tensor) or self.image.ndim != 4:
            is_tensor = isinstance(self.image, Tensor)
            got = f"{tuple(self.image.shape)}" if is_tensor else f"a {type(self.image).__name__}"
            raise TypeError(
                f"`image` must be a tensor of the shape (batch, 3, height, width), got {got}. `as_image` "
                "makes one of files, Pillow images and numpy arrays."
            )
        check_floating(self.image, "`image`")
        check_range(self.image, "`image`")
        check_mapping(self.masks, "`masks`", '{"sky": mask}')
        if not self.masks:
            raise ValueError("`masks` must have at least one mask, got none. Use the image itself.")
        masks = {name: self._checked(name, mask) for name, mask in self.masks.items()}
        excess = torch.stack(list(masks.values())).sum(0) - 1
        overlap = int((excess > 0.01).sum()) if excess.device.type != "meta" else 0
        if overlap:
            raise ValueError(
                f"`masks` must not overlap, got {', '.join(masks)} with a sum above 1 at {overlap} pixels. "
                "Subtract one from the other, or use an image for each."
            )
        object.__setattr__(self, "masks", masks)

    def _checked(self, name: str, mask: Tensor) -> Tensor:
        size = tuple(self.image.shape[2:])
        if not isinstance(mask, Tensor) or not (mask.is_floating_point() or mask.dtype == torch.bool):
            kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise TypeError(
                f"The mask {name!r} must be a boolean or floating-point tensor with values in [0, 1], got "
                f"{kind}. Read files with `read_masks`."
            )
        if tuple(mask.shape) != (1, 1, *size):
            raise ValueError(
                f"The mask {name!r} must have the size of its image, (1, 1, {size[0]}, {size[1]}), got "
                f"{tuple(mask.shape)}. Resize it with `resize`."
            )
        mask = mask.detach().to(self.image)
        check_range(mask, f"The mask {name!r}")
        mask = mask.clamp(0, 1)
        if mask.device.type != "meta" and not bool((mask > 0).any()):
            raise ValueError(f"The mask {name!r} is empty: no pixel is inside. Leave it out.")
        return mask

    def __repr__(self) -> str:
        """The size, and the share of each region."""
        height, width = self.image.shape[2:]
        shares = [f"{name} {float(mask.mean()):.0%}".replace("%", " %") for name, mask in self.masks.items()]
        return f"MaskedImage({height} x {width} pixels, {', '.join(shares)})"


Reference: TypeAlias = Tensor | MaskedImage | Sequence[tuple[Tensor | MaskedImage, float]]
"""An image, or several with weights that are blended."""

References: TypeAlias = Mapping[str, Reference]
"""The images that losses compare with, by name: ``{"content": ..., "style": ...}``."""

Schedule: TypeAlias = Callable[[float], float]
"""From the fraction of a run that is done, 0 at the first step and 1 at the last, to a factor of a weight."""

OptimizerFactory: TypeAlias = Callable[[Iterable[Tensor]], "torch.optim.Optimizer"]
"""Any optimizer class of torch or pystyle, or a `functools.partial` of one."""

OnInterrupt: TypeAlias = Literal["return", "raise"]
"""What Ctrl-C makes of a run: its picture so far as a result, or as an error that ends loops, too."""

OptimizerName: TypeAlias = Literal["lbfgs", "adam"]
"""The optimizers that have a name: :class:`pystyle.optim.LBFGS`, and Adam with a learning rate of 0.02."""

History: TypeAlias = dict[str, list[Any]]
"""Columns of equal length by name: ``step``, ``total`` and every term."""

Precision: TypeAlias = Literal["float32", "tf32", "bfloat16", "float16"]
"""In what an encoder computes; see :class:`pystyle.evaluation.EagerEvaluation`."""

PrecisionChoice: TypeAlias = Literal["auto", "float32", "tf32", "bfloat16", "float16"]
"""A precision, or ``"auto"`` for that of :func:`pystyle.evaluation.fastest_precision`."""

NamedInit: TypeAlias = Literal["content", "recoloured", "style", "uniform", "normal", "grey", "style_colours"]
"""The images to start from that have a name; see :func:`pystyle.runner.initial_image`."""

Wrap: TypeAlias = Literal["both", "horizontal"]
"""The sides beyond which an image goes on with its other side: tiles do along both, panoramas along one."""

Colors: TypeAlias = Literal["style", "content", "luminance"]
"""Whose colours a picture has; see :func:`pystyle.stylize`."""

StyleLossName: TypeAlias = Literal[
    "wasserstein",
    "gram",
    "mean-std",
    "covariance",
    "mrf",
    "nearest-neighbor",
    "contextual",
    "sliced-wasserstein",
    "histogram",
    "relaxed-emd",
]
"""The style losses that have a name; see :func:`pystyle.stylize`."""

AdversarialKind: TypeAlias = Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein"]
"""What a discriminator and who paints for it play for; see :func:`pystyle.functional.generator_loss`."""

FeaturesName: TypeAlias = Literal["vgg19", "light"]
"""What a network sees images through; see :class:`pystyle.networks.AnyStyleNetwork`."""

Strength: TypeAlias = float | Literal["subtle", "balanced", "strong"]
"""How much a style counts relative to the content: a factor or its name; see :func:`pystyle.stylize`."""

Steps: TypeAlias = int | Sequence[int] | Literal["draft", "standard", "best"]
"""Steps of all levels together, those of each, or the name of a number; see :func:`pystyle.stylize`."""

Init: TypeAlias = NamedInit | Tensor | tuple[int, int]
"""An image to start from: its name, itself, or the size of noise."""
