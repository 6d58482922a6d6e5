r"""Gatys, Ecker, Bethge, Hertzmann, Shechtman 2017: controlling perceptual factors in neural style transfer.

:Paper: https://doi.org/10.1109/CVPR.2017.397
:Paper: https://arxiv.org/abs/1611.07865
:Code: https://github.com/leongatys/NeuralImageSynthesis/tree/cced0b9

Where: each region r of the photograph has a Gram matrix of its own (section 4, guided Gram matrices),

.. math:: E_l = \frac{1}{4 N_l^2} \sum_r \lambda_r \sum_{ij} (G^{l,r}_{ij} - A^{l,r}_{ij})^2 \qquad
          G^{l,r} = \sum_p (T^r_p)^2 F_p F_p^\top \qquad \sum_p (T^r_p)^2 = 1

or only a sum of its features, beside one Gram matrix of the whole image (guided sums). Whose colours:
section 5. Strokes of which size: section 6.

==================  =======================================  =============================================
what                paper                                    authors' code
==================  =======================================  =============================================
network             VGG-19, mean activations of 1            VGG-19 as Caffe has it, max pooling
content             relu4_2, mean of squares                 the same, weight 1
style               relu1_1 ... relu5_1, E, equal weights    the same layers, ⟨ΔG²⟩, weights 1000 / N²
regions λ           1                                        1 / number of regions
guided sums         entries of the Gram matrix of [F, T]:    ⟨(Δ⟨F T⟩)²⟩, weights 1e9 / N² / regions (one
                    2 Σ Δ² / (4 N²)                          painting), 5e7 / N² / regions (several)
Gram beside them    E of the whole image                     1000 / N², divided among the paintings
guides T            inside: neurons that see the region      one painting: inside, grown by 3 positions
                    only; all; or resized                    (Gram) or by none (sums); several: resized
colours, matched    mean and covariance of the style         the same: ``pca``, variances + 1e-5
                    become those of the content
luminance           style gets mean and standard deviation   the mean only
                    of the content
mixed scales        fine style on the image of the coarse    up to relu2_1 (512) and relu4_1 (1024), 1000 /
                    style, Gram matrices of early layers     layers each, 500 and 200 steps
sizes               500, then 1000                           area of 512², then 1024², at most
init                content, then enlarged                   the same
optimizer           L-BFGS                                   its L-BFGS, 100 pairs, 500 and 200 evaluations
==================  =======================================  =============================================

Sources: the paper's sections 2 and 4 to 6, from memory; leongatys/NeuralImageSynthesis, commit cced0b9,
``SpatialControl.ipynb``, ``ColourControl.ipynb``, ``ScaleControl.ipynb``, ``LossLayers.lua``. The paper's
ratio of style and content is that of the notebooks for normalised weights.

What differs here: soft masks weigh F Fᵀ by T, where the code takes T²; masks are resized by means over
areas, where it takes splines; what a neuron sees is derived, where it is found by trying; colours are not
dulled by 1e-5 (see :func:`pystyle.colors.match_colors`); images are resampled bilinearly.
"""

from pystyle.papers.gatys_2017._colors import recoloured
from pystyle.papers.gatys_2017._criterion import criterion
from pystyle.papers.gatys_2017._guided_sums import GuidedSumLoss
from pystyle.papers.gatys_2017._mixed_scales import mixed_scales
from pystyle.papers.gatys_2017._style_transfer import style_transfer

__all__ = ["GuidedSumLoss", "criterion", "mixed_scales", "recoloured", "style_transfer"]
