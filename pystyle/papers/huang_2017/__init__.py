r"""Huang, Belongie 2017: arbitrary style transfer by adaptive instance normalisation (AdaIN).

:Paper: https://arxiv.org/abs/1703.06868
:Code: https://github.com/xunhuang1995/AdaIN-style/tree/6d8ac28

Features of the content get the mean and the deviation of those of the style, channel by channel, and a
decoder, which is all that is trained, paints a picture from them:

.. math:: t = \sigma(f(s)) \frac{f(c) - \mu(f(c))}{\sigma(f(c))} + \mu(f(s)) \qquad T(c, s) = g(t)

The decoder learns to paint what has these features, and the statistics of the style at several layers:

.. math:: \mathcal{L} = \| f(g(t)) - t \|^2 + \lambda \sum_l
          \| \mu_l(g(t)) - \mu_l(s) \|^2 + \| \sigma_l(g(t)) - \sigma_l(s) \|^2

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
encoder               VGG-19 to relu4_1                        the same, normalised to mean activations
                                                               of 1, convolutions reflect the border,
                                                               poolings round up
decoder               its mirror, nearest neighbour in the     3,505,219 parameters, reflects the border
                      place of pooling, no normalisation
deviations            biased, section 3                        of the content with ε = 1e-5, of the style
                                                               without
content               :math:`\|f(g(t)) - t\|_2`, equation 12   mean of squares, weight 1
style                 the sum of equation 13, relu1_1,         squares, summed over channels, ε = 1e-6 in
                      relu2_1, relu3_1, relu4_1                deviations
λ                     --                                       1e-2; 1e-1 for the paper's pictures
images                MS-COCO, WikiArt; 512 pixels, random     the same
                      crops of 256
optimizer             Adam                                     1e-4 / (1 + 5e-5 t), 160,000 steps of 8
trade-off             :math:`g((1-α) f(c) + α t)`, eq. 14      ``-alpha``
several styles        the mean of their t, equation 15         the same
regions               AdaIN in each region of the features     masks by nearest neighbour
colours               those of the style matched to the        by covariances of standardised colours,
                      content's first                          to whose sums over the pixels the identity
                                                               is added (CORAL)
====================  =======================================  ==========================================

Sources: the paper's sections 5 to 7; xunhuang1995/AdaIN-style, commit 6d8ac28, ``train.lua``, ``test.lua``,
``lib/AdaptiveInstanceNormalization.lua``. Both agree as far as they say something, but for the squares, so
there is no `variant`: the squares of the code are taken. What differs here: the encoder's weights are
normalised by activations of our own photographs. With ``layer="relu3_1"`` encoder and decoder are those of a
smaller network, which a CPU can train; it is the authors' in nothing else but the depth.
"""

from pystyle.papers.huang_2017._colors import coral
from pystyle.papers.huang_2017._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.huang_2017._criterion import AdaINLoss, criterion, training
from pystyle.papers.huang_2017._network import AdaINNetwork, adain, network, regions

__all__ = ["AdaINLoss", "AdaINNetwork", "adain", "coral", "criterion", "network", "regions", "training"]
