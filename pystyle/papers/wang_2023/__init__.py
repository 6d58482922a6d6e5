r"""Wang et al. 2023: MicroAST, a network of half a million parameters for the style of any image.

:Paper: https://arxiv.org/abs/2211.15313
:Code: https://github.com/EndyWon/MicroAST/tree/5a6c909

Two micro encoders see content and style, and nothing of VGG is needed to paint. The style modulates a micro
decoder twice: its features by AdaIN, and its filters, channel by channel, by numbers that a modulator makes
of the features of the style:

.. math:: t = \sigma_s \frac{x - \mu(x)}{\sigma(x)} + \mu_s \qquad
          w_s \cdot \text{conv}(t) + b_s \cdot t

With the signals :math:`f` of an image, which are all :math:`\mu, \sigma, w, b`, the loss of a batch of
pictures :math:`x_i` of styles :math:`s_i` is

.. math:: \mathcal{L} = \mathcal{L}_c + \lambda_s \mathcal{L}_s + \lambda_{ssc} \sum_i
          \frac{\|f(x_i) - f(s_i)\|^2}{\sum_{j \neq i} \|f(x_i) - f(s_j)\|^2}

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
encoders              two, of the same layers                  9 x 9 to 16 channels, twice 3 x 3 in groups
                                                               with stride 2 and 1 x 1, to 32 and 64; two
                                                               residual blocks; 157,792 parameters each
modulator             w and b of two depths                    a depthwise 3 x 3 and the mean over
                                                               positions for each; 2,560 parameters
decoder               AdaIN and modulated block, twice         the same, the deeper signals first; bilinear
                                                               by 2 before 3 x 3 in groups and 1 x 1,
                                                               twice; 9 x 9; 153,843 parameters
deviations            --                                       unbiased, ε = 1e-5 in variances
borders               --                                       reflected
content               VGG-19, relu4_1                          mean of squares, weight 1
style                 relu1_1, relu2_1, relu3_1, relu4_1       means of squares of means and deviations,
                                                               weight 3
contrast              as above [M]                             weight 3; of the pairs j ≠ i those of the
                                                               first depth's μ and σ are of two pictures,
                                                               not of a picture and a style
images                MS-COCO, WikiArt                         512 pixels, random crops of 256
optimizer             Adam                                     1e-4 / (1 + 5e-5 t), 160,000 steps of 8
trade-off             --                                       ``--alpha``, of AdaIN alone
====================  =======================================  ==========================================

Sources: EndyWon/MicroAST, commit 5a6c909, ``net_microAST.py``, ``function.py``, ``train_microAST.py``; of the
paper the abstract, and from memory what is marked [M]. `variant` chooses the pairs of the contrast.
:func:`load_published` reads the authors' weights, which lie in their repository.

``train(network, criterion(network), evaluation=JointEvaluation(), ..., **training())`` is their training:
without the evaluation the contrast changes the weights of style encoder and modulator through the pictures
alone, not where they look at pictures and styles for the loss.

What differs here: the deviations of the style loss are biased, with ε = 1e-6. VGG-19's weights are normalised
by activations of our own photographs. Crops are cut out of images as they are, not made square before.
"""

from pystyle.papers.wang_2023._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.wang_2023._criterion import criterion, training
from pystyle.papers.wang_2023._joint import JointEvaluation
from pystyle.papers.wang_2023._network import MicroASTNetwork, StyleSignals, network
from pystyle.papers.wang_2023._published import load_published
from pystyle.papers.wang_2023._signals import ContrastiveStyleLoss, SignalEncoder

__all__ = [
    "ContrastiveStyleLoss",
    "JointEvaluation",
    "MicroASTNetwork",
    "SignalEncoder",
    "StyleSignals",
    "criterion",
    "load_published",
    "network",
    "training",
]
