r"""Luan, Paris, Shechtman, Bala 2017: deep photo style transfer.

Each region c of the photograph takes the style of its counterpart, and the result has to be locally an affine
recolouring of the photograph:

.. math:: \mathcal{L} = \sum_l \alpha_l \mathcal{L}_c^l + \Gamma \sum_l \beta_l \mathcal{L}_{s+}^l
          + \lambda \mathcal{L}_m \qquad
          \mathcal{L}_{s+}^l = \sum_c \frac{1}{2 N_l^2} \sum_{ij} (G_{l,c}[O] - G_{l,c}[S])^2_{ij} \qquad
          \mathcal{L}_m = \sum_c V_c^\top \mathcal{M} V_c

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19 as Caffe has it: max pooling that
                                                               rounds up
content               relu4_2, Σ(F - P)² / (2 N D), α = 1      relu4_2, ⟨(F - P)²⟩, weight 5
style                 relu1_1 ... relu5_1, Γ = 100, β = 1/5    the same layers, 100 a ⟨(G - A)²⟩ each; a is
                                                               the area of the region in the photograph
Gram matrix           of the features times the mask           the same, over channels, positions and the
                                                               area of the region
masks at a layer      resized                                  means of 3 x 3 at each convolution, halved
                                                               at each pooling
photorealism λ        1e4                                      the same
total variation       --                                       half of the sum of squares, 1e-3
size                  about 700                                long side 700
init                  the result without photorealism          noise of 1e-4, 1000 steps; then its result,
                                                               1000 steps with photorealism
optimizer             L-BFGS                                   its L-BFGS, 100 pairs
afterwards            --                                       local affine maps, smoothed along the edges
                                                               of the photograph: radius 15, colours 0.01
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 4 and section 4, from memory, whose λ issue 28 of the repository quotes,
and whose α, Γ and λ issue 12 of ray075hl/DeepPhotoStyle_pytorch; luanfujun/deep-photo-styletransfer, commit
4801fa2, ``neuralstyle_seg.lua``, ``deepmatting_seg.lua``, ``cuda_utils.cu``, ``gen_all.py``. With the
paper's formulas taken by the letter, Gram matrices are bare sums, beside which the other terms vanish.

What differs here: the gradient of the Gram matrices is exact, where the code's leaves out a factor of the
mask, which matters at soft edges only; colours are multiplied by 255, where the code takes 256; the code's
optional guided filter at the very end is left out.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate

from pystyle.criterion import Criterion
from pystyle.encoders import SequentialEncoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import gram_matrix, mean_squared_error, smoothed_local_affine
from pystyle.images import resize
from pystyle.losses import ContentLoss, Loss, MattingLaplacianLoss, TotalVariationLoss
from pystyle.optim import LBFGS
from pystyle.papers.gatys_2015 import MEAN_COLOUR
from pystyle.papers.gatys_2016 import CONTENT_LAYER, STYLE_LAYERS
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import MaskedImage, OptimizerFactory

__all__ = ["AugmentedGramLoss", "criterion", "layer_masks", "style_transfer"]

Variant: TypeAlias = Literal["paper", "code"]


class AugmentedGramLoss(Loss):
    """The mean squared differences of the Gram matrices of masked features, summed over regions.

    It has masks for each layer, rather than one region, because they get there in another way than those of
    :meth:`pystyle.Loss.within`.

    Args:
        image_masks: The masks of the image, all regions as channels, for each layer.
        style_masks: The masks of the reference in the same order, for each layer.
        normalized: Divide the matrices by channels, positions and the area of the region, and weigh each
            region by its area in the image. If not, they are bare sums and count alike.
        weight: Factor of each layer.
        reference: The name of the image to compare with.

    Raises:
        ValueError: If the layers of both differ.

    Shape:
        - image_masks, style_masks: (1, regions, height, width) of each layer's features

    Example:
        >>> masks = {"relu1_1": torch.ones(1, 2, 8, 8) / 2}
        >>> AugmentedGramLoss(masks, masks, weight=100.0)
        AugmentedGramLoss('relu1_1', weight=100)
    """

    reference = "style"
    spatial = "set"

    def __init__(
        self,
        image_masks: Mapping[str, Tensor],
        style_masks: Mapping[str, Tensor],
        *,
        normalized: bool = True,
        weight: float = 1.0,
        reference: str | None = None,
    ) -> None:
        layers = tuple(image_masks)
        super().__init__(layers, weight=weight, layer_weights=[1.0] * len(layers), reference=reference)
        if set(style_masks) != set(layers):
            raise ValueError(f"`style_masks` must have the layers {layers}, got {tuple(style_masks)}.")
        self.normalized = normalized
        self._layer = layers[0]
        for index, layer in enumerate(layers):
            self.register_buffer(f"_image_{index}", image_masks[layer].detach().clone())
            self.register_buffer(f"_style_{index}", style_masks[layer].detach().clone())

    def at(self, layer: str) -> "AugmentedGramLoss":
        """The loss with the masks of one layer."""
        own = copy.copy(self)
        own._layer = layer
        return own

    def represent(self, features: Tensor) -> Tensor:
        """The features as they are."""
        return features

    def prepare(self, representation: Tensor) -> Tensor:
        """The Gram matrices of the reference's regions, (batch, regions, channels, channels)."""
        return self._grams(representation, self._masks("style"))

    def compare(self, representation: Tensor, target: Tensor) -> Tensor:
        """The sum over the regions, averaged over the batch."""
        masks = self._masks("image")
        found = self._grams(representation, masks)
        areas = masks.mean((0, 2, 3)) if self.normalized else masks.new_ones(masks.shape[1])
        values = [mean_squared_error(found[:, region], target[:, region]) for region in range(len(areas))]
        return (torch.stack(values) * areas.to(found)).sum()

    def _masks(self, of: str) -> Tensor:
        masks: Tensor = self.get_buffer(f"_{of}_{self.layers.index(self._layer)}")
        return masks

    def _grams(self, features: Tensor, masks: Tensor) -> Tensor:
        if masks.shape[2:] != features.shape[2:]:
            raise ValueError(
                f"The masks must have the size of the features, {tuple(features.shape[2:])}, got "
                f"{tuple(masks.shape[2:])}. Make them of masks of the image's size with `layer_masks`."
            )
        grams = []
        for region in range(masks.shape[1]):
            mask = masks[:, region : region + 1]
            gram = gram_matrix(
                features * mask.to(features), normalization="chw" if self.normalized else "none"
            )
            # A region that is gone in this layer has a matrix of zeros, and no area to divide by.
            area = mask.mean().to(gram)
            grams.append(gram / torch.where(area > 0, area, 1) if self.normalized else gram)
        return torch.stack(grams, dim=1)


def layer_masks(
    encoder: SequentialEncoder,
    masks: Tensor,
    layers: Sequence[str] = STYLE_LAYERS,
    *,
    variant: Variant = "code",
) -> dict[str, Tensor]:
    """The masks at the layers of a VGG.

    Args:
        encoder: The network. masks: The masks of the image, all regions as channels. layers: The layers.
            variant: How masks get there: resized to the size of the features, or as the code takes them
            through the network.

    Returns:
        The masks by layer.

    Raises:
        ValueError: If `variant` is unknown, or the encoder lacks a layer.

    Shape:
        - masks: (1, regions, height, width)
        - output: (1, regions, height and width of the features)

    Example:
        >>> left = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).expand(1, 1, 6, 6)
        >>> layer_masks(vgg19(weights=None), left, ["relu1_1"])["relu1_1"][0, 0, 2]
        tensor([0.6667, 1.0000, 0.6667, 0.3333, 0.0000, 0.0000])
    """
    _check(variant)
    encoder.check_layers(layers)
    found = dict[str, Tensor]()
    carried = masks
    for name, stage in encoder.stages.items():
        if name.startswith("conv"):
            carried = avg_pool2d(carried, 3, stride=1, padding=1)
        elif name.startswith("pool"):
            up = 1 if getattr(stage, "ceil_mode", False) else 0
            half = [(side + up) // 2 for side in carried.shape[2:]]
            carried = interpolate(carried, half, mode="bilinear")
        if name in layers:
            size = (carried.shape[2], carried.shape[3])
            found[name] = carried if variant == "code" else adaptive_avg_pool2d(masks, size)
        if len(found) == len(set(layers)):
            break
    return found


def criterion(
    content: MaskedImage,
    style: MaskedImage,
    encoder: SequentialEncoder | None = None,
    *,
    variant: Variant = "code",
    content_weight: float | None = None,
    style_weight: float = 100.0,
    photorealism: float = 1e4,
    smoothness: float = 1e-3,
) -> Criterion:
    """The total loss, equation 4.

    Args:
        content: The photograph with its regions.
        style: The other photograph with regions of the same names.
        encoder: A VGG; that of the table if not given.
        variant: Whose losses.
        content_weight: α; 1 for the paper and 5 for the code if not given.
        style_weight: Γ.
        photorealism: λ; with 0 the loss is left out, as in the first stage.
        smoothness: Of the code's total variation.

    Returns:
        A criterion with the losses ``content``, ``style`` and those that are not left out of ``photorealism``
        and ``smoothness``. Its references are the images of `content` and `style` at this size.

    Raises:
        ValueError: If `variant` is unknown or the regions differ.

    Example:
        >>> image = MaskedImage(torch.rand(1, 3, 32, 32), {"all": torch.ones(1, 1, 32, 32)})
        >>> list(criterion(image, image, vgg19(weights=None)).losses)
        ['content', 'style', 'photorealism', 'smoothness']
    """
    _check(variant)
    if set(content.masks) != set(style.masks):
        raise ValueError(
            f"`style` must have the regions of `content`, {sorted(content.masks)}, got {sorted(style.masks)}."
        )
    encoder = vgg19(ceil_mode=True) if encoder is None else encoder
    height, width = content.image.shape[2:]
    at_layers = [
        layer_masks(encoder, torch.cat([image.masks[name] for name in content.masks], dim=1), variant=variant)
        for image in (content, style)
    ]
    losses: dict[str, Loss] = {}
    if variant == "paper":
        alpha = 1.0 if content_weight is None else content_weight
        losses["content"] = ContentLoss(CONTENT_LAYER, weight=alpha / 2)
        # Σ over N² entries / (2 N²) is half of their mean.
        losses["style"] = AugmentedGramLoss(*at_layers, normalized=False, weight=style_weight / 5 / 2)
    else:
        losses["content"] = ContentLoss(
            CONTENT_LAYER, weight=5.0 if content_weight is None else content_weight
        )
        losses["style"] = AugmentedGramLoss(*at_layers, weight=style_weight)
    if photorealism:
        losses["photorealism"] = MattingLaplacianLoss(weight=photorealism * height * width)
    if variant == "code" and smoothness:
        # In levels of 0 ... 255; the loss is a mean over pixels with both neighbours, of three colours.
        variation = smoothness * 255**2 * 3 * (height - 1) * (width - 1) / 2
        losses["smoothness"] = TotalVariationLoss(weight=variation)
    return Criterion(encoder, losses)


def style_transfer(
    content: Tensor | MaskedImage,
    style: Tensor | MaskedImage,
    *,
    encoder: SequentialEncoder | None = None,
    variant: Variant = "code",
    edge_size: int = 700,
    content_weight: float | None = None,
    style_weight: float = 100.0,
    photorealism: float = 1e4,
    num_steps: tuple[int, int] = (1000, 1000),
    optimizer: OptimizerFactory = partial(LBFGS, history_size=100, initial_step=None),
    callbacks: tuple[Callback, ...] = (),
    evaluation: Evaluation = EagerEvaluation(),
    seed: int = 612,
) -> tuple[Result, Result]:
    """A photograph in the style of another one that stays a photograph.

    Args:
        content: The photograph; with masks for regions, without them it is one region.
        style: The other photograph, with masks of the same names.
        encoder: A VGG; that of the table if not given.
        variant: Whose losses; with ``"code"`` the picture of the second stage goes through
            :func:`pystyle.functional.smoothed_local_affine`.
        edge_size: The long side of both images in pixels.
        content_weight: Of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        photorealism: Of :func:`criterion`, in the second stage.
        num_steps: Steps of both stages.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of both stages.
        evaluation: How the gradient is computed.
        seed: Of the noise that the first stage begins with.

    Returns:
        The results of both stages; the second has the picture, clipped to [0, 1].

    Raises:
        ValueError: If `variant` is unknown, the regions differ, or an argument of
            :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> photo, other = torch.rand(1, 3, 32, 24), torch.rand(1, 3, 32, 32)
        >>> first, second = style_transfer(
        ...     photo, other, encoder=vgg19(weights=None), edge_size=32, num_steps=(1, 1)
        ... )
        >>> second.image.shape
        torch.Size([1, 3, 32, 24])
    """
    encoder = vgg19(ceil_mode=True) if encoder is None else encoder
    photograph, other = _sized(content, edge_size), _sized(style, edge_size)
    generator = torch.Generator().manual_seed(seed)
    noise = 1e-4 / 255 * torch.randn(photograph.image.shape, generator=generator)
    start = torch.tensor(MEAN_COLOUR).reshape(1, 3, 1, 1) + noise
    results = list[Result]()
    for stage, steps in enumerate(num_steps):
        objective = criterion(
            photograph, other, encoder, variant=variant, content_weight=content_weight,
            style_weight=style_weight, photorealism=photorealism if stage else 0.0,
        )  # fmt: skip
        result = optimize_image(
            objective,
            {"content": photograph.image, "style": other.image},
            init=results[0].image if results else start.to(photograph.image),
            optimizer=optimizer,
            num_steps=steps,
            bounds=None,
            callbacks=callbacks,
            evaluation=evaluation,
        )
        results.append(result)
    if variant == "code":
        picture = smoothed_local_affine(results[1].image, photograph.image).clamp(0, 1)
        results[1] = replace(results[1], image=picture)
    return results[0], results[1]


def _sized(image: Tensor | MaskedImage, edge_size: int) -> MaskedImage:
    if not isinstance(image, MaskedImage):
        small = resize(image, edge_size, edge="long", interpolation="bilinear")
        return MaskedImage(small, {"all": torch.ones_like(small[:1, :1])})
    small = resize(image.image, edge_size, edge="long", interpolation="bilinear")
    size = (small.shape[2], small.shape[3])
    masks = {name: resize(mask, size, interpolation="bilinear") for name, mask in image.masks.items()}
    return MaskedImage(small, masks)


def _check(variant: str) -> None:
    if variant not in ("paper", "code"):
        raise ValueError(f"`variant` must be 'paper' or 'code', got {variant!r}.")
