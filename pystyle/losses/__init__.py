"""Losses: a representation of the features and a comparison of two representations."""

from pystyle.losses._adversarial import AdversarialLoss
from pystyle.losses._attention import AttentionLoss
from pystyle.losses._content import ContentLoss
from pystyle.losses._contextual import ContextualLoss
from pystyle.losses._covariance import CovarianceLoss
from pystyle.losses._gram import GramLoss, MultiLayerGramLoss
from pystyle.losses._histogram import HistogramLoss
from pystyle.losses._layer_mask import LayerMask
from pystyle.losses._loss import Loss
from pystyle.losses._lpips import LPIPSLoss
from pystyle.losses._matting import MattingLaplacianLoss
from pystyle.losses._mean import MeanLoss
from pystyle.losses._mean_std import MeanStdLoss
from pystyle.losses._mmd import MMDLoss
from pystyle.losses._moment import MomentLoss
from pystyle.losses._mrf import MRFLoss
from pystyle.losses._nearest_neighbor import NearestNeighborLoss
from pystyle.losses._p_norm import PNormLoss
from pystyle.losses._patch_nce import PatchNCELoss
from pystyle.losses._relaxed_emd import RelaxedEMDLoss
from pystyle.losses._self_similarity import SelfSimilarityLoss
from pystyle.losses._sliced_wasserstein import SlicedWassersteinLoss
from pystyle.losses._temporal import TemporalLoss
from pystyle.losses._total_variation import TotalVariationLoss
from pystyle.losses._value_range import ValueRangeLoss
from pystyle.losses._wasserstein import WassersteinLoss
from pystyle.losses._wavelet import WaveletLoss

__all__ = [
    "AdversarialLoss",
    "AttentionLoss",
    "ContentLoss",
    "ContextualLoss",
    "CovarianceLoss",
    "GramLoss",
    "HistogramLoss",
    "LPIPSLoss",
    "LayerMask",
    "Loss",
    "MMDLoss",
    "MRFLoss",
    "MattingLaplacianLoss",
    "MeanLoss",
    "MeanStdLoss",
    "MomentLoss",
    "MultiLayerGramLoss",
    "NearestNeighborLoss",
    "PNormLoss",
    "PatchNCELoss",
    "RelaxedEMDLoss",
    "SelfSimilarityLoss",
    "SlicedWassersteinLoss",
    "TemporalLoss",
    "TotalVariationLoss",
    "ValueRangeLoss",
    "WassersteinLoss",
    "WaveletLoss",
]
