r"""Li, Wand 2016: Markov random fields and convolutional networks (CNNMRF).

Each 3 x 3 patch Ψ of the features is pulled to the most similar patch of the painting:

.. math:: E_s = \sum_l \sum_i \left\| \Psi_i(\Phi^l(x)) - \Psi_{NN(i)}(\Phi^l(x_s)) \right\|^2 \qquad
          NN(i) = \arg\max_j \frac{\Psi_i \cdot \Psi_j}{|\Psi_i| |\Psi_j|}

.. math:: E = E_s + \alpha_1 \left\| \Phi(x) - \Phi(x_c) \right\|^2 + \alpha_2 \Upsilon(x)

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19 as Caffe has it, max pooling
style                 relu3_1, relu4_1, every patch, sum of    relu3_1, relu4_1, every second patch, ½ Σ
                      squares, weight 1                        (F - average of the matched patches)²,
                                                               weight 1e-4
content               relu4_2, sum of squares, weight 1        relu4_1, mean of squares, weight 20
total variation       sum of squares, 1e-3                     half of the sum of squares, 1e-3
views of the style    scales 0.85 ... 1.15, turned by up to    ``run_trans.lua``: scales by 1.05, turned
                      15 degrees                               by 7.5 degrees; in others none
levels                halved while above 64                    long side 96, 192, 384
steps                 200 at each level                        100 at each level
optimizer             L-BFGS                                   L-BFGS, 25 pairs, no line search
init                  content, or noise                        content, then enlarged bilinearly
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 5 and section 6, its weights and views as pystiche's authors quote
them; chuanli11/CNNMRF, commit fddcf4d, ``mylib/mrf.lua``, ``cnnmrf.lua``, ``run_trans.lua``. The code has
a gradient and no loss: where patches overlap, the differences are averaged. The loss here has that
gradient.

What differs here: the optimizer sees the loss, where the code reports 0; colours are multiplied by 255,
where the code takes 256; views are resampled by cubic kernels.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, vgg19
from pystyle.evaluation import EagerEvaluation, Evaluation
from pystyle.functional import nearest_neighbors, patches
from pystyle.images import resize, scaled_size
from pystyle.losses import ContentLoss, Loss, MRFLoss, TotalVariationLoss
from pystyle.optim import LBFGS
from pystyle.papers._variants import Variant, check_variant
from pystyle.runner import Callback, Result, optimize_image
from pystyle.typing import OptimizerFactory

__all__ = ["AveragedPatchesLoss", "criterion", "style_transfer"]

STYLE_LAYERS = ("relu3_1", "relu4_1")
CHANNELS = {"relu3_1": 256, "relu4_1": 512, "relu4_2": 512}


class AveragedPatchesLoss(MRFLoss):
    r"""Half the sum of squares to the average of the matched patches: what the code's gradient is that of.

    .. math:: \frac12 \sum_p \left\| F_p - \frac{1}{n_p} \sum_{i \ni p} \Psi_{NN(i)}(p) \right\|^2

    The average counts as a constant.

    Args:
        layers: One layer or several.
        layer_weights: Factor of each layer.
        stride: The distance between patches.
        rotations: Angles of the reference; see :class:`pystyle.MRFLoss`.
        scales: Sizes of the reference.

    Raises:
        ValueError: As :class:`pystyle.MRFLoss`.

    Example:
        >>> AveragedPatchesLoss("relu3_1", layer_weights=[1e-4]).stride
        2
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        *,
        layer_weights: Sequence[float],
        stride: int = 2,
        rotations: Sequence[float] = (0.0,),
        scales: Sequence[float] = (1.0,),
    ) -> None:
        super().__init__(
            layers, layer_weights=layer_weights, stride=stride, rotations=rotations, scales=scales
        )

    def represent(self, features: Tensor) -> Any:
        """The features and their patches."""
        return features, super().represent(features)

    def join(self, representations: Sequence[tuple[Any, float]]) -> list[tuple[Tensor, float]]:
        """The patches of all views as one set."""
        return super().join([(each[1], weight) for each, weight in representations])

    def prepare(self, representation: Any) -> Tensor:
        """The patches alone."""
        taken: Tensor = representation if isinstance(representation, Tensor) else representation[1]
        return taken

    def compare(self, representation: Any, target: Tensor) -> Tensor:
        """Half the sum of squares, averaged over the batch."""
        features, own = representation
        indices = nearest_neighbors(own, target)
        matched = target.gather(2, indices.unsqueeze(1).expand(-1, target.shape[1], -1))
        with torch.enable_grad():
            leaf = torch.zeros_like(features, requires_grad=True)
            taken = patches(leaf, self.patch_size, stride=self.stride)
        # The transpose of taking patches adds up what they have at each position.
        (sums,) = torch.autograd.grad(taken, leaf, matched.to(taken), retain_graph=True)
        (counts,) = torch.autograd.grad(taken, leaf, torch.ones_like(taken))
        distance: Tensor = (features - sums / counts).square().sum() / 2
        return distance / len(features)


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    size: tuple[int, int] = (384, 384),
    content_weight: float | None = None,
    style_weight: float | None = None,
    smoothness: float = 1e-3,
    rotations: Sequence[float] = (0.0,),
    scales: Sequence[float] = (1.0,),
) -> Criterion:
    """The energy, equation 1.

    Args:
        encoder: The network; that of the table if not given.
        variant: Whose energy.
        size: Height and width of the image in pixels, on which the weights of sums over positions depend.
        content_weight: α₁; that of the table if not given.
        style_weight: The factor of E_s; that of the table if not given.
        smoothness: α₂.
        rotations: The painting is turned by these angles in degrees, too.
        scales: The painting is taken at these sizes, too.

    Returns:
        A criterion with the losses ``content``, ``style`` and ``smoothness``.

    Raises:
        ValueError: If `variant` is unknown, or there are no rotations or scales.

    Example:
        >>> criterion(vgg19(weights=None)).losses["content"]
        ContentLoss('relu4_1', weight=20)
    """
    check_variant(variant)
    encoder = vgg19() if encoder is None else encoder
    sides = {layer: [side // encoder.stride(layer) for side in size] for layer in CHANNELS}
    style: Loss
    # In levels of 0 ... 255; the loss is a mean over the pixels that have both neighbours, of three colours.
    variation = smoothness * 255**2 * 3 * (size[0] - 1) * (size[1] - 1)
    if variant == "paper":
        each = 1.0 if style_weight is None else style_weight
        # The sum over patches of 9 N values is so many times their mean.
        weights = [
            each * 9 * CHANNELS[layer] * math.prod(side - 2 for side in sides[layer])
            for layer in STYLE_LAYERS
        ]
        style = MRFLoss(STYLE_LAYERS, layer_weights=weights, rotations=rotations, scales=scales)
        num_values = CHANNELS["relu4_2"] * math.prod(sides["relu4_2"])
        content = ContentLoss(
            "relu4_2", weight=num_values * (1.0 if content_weight is None else content_weight)
        )
    else:
        each = 1e-4 if style_weight is None else style_weight
        style = AveragedPatchesLoss(
            STYLE_LAYERS, layer_weights=[each] * 2, rotations=rotations, scales=scales
        )
        content = ContentLoss("relu4_1", weight=20.0 if content_weight is None else content_weight)
        variation /= 2
    return Criterion(
        encoder, {"content": content, "style": style, "smoothness": TotalVariationLoss(weight=variation)}
    )


def style_transfer(
    content: Tensor,
    style: Tensor,
    *,
    encoder: Encoder | None = None,
    variant: Variant = "code",
    edge_sizes: Sequence[int] = (96, 192, 384),
    num_steps: int | None = None,
    content_weight: float | None = None,
    style_weight: float | None = None,
    rotations: Sequence[float] | None = None,
    scales: Sequence[float] | None = None,
    optimizer: OptimizerFactory = partial(LBFGS, history_size=25, initial_step=None),
    callbacks: Sequence[Callback] = (),
    evaluation: Evaluation = EagerEvaluation(),
) -> list[Result]:
    """A photograph in the patches of a painting, from coarse to fine.

    Args:
        content: The photograph, at its full size.
        style: The painting, at its full size.
        encoder: The network; see the table of the module.
        variant: Whose energy, steps and views.
        edge_sizes: The long side of both images at each level in pixels.
        num_steps: Steps at each level; 200 for the paper and 100 for the code if not given.
        content_weight: α₁ of :func:`criterion`.
        style_weight: Of :func:`criterion`.
        rotations: Angles of the painting; (-15, -7.5, 0, 7.5, 15) for the paper and none for the code if not
            given.
        scales: Sizes of the painting; 0.85 to 1.15 in steps of 0.05 for the paper and none for the code if
            not given.
        optimizer: Any optimizer class of torch or pystyle, or a `functools.partial` of one.
        callbacks: Called with a step after each step of all levels.
        evaluation: How the gradient is computed.

    Returns:
        The result of each level; the last has the picture, clipped to [0, 1]. One that diverged or was
        interrupted is the last.

    Raises:
        ValueError: If `variant` is unknown, or an argument of :func:`~pystyle.optimize_image` is wrong.

    Shape:
        - content, style: (1, 3, height, width), RGB in [0, 1]

    Example:
        >>> photo, painting = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 64, 64)
        >>> levels = style_transfer(
        ...     photo, painting, encoder=vgg19(weights=None), edge_sizes=(48, 64), num_steps=1
        ... )
        >>> [tuple(level.image.shape[2:]) for level in levels]
        [(48, 36), (64, 48)]
    """
    paper = variant == "paper"
    if rotations is None:
        rotations = (-15.0, -7.5, 0.0, 7.5, 15.0) if paper else (0.0,)
    if scales is None:
        scales = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15) if paper else (1.0,)
    encoder = vgg19() if encoder is None else encoder
    results = list[Result]()
    for edge_size in edge_sizes:
        size = scaled_size((content.shape[2], content.shape[3]), edge_size, edge="long")
        photograph = resize(content, size)
        start = resize(results[-1].image, size, interpolation="bilinear") if results else photograph
        results.append(
            optimize_image(
                criterion(
                    encoder, variant=variant, size=size, content_weight=content_weight,
                    style_weight=style_weight, rotations=rotations, scales=scales,
                ),
                {"content": photograph, "style": resize(style, edge_size, edge="long")},
                init=start,
                optimizer=optimizer,
                num_steps=num_steps if num_steps is not None else (200 if paper else 100),
                bounds=None,
                callbacks=callbacks,
                evaluation=evaluation,
            )
        )  # fmt: skip
        if results[-1].failed:
            break
    return results
