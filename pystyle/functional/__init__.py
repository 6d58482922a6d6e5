"""The mathematics of style transfer as pure functions of tensors.

Statistics are computed in float32 at least, whatever the precision of the features and whatever
`torch.autocast` says: a Gram entry of the Caffe VGG-19 reaches 1e10, far beyond what float16 holds.
"""

from pystyle.functional._contextual import contextual_similarity
from pystyle.functional._distances import mean_squared_error
from pystyle.functional._gram import gram_matrix
from pystyle.functional._matrix_root import matrix_square_root, trace_of_square_root
from pystyle.functional._moments import RawMoments, covariance, mean_std, raw_moments
from pystyle.functional._neighbors import (
    mrf_energy,
    nearest_neighbor_distance,
    nearest_neighbors,
    replace_features,
)
from pystyle.functional._patches import patches
from pystyle.functional._variation import total_variation
from pystyle.functional._wasserstein import gaussian_wasserstein_distance

__all__ = [
    "RawMoments",
    "contextual_similarity",
    "covariance",
    "gaussian_wasserstein_distance",
    "gram_matrix",
    "matrix_square_root",
    "mean_squared_error",
    "mean_std",
    "mrf_energy",
    "nearest_neighbor_distance",
    "nearest_neighbors",
    "patches",
    "raw_moments",
    "replace_features",
    "total_variation",
    "trace_of_square_root",
]
