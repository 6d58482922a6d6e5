r"""Luan, Paris, Shechtman, Bala 2017: deep photo style transfer.

:Paper: https://arxiv.org/abs/1703.07511
:Code: https://github.com/luanfujun/deep-photo-styletransfer/tree/4801fa2

Each region c of the photograph takes the style of its counterpart, and the result has to be locally an affine
recolouring of the photograph:

.. math:: \mathcal{L} = \sum_l \alpha_l \mathcal{L}_c^l + \Gamma \sum_l \beta_l \mathcal{L}_{s+}^l
          + \lambda \mathcal{L}_m \qquad
          \mathcal{L}_{s+}^l = \sum_c \frac{1}{2 N_l^2} \sum_{ij} (G_{l,c}[O] - G_{l,c}[S])^2_{ij} \qquad
          \mathcal{L}_m = \sum_c V_c^\top \mathcal{M} V_c

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19 as Caffe has it: max pooling that
                                                               rounds up
content               relu4_2, Σ(F - P)² / (2 N D), α = 1      relu4_2, ⟨(F - P)²⟩, weight 5
style                 relu1_1 ... relu5_1, Γ = 100, β = 1/5    the same layers, 100 a ⟨(G - A)²⟩ each; a is
                                                               the area of the region in the photograph
Gram matrix           of the features times the mask           the same, over channels, positions and the
                                                               area of the region
masks at a layer      resized                                  means of 3 x 3 at each convolution, halved
                                                               at each pooling
photorealism λ        1e4                                      the same
total variation       --                                       half of the sum of squares, 1e-3
size                  about 700                                long side 700
init                  the result without photorealism          noise of 1e-4, 1000 steps; then its result,
                                                               1000 steps with photorealism
optimizer             L-BFGS                                   its L-BFGS, 100 pairs
afterwards            --                                       local affine maps, smoothed along the edges
                                                               of the photograph: radius 15, colours 0.01
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 4 and section 4, from memory, whose λ issue 28 of the repository quotes,
and whose α, Γ and λ issue 12 of ray075hl/DeepPhotoStyle_pytorch; luanfujun/deep-photo-styletransfer, commit
4801fa2, ``neuralstyle_seg.lua``, ``deepmatting_seg.lua``, ``cuda_utils.cu``, ``gen_all.py``. With the
paper's formulas taken by the letter, Gram matrices are bare sums, beside which the other terms vanish.

What differs here: the gradient of the Gram matrices is exact, where the code's leaves out a factor of the
mask, which matters at soft edges only; colours are multiplied by 255, where the code takes 256; the code's
optional guided filter at the very end is left out.
"""

from pystyle.papers.luan_2017._augmented_gram import AugmentedGramLoss
from pystyle.papers.luan_2017._criterion import criterion
from pystyle.papers.luan_2017._layer_masks import layer_masks
from pystyle.papers.luan_2017._style_transfer import style_transfer

__all__ = ["AugmentedGramLoss", "criterion", "layer_masks", "style_transfer"]
