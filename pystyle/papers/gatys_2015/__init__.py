r"""Gatys, Ecker, Bethge 2015: texture synthesis with Gram matrices.

:Paper: https://arxiv.org/abs/1505.07376
:Code: https://github.com/leongatys/DeepTextures/tree/289dfe6

The paper minimises, over the image alone,

.. math:: \mathcal{L} = \sum_l w_l E_l \qquad
          E_l = \frac{1}{4 N_l^2 M_l^2} \sum_{ij} (G^l_{ij} - \hat G^l_{ij})^2 \qquad
          G^l_{ij} = \sum_k F^l_{ik} F^l_{jk}

======================  =====================================  ==========================================
what                    paper                                  authors' code
======================  =====================================  ==========================================
network                 VGG-19, mean activations of 1,         the same
                        average pooling (section 2)
layers                  conv1_1, pool1 ... pool4 (figure 2)    the same; conv1_1 after its ReLU
weights w               not given                              1e9 each
form of E               equation 4                             1/4 ⟨(ΔG/M)²⟩, the same number
size of the texture     256 x 256                              an area of 256²
init                    white noise                            standard normal, in levels of 0 ... 255
                                                               around the mean colour of ImageNet
optimizer               L-BFGS                                 SciPy's L-BFGS-B, 20 pairs, 2000 steps,
                                                               bounds: darkest and brightest value
                                                               of the texture
afterwards              nothing                                histograms of the colours matched
======================  =====================================  ==========================================

Sources: the paper's equations 1 to 5 and section 2; leongatys/DeepTextures, commit 289dfe6,
``DeepImageSynthesis/LossFunctions.py`` and ``Example.ipynb``.

What differs here: the steps are those of :class:`pystyle.optim.LBFGS`, which has no line search; the
bounds are those of the three colours together, in RGB; the normalised weights are rescaled from the Caffe
network by activations that we measured, on other pictures than the authors.
"""

from pystyle.papers.gatys_2015._criterion import LAYERS as LAYERS
from pystyle.papers.gatys_2015._criterion import average_pooling, criterion
from pystyle.papers.gatys_2015._reduced_gram import ReducedGramLoss
from pystyle.papers.gatys_2015._texture_synthesis import MEAN_COLOUR as MEAN_COLOUR
from pystyle.papers.gatys_2015._texture_synthesis import normal_noise, texture_synthesis

__all__ = ["ReducedGramLoss", "average_pooling", "criterion", "normal_noise", "texture_synthesis"]
