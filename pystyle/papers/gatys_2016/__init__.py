r"""Gatys, Ecker, Bethge 2016: image style transfer with convolutional neural networks.

:Paper: https://doi.org/10.1109/CVPR.2016.265
:Paper: https://arxiv.org/abs/1508.06576
:Code: https://github.com/leongatys/PytorchNeuralStyleTransfer/tree/be6c8e2
:Code: https://github.com/leongatys/NeuralImageSynthesis/tree/cced0b9

.. math:: \mathcal{L} = \alpha \cdot \frac12 \sum_{ij} (F^l_{ij} - P^l_{ij})^2
          + \beta \sum_l w_l \frac{1}{4 N_l^2 M_l^2} \sum_{ij} (G^l_{ij} - A^l_{ij})^2

=================  ===========================  ===========================  ===========================
what               ``"paper"``                  ``"code"``                   ``"torch"``
=================  ===========================  ===========================  ===========================
network            VGG-19, mean activations     VGG-19 as Caffe has it,      as ``"code"`` (its notebook
                   of 1, average pooling        max pooling                  has the normalised one, too)
content            relu4_2, ½ Σ(F - P)² (eq.    relu4_2, ⟨(F - P)²⟩,         as ``"code"``
                   1), α                        weight 1
style              relu1_1 ... relu5_1, E (eq.  the same layers,             as ``"code"``
                   4), w = 1/5, β               ⟨(G/M - A/M)²⟩, weights
                                                1000 / N²
ratio              α/β = 1e-3; 8e-4 (Starry     --                           --
                   Night), 5e-3, 5e-4 (fig. 3)
size               about 512; the style has     short side 512, rounded      area of 512² at most,
                   that of the content          down                         rounded up
resampling         not given                    bilinear, antialiased        Gaussian, then linear
init               white noise                  content                      content
optimizer          L-BFGS                       torch's L-BFGS, 100 pairs,   its L-BFGS, 100 pairs,
                                                500 evaluations              500 evaluations
second stage       --                           short side 800, 200          area of 1024², 200
                                                evaluations                  evaluations
afterwards         --                           clipped to [0, 1]            clipped to [0, 1]
=================  ===========================  ===========================  ===========================

So the code weighs a layer by 4000 / N² of the paper's E: relu1_1 counts 64 times as much against relu5_1.

Sources: the paper's equations 1 to 7 and figure 3; ``"code"`` is leongatys/PytorchNeuralStyleTransfer,
commit be6c8e2, ``NeuralStyleTransfer.ipynb``; ``"torch"`` is leongatys/NeuralImageSynthesis, commit
cced0b9, ``BasicStyleTransfer.ipynb``. With normalised weights the latter takes 1e6 for the content and 1e9
/ 5 for each layer of the style. The ratios of the paper are as pystiche's authors quote them.

What differs here: :class:`pystyle.optim.LBFGS` makes the steps of torch's up to the note there; images are
resampled bilinearly, antialiased; the paper gives no number of steps.
"""

from pystyle.papers.gatys_2016._criterion import CHANNELS as CHANNELS
from pystyle.papers.gatys_2016._criterion import CONTENT_LAYER as CONTENT_LAYER
from pystyle.papers.gatys_2016._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.gatys_2016._criterion import criterion
from pystyle.papers.gatys_2016._high_resolution import high_resolution
from pystyle.papers.gatys_2016._sizes import working_sizes
from pystyle.papers.gatys_2016._style_transfer import style_transfer

__all__ = ["criterion", "high_resolution", "style_transfer", "working_sizes"]
