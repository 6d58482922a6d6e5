from functools import partial
from typing import Literal

from pystyle._arguments import number
from pystyle.criterion import Criterion
from pystyle.encoders import Encoder, HypercolumnEncoder, vgg16
from pystyle.losses import RelaxedEMDLoss, SelfSimilarityLoss
from pystyle.papers._variants import Variant, check_variant
from pystyle.papers.kolkin_2019._mean_self_similarity import MeanSelfSimilarityLoss
from pystyle.papers.kolkin_2019._sampled_moments import SampledMomentLoss
from pystyle.typing import IMAGE

LAYERS = (
    "relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu3_3", "relu4_3", "relu5_3",
)  # fmt: skip
COLUMNS = "hypercolumns"


def criterion(
    encoder: Encoder | None = None,
    *,
    variant: Variant = "code",
    alpha: float = 16.0,
    emd_weight: float = 1.0,
    moment_weight: float = 1.0,
    palette_weight: float = 1.0,
    distance: Literal["cosine", "euclidean"] = "cosine",
    num_samples: int = 1024,
    num_style_samples: int = 5000,
    resample: bool = True,
    seed: int = 0,
) -> Criterion:
    """The four terms with their weights at one level.

    Args:
        encoder: A network with the layers of the table; its hypercolumns are formed here. VGG-16 if not
            given; :func:`~pystyle.papers.kolkin_2019.vgg16_stand_in` where that cannot be downloaded.
        variant: Whose weights.
        alpha: How much the content counts.
        emd_weight: Factor of the relaxed earth mover's distance. The paper's ablation leaves out one term of
            the style or another: so does a factor of 0.
        moment_weight: Factor of the moments.
        palette_weight: Factor of the palette.
        distance: What hypercolumns are compared by in the relaxed earth mover's distance.
        num_samples: Positions of the image.
        num_style_samples: Positions of the style.
        resample: Take other positions of the image at each evaluation.
        seed: Of the positions.

    Returns:
        A criterion with the losses ``content``, ``style``, ``moments`` and ``palette``.

    Raises:
        ValueError: If `variant` or `distance` is unknown, or `alpha` is not positive.

    Example:
        >>> losses = criterion(vgg16(weights=None), alpha=2.0).losses
        >>> {name: round(loss.weight, 4) for name, loss in losses.items()}
        {'content': 0.5, 'style': 0.25, 'moments': 0.25, 'palette': 0.125}
    """
    check_variant(variant)
    alpha = number(alpha, "`alpha`", above=0)
    encoder = vgg16() if encoder is None else encoder
    self_similarity: type[SelfSimilarityLoss]
    if variant == "paper":
        of_palette, whole = 1 / alpha, 2 + alpha + 1 / alpha
        of_content, self_similarity = alpha, MeanSelfSimilarityLoss
    else:
        of_palette, whole = 1 / max(alpha, 1.0), 2 + alpha
        of_content, self_similarity = alpha, SelfSimilarityLoss
    relaxed_emd = partial(
        RelaxedEMDLoss,
        num_samples=num_style_samples,
        num_image_samples=num_samples,
        resample=resample,
        seed=seed,
    )
    return Criterion(
        HypercolumnEncoder(encoder, {COLUMNS: [IMAGE, *LAYERS]}),
        {
            "content": self_similarity(
                COLUMNS, weight=of_content / whole, num_samples=num_samples, resample=resample, seed=seed
            ),
            "style": relaxed_emd(COLUMNS, distance=distance, weight=emd_weight / whole),
            "moments": SampledMomentLoss(
                COLUMNS,
                weight=moment_weight / whole,
                num_samples=num_samples,
                num_style_samples=num_style_samples,
                resample=resample,
                seed=seed,
            ),
            "palette": relaxed_emd(IMAGE, distance="palette", weight=palette_weight * of_palette / whole),
        },
    )
