"""The mathematics of style transfer as pure functions of tensors.

Statistics are computed in float32 at least, whatever the precision of the features and whatever
`torch.autocast` says: a Gram entry of the Caffe VGG-19 reaches 1e10, far beyond what float16 holds.
"""

from pystyle.functional._absolute_errors import mean_absolute_error, scaled_squared_error
from pystyle.functional._adversarial import discriminator_loss, generator_loss, told_apart
from pystyle.functional._angles import cosine_distance, spherical_distance
from pystyle.functional._attention import attention_features
from pystyle.functional._contextual import contextual_similarity
from pystyle.functional._differentiable_augmentation import differentiable_augmentation
from pystyle.functional._distances import mean_squared_error, unit_vectors
from pystyle.functional._entropy import nearest_neighbor_entropy
from pystyle.functional._flow import reliability, warp
from pystyle.functional._gradient_penalty import gradient_penalty, real_gradient_penalty
from pystyle.functional._gram import gram_matrix
from pystyle.functional._hypercolumns import hypercolumns
from pystyle.functional._local_affine import smoothed_local_affine
from pystyle.functional._matrix_root import matrix_square_root, trace_of_square_root
from pystyle.functional._matting import matting_energy, matting_laplacian
from pystyle.functional._maximum_mean_discrepancy import maximum_mean_discrepancy
from pystyle.functional._moments import (
    RawMoments,
    channel_mean_std,
    channel_means,
    covariance,
    mean_std,
    raw_moments,
)
from pystyle.functional._neighbors import (
    mrf_energy,
    nearest_neighbor_distance,
    nearest_neighbors,
    replace_features,
)
from pystyle.functional._patch_nce import patch_nce
from pystyle.functional._patches import patches
from pystyle.functional._position_attention import position_attention
from pystyle.functional._range import p_norm, range_excess
from pystyle.functional._relaxed_emd import relaxed_earth_movers_distance
from pystyle.functional._sampling import grid_positions, random_directions
from pystyle.functional._self_similarity import self_similarity
from pystyle.functional._transport import (
    histogram_match,
    quantile_distance,
    sliced_wasserstein_distance,
    sorted_projections,
)
from pystyle.functional._variation import total_variation
from pystyle.functional._wasserstein import gaussian_wasserstein_distance
from pystyle.functional._wavelet import wavelet_norm

__all__ = [
    "RawMoments",
    "attention_features",
    "channel_mean_std",
    "channel_means",
    "contextual_similarity",
    "cosine_distance",
    "covariance",
    "differentiable_augmentation",
    "discriminator_loss",
    "gaussian_wasserstein_distance",
    "generator_loss",
    "gradient_penalty",
    "gram_matrix",
    "grid_positions",
    "histogram_match",
    "hypercolumns",
    "matrix_square_root",
    "matting_energy",
    "matting_laplacian",
    "maximum_mean_discrepancy",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_std",
    "mrf_energy",
    "nearest_neighbor_distance",
    "nearest_neighbor_entropy",
    "nearest_neighbors",
    "p_norm",
    "patch_nce",
    "patches",
    "position_attention",
    "quantile_distance",
    "random_directions",
    "range_excess",
    "raw_moments",
    "real_gradient_penalty",
    "relaxed_earth_movers_distance",
    "reliability",
    "replace_features",
    "scaled_squared_error",
    "self_similarity",
    "sliced_wasserstein_distance",
    "smoothed_local_affine",
    "sorted_projections",
    "spherical_distance",
    "told_apart",
    "total_variation",
    "trace_of_square_root",
    "unit_vectors",
    "warp",
    "wavelet_norm",
]
