r"""Deng et al. 2022: style transfer by transformers (StyTr2).

:Paper: https://arxiv.org/abs/2105.14576
:Code: https://github.com/diyiiyiii/StyTR-2/tree/c11ea32

Both images become patches of 8 x 8 pixels. An encoder lets those of the content look at each other, another
those of the style, and a decoder lets those of the content look at the style. Layers of convolutions paint
the picture from what comes out. Where a patch lies is told by the content itself, so that it does not depend
on the size of the picture (CAPE):

.. math:: P_L = \operatorname{conv}_{1 \times 1}(\operatorname{pool}_{18 \times 18}(E)) \qquad
          P_{CA}(x, y) = \sum_{kl} a_{kl} P_L(x_k, y_l) \qquad
          A_{ij} = \left( (E_i + P_i) W_q \right)^\top (E_j + P_j) W_k

The picture keeps the normalised features of the content, and has the statistics of the style. A picture in
its own style is the picture itself:

.. math:: \mathcal{L} = \lambda_c \sum_{4\_1, 5\_1} \| \bar\phi_l(I) - \bar\phi_l(I_c) \|^2
          + \lambda_s \sum_l \left( \| \mu_l(I) - \mu_l(I_s) \|^2
          + \| \sigma_l(I) - \sigma_l(I_s) \|^2 \right)

.. math:: \mathcal{L}_{id} = \lambda_{id1} \| I_{cc} - I_c \|^2
          + \lambda_{id2} \sum_l \| \phi_l(I_{cc}) - \phi_l(I_c) \|^2 + \text{the same of } I_{ss}

====================  ==============================  =====================================================
what                  paper                           authors' code
====================  ==============================  =====================================================
patches               8 x 8                           a convolution, 98,816 parameters
transformer           two encoders and a decoder      3 layers each of width 512, 8 heads, 2048 between;
                                                      norms behind, dropout 0.1; 31,790,080 parameters
decoder's layers      --                              both attentions look at the style
positions             of the content alone, pooled    added to queries and keys in each layer; bilinear
                      to 18 x 18
picture               convolutions, doubled 3 times   those of AdaIN, 3,505,219 parameters
first weights         --                              Xavier; 35,394,115 parameters in all
sizes                 --                              squares, content and style alike
content               weight 10                       weight 7, mean of squares, normalised
style                 weight 7                        weight 10, relu1_1 to relu5_1, mean of squares of
                                                      means, and of deviations
deviations            --                              unbiased, ε = 1e-5
identity              weights 50 and 1                weights 70 and 1, mean of squares; relu1_1 to relu5_1
images                MS-COCO, WikiArt                512 x 512 pixels, random crops of 256
optimizer             Adam with a warm-up [M]         5e-5 (1 + 3e-4 t) for 10,000 steps, and then 2e-4 /
                                                      (1 + 1e-5 (t - 10,000)); 160,000 steps of 8
====================  ==============================  =====================================================

Sources: diyiiyiii/StyTR-2, commit c11ea32, ``train.py``, ``models/StyTR.py``, ``models/transformer.py``, and
issue 33, which holds the weights of the paper against those of the code; [M] is from memory. `variant`
chooses the weights. What differs here: content and style may have any sizes, each its own, and positions are
brought to those of the content, where the code takes the size of the style. Of a style whose sides are no
multiples of 8 the last pixels are not looked at. Deviations are biased, with ε = 1e-6 in the loss of the
style, and the weights of VGG-19 in the losses are normalised by activations of our own photographs.

:func:`criterion` has the losses of pictures in another style, :func:`identity_criterion` those of pictures in
their own. A training paints one picture for each content, so both kinds take turns, and the one in its own
style is the content; no painting is painted in its own, unless it is among the contents::

    encoder = vgg19("caffe_normalized", padding="reflect", ceil_mode=True)
    both, phases = alternating(criterion(encoder), identity_criterion(encoder), num_steps=160_000)
    train(network(), both, contents=photographs, styles=paintings, phases=phases, **training())
"""

from pystyle.papers._identity import alternating
from pystyle.papers.deng_2022._criterion import CONTENT_LAYERS as CONTENT_LAYERS
from pystyle.papers.deng_2022._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.deng_2022._criterion import WarmUpSchedule, criterion, identity_criterion, training
from pystyle.papers.deng_2022._network import StyTr2Network, network
from pystyle.papers.deng_2022._transformer import ContentAwarePositions, EncoderLayer, StylizingLayer

__all__ = [
    "ContentAwarePositions",
    "EncoderLayer",
    "StyTr2Network",
    "StylizingLayer",
    "WarmUpSchedule",
    "alternating",
    "criterion",
    "identity_criterion",
    "network",
    "training",
]
