"""Losses: a representation of the features and a comparison of two representations."""

from pystyle.losses._content import ContentLoss
from pystyle.losses._contextual import ContextualLoss
from pystyle.losses._gram import GramLoss, MultiLayerGramLoss
from pystyle.losses._loss import Loss
from pystyle.losses._mean_std import MeanStdLoss
from pystyle.losses._mrf import MRFLoss
from pystyle.losses._nearest_neighbor import NearestNeighborLoss
from pystyle.losses._total_variation import TotalVariationLoss
from pystyle.losses._wasserstein import WassersteinLoss

__all__ = [
    "ContentLoss",
    "ContextualLoss",
    "GramLoss",
    "Loss",
    "MRFLoss",
    "MeanStdLoss",
    "MultiLayerGramLoss",
    "NearestNeighborLoss",
    "TotalVariationLoss",
    "WassersteinLoss",
]
