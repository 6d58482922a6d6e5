r"""Liu et al. 2021: adaptive attention normalisation (AdaAttN).

:Paper: https://arxiv.org/abs/2108.03647
:Code: https://github.com/Huage001/AdaAttN/tree/524b2b1

Each position of the content is given the mean and the deviation of those positions of the style that it
attends to. What it is like is told by the features of all layers so far, and what it gets is of one layer:

.. math:: A = \operatorname{softmax} \left( f(\bar F_c^{1:l})^\top g(\bar F_s^{1:l}) \right) \qquad
          M = h(F_s^l) A^\top \qquad S = \sqrt{(h(F_s^l) \odot h(F_s^l)) A^\top - M \odot M}

.. math:: F_{cs}^l = S \odot \bar F_c^l + M \qquad
          I_{cs} = D \left( \operatorname{conv}_{3 \times 3} (F_{cs}^4 + \operatorname{up}(F_{cs}^5)),
          F_{cs}^3 \right)

The picture has the statistics of the style as a whole, and at each position the features that the same
normalisation gives without f, g and h:

.. math:: \mathcal{L} = \lambda_g \sum_{l=2}^5 \left( \| \mu(F^l) - \mu(F_s^l) \|^2
          + \| \sigma(F^l) - \sigma(F_s^l) \|^2 \right)
          + \lambda_l \sum_l \| F^l - \operatorname{AdaAttN}^*(F_c^l, F_s^l) \|^2

====================  ==============================  =====================================================
what                  paper                           code (a re-implementation by the first author)
====================  ==============================  =====================================================
encoder               VGG-19                          normalised to mean activations of 1, convolutions
                                                      reflect the border, poolings round up
keys                  shallow and deep features       relu1_1 to relu5_1 up to the layer, each brought to its
                                                      size by nearest neighbour and normalised
f, g, h               convolutions of 1 x 1           f and g of 448, 960 and 1472 channels
layers                relu3_1, relu4_1, relu5_1       the same; relu5_1 doubled by nearest neighbour, relu3_1
                                                      joined to the decoder where it has its size
parameters            --                              13,629,891; normal of deviation 0.02, biases 0
positions             --                              64 x 64 of the style at most, at random, at relu3_1 and
                                                      in the loss
global loss           relu2_1 to relu5_1              mean of squares of means, and of deviations, weight 10
local loss            relu3_1 to relu5_1              relu2_1 to relu5_1, mean of squares, weight 3
content loss          none                            weight 0
deviations            --                              of channels unbiased with ε = 1e-5, of what is attended
                                                      to :math:`\sqrt{\max(0, S^2)}`
images                MS-COCO, WikiArt                512 x 512 pixels, random crops of 256, mirrored
optimizer             Adam                            2e-4, times 0.3 after each epoch but the first, 5
                                                      epochs in batches of 8
====================  ==============================  =====================================================

Sources: the paper's sections 3.2 and 3.3; Huage001/AdaAttN, commit 524b2b1, ``train_adaattn.sh``,
``models/networks.py``, ``models/adaattn_model.py``, ``options``. `variant` chooses the layers of the local
loss. What differs here: deviations are biased, with ε = 1e-5 where features are normalised and where they are
attended to, so that their gradient is finite, and 1e-6 in the global loss. The joined features of the local
loss are those of :class:`~pystyle.encoders.HypercolumnEncoder`, which averages where it shrinks. A picture
looks at the same positions each time, a training at others in each step; at relu4_1 and relu5_1 it looks at
all of them, where the code takes 256 x 256. The encoder's weights are normalised by activations of our own
photographs. Contents get sides that are multiples of 16. The variant for video is not here.
"""

from pystyle.papers.liu_2021._attention import AttentionNormalization, attended_moments, joined_features
from pystyle.papers.liu_2021._criterion import criterion, training
from pystyle.papers.liu_2021._loss import LocalFeatureLoss
from pystyle.papers.liu_2021._network import LAYERS as LAYERS
from pystyle.papers.liu_2021._network import AdaAttNNetwork, network

__all__ = [
    "AdaAttNNetwork",
    "AttentionNormalization",
    "LocalFeatureLoss",
    "attended_moments",
    "criterion",
    "joined_features",
    "network",
    "training",
]
