"""pystyle: neural style transfer for researchers.

An encoder turns an image into features, losses say what those features should look like, a
criterion composes them, an optimizer moves the image, and a runner drives the loop. Every piece
is a small class that can be replaced without touching the others.
"""

from pystyle._version import __version__
from pystyle.criterion import Criterion, Objective, Terms
from pystyle.encoders import Encoder
from pystyle.losses import (
    ContentLoss,
    ContextualLoss,
    CovarianceLoss,
    GramLoss,
    HistogramLoss,
    Loss,
    LPIPSLoss,
    MattingLaplacianLoss,
    MeanLoss,
    MeanStdLoss,
    MMDLoss,
    MomentLoss,
    MRFLoss,
    MultiLayerGramLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    PNormLoss,
    RelaxedEMDLoss,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TemporalLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WassersteinLoss,
    WaveletLoss,
)
from pystyle.pyramid import Pyramid
from pystyle.runner import Result, Runner, optimize_image
from pystyle.stylization import stylize
from pystyle.typing import MaskedImage

__all__ = [
    "ContentLoss",
    "ContextualLoss",
    "CovarianceLoss",
    "Criterion",
    "Encoder",
    "GramLoss",
    "HistogramLoss",
    "LPIPSLoss",
    "Loss",
    "MMDLoss",
    "MRFLoss",
    "MaskedImage",
    "MattingLaplacianLoss",
    "MeanLoss",
    "MeanStdLoss",
    "MomentLoss",
    "MultiLayerGramLoss",
    "NearestNeighborLoss",
    "Objective",
    "PNormLoss",
    "PatchNCELoss",
    "Pyramid",
    "RelaxedEMDLoss",
    "Result",
    "Runner",
    "SelfSimilarityLoss",
    "SlicedWassersteinLoss",
    "TemporalLoss",
    "Terms",
    "TotalVariationLoss",
    "ValueRangeLoss",
    "WassersteinLoss",
    "WaveletLoss",
    "__version__",
    "optimize_image",
    "stylize",
]
