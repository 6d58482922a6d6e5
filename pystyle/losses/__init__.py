"""Losses: a representation of the features and a comparison of two representations."""

from pystyle.losses._content import ContentLoss
from pystyle.losses._gram import GramLoss, MultiLayerGramLoss
from pystyle.losses._loss import Loss
from pystyle.losses._lpips import LPIPSLoss
from pystyle.losses._matting import MattingLaplacianLoss
from pystyle.losses._mean_std import MeanStdLoss
from pystyle.losses._p_norm import PNormLoss
from pystyle.losses._temporal import TemporalLoss
from pystyle.losses._total_variation import TotalVariationLoss
from pystyle.losses._value_range import ValueRangeLoss
from pystyle.losses._wasserstein import WassersteinLoss
from pystyle.losses._wavelet import WaveletLoss

__all__ = [
    "ContentLoss",
    "GramLoss",
    "LPIPSLoss",
    "Loss",
    "MattingLaplacianLoss",
    "MeanStdLoss",
    "MultiLayerGramLoss",
    "PNormLoss",
    "TemporalLoss",
    "TotalVariationLoss",
    "ValueRangeLoss",
    "WassersteinLoss",
    "WaveletLoss",
]
