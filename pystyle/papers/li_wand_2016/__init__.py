r"""Li, Wand 2016: Markov random fields and convolutional networks (CNNMRF).

:Paper: https://doi.org/10.1109/CVPR.2016.272
:Paper: https://arxiv.org/abs/1601.04589
:Code: https://github.com/chuanli11/CNNMRF/tree/fddcf4d

Each 3 x 3 patch Ψ of the features is pulled to the most similar patch of the painting:

.. math:: E_s = \sum_l \sum_i \left\| \Psi_i(\Phi^l(x)) - \Psi_{NN(i)}(\Phi^l(x_s)) \right\|^2 \qquad
          NN(i) = \arg\max_j \frac{\Psi_i \cdot \Psi_j}{|\Psi_i| |\Psi_j|}

.. math:: E = E_s + \alpha_1 \left\| \Phi(x) - \Phi(x_c) \right\|^2 + \alpha_2 \Upsilon(x)

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-19                                   VGG-19 as Caffe has it, max pooling
style                 relu3_1, relu4_1, every patch, sum of    relu3_1, relu4_1, every second patch, ½ Σ
                      squares, weight 1                        (F - average of the matched patches)²,
                                                               weight 1e-4
content               relu4_2, sum of squares, weight 1        relu4_1, mean of squares, weight 20
total variation       sum of squares, 1e-3                     half of the sum of squares, 1e-3
views of the style    scales 0.85 ... 1.15, turned by up to    ``run_trans.lua``: scales by 1.05, turned
                      15 degrees                               by 7.5 degrees; in others none
levels                halved while above 64                    long side 96, 192, 384
steps                 200 at each level                        100 at each level
optimizer             L-BFGS                                   L-BFGS, 25 pairs, no line search
init                  content, or noise                        content, then enlarged bilinearly
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 5 and section 6, its weights and views as pystiche's authors quote
them; chuanli11/CNNMRF, commit fddcf4d, ``mylib/mrf.lua``, ``cnnmrf.lua``, ``run_trans.lua``. The code has
a gradient and no loss: where patches overlap, the differences are averaged. The loss here has that
gradient.

What differs here: the optimizer sees the loss, where the code reports 0; colours are multiplied by 255,
where the code takes 256; views are resampled by cubic kernels.
"""

from pystyle.papers.li_wand_2016._averaged_patches import AveragedPatchesLoss
from pystyle.papers.li_wand_2016._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.li_wand_2016._criterion import criterion
from pystyle.papers.li_wand_2016._style_transfer import style_transfer

__all__ = ["AveragedPatchesLoss", "criterion", "style_transfer"]
