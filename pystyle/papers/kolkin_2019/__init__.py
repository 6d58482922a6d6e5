r"""Kolkin, Salavon, Shakhnarovich 2019: relaxed optimal transport and self-similarity (STROTSS).

:Paper: https://arxiv.org/abs/1904.12785
:Code: https://github.com/nkolkin13/STROTSS/tree/9a1543a

.. math:: \mathcal{L} = \frac{\alpha \ell_C + \ell_m + \ell_r + \ell_p / \alpha}{2 + \alpha + 1 / \alpha}

with the relaxed earth mover's distance of hypercolumns (r), their moments (m), the palette (p) and the
differences of self-similarities (C).

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
network               VGG-16 of torchvision                    the same
hypercolumn           colours and nine layers, 2179 channels   relu1_1, 1_2, 2_1, 2_2, 3_1, 3_2, 3_3, 4_3,
                                                               5_3
divided by            2 + α + 1/α                              2 + α
palette               1/α, cosine + Euclidean                  1/max(α, 1), cosine + root of the mean
                                                               square, of rotated colours
self-similarity       mean                                     mean times the number of positions
α                     16 at the coarsest level, halved at      the same
                      each
levels                long side 64, 128, 256, 512              the same
samples               1024 of the image                        1024 of the image, 5 x 1000 of the style
what is moved         a Laplacian pyramid of 5 levels          the same
optimizer             RMSprop, 0.002, 0.001 at the last        the same, 250 steps at each level
                      level; 200 steps
init                  mean colour of the style + detail of     the same; the detail of the content is added
                      the content                              at every level but the last
====================  =======================================  ==========================================

Sources: the paper's equations 1 to 9 and section 3; nkolkin13/STROTSS, commit 9a1543a (which normalises
colours, as the first version did not), ``styleTransfer.py``, ``st_helper.py``, ``stylize_objectives.py``,
``contextual_loss.py``, ``vgg_pt.py``.

What differs here: positions lie on a grid that is another one at each step, where the code shuffles rows
and columns apart; the rotation of the colours changes no distance and is left out; the image is clamped to
[0, 1] during the run.
"""

from pystyle.papers.kolkin_2019._criterion import COLUMNS as COLUMNS
from pystyle.papers.kolkin_2019._criterion import LAYERS as LAYERS
from pystyle.papers.kolkin_2019._criterion import criterion
from pystyle.papers.kolkin_2019._sampled_moments import SampledMomentLoss
from pystyle.papers.kolkin_2019._style_transfer import detail, style_transfer
from pystyle.papers.kolkin_2019._vgg16_stand_in import vgg16_stand_in

__all__ = ["SampledMomentLoss", "criterion", "detail", "style_transfer", "vgg16_stand_in"]
