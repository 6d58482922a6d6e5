"""The mathematics of style transfer as pure functions of tensors.

Statistics are computed in float32 at least, whatever the precision of the features and whatever
`torch.autocast` says: a Gram entry of the Caffe VGG-19 reaches 1e10, far beyond what float16 holds.
"""

from pystyle.functional._distances import mean_squared_error, unit_vectors
from pystyle.functional._flow import reliability, warp
from pystyle.functional._gram import gram_matrix
from pystyle.functional._matrix_root import matrix_square_root, trace_of_square_root
from pystyle.functional._matting import matting_energy, matting_laplacian
from pystyle.functional._moments import RawMoments, covariance, mean_std, raw_moments
from pystyle.functional._range import p_norm, range_excess
from pystyle.functional._variation import total_variation
from pystyle.functional._wasserstein import gaussian_wasserstein_distance
from pystyle.functional._wavelet import wavelet_norm

__all__ = [
    "RawMoments",
    "covariance",
    "gaussian_wasserstein_distance",
    "gram_matrix",
    "matrix_square_root",
    "matting_energy",
    "matting_laplacian",
    "mean_squared_error",
    "mean_std",
    "p_norm",
    "range_excess",
    "raw_moments",
    "reliability",
    "total_variation",
    "trace_of_square_root",
    "unit_vectors",
    "warp",
    "wavelet_norm",
]
