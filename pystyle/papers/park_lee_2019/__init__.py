r"""Park, Lee 2019: arbitrary style transfer by attention of the content to the style (SANet).

:Paper: https://arxiv.org/abs/1812.02342
:Code: https://github.com/GlebSBrykin/SANET/tree/2dfec14

Each position of the content looks for those of the style that are like it, once both are normalised, and is
given the mean of what is there. Two such blocks, at two layers, are added up; a decoder paints the picture:

.. math:: F_{cs} = \sum_j \operatorname{softmax}_j \left( f(\bar F_c)^\top g(\bar F_s)_j \right) h(F_s)_j
          \qquad F_{csc} = F_c + W F_{cs}

.. math:: I_{cs} = D \left( \operatorname{conv}_{3 \times 3}
          \left( F_{csc}^{4\_1} + \operatorname{up}(F_{csc}^{5\_1}) \right) \right)

The picture keeps the normalised features of the content, and has the statistics of the style. A picture in
its own style, :math:`I_{cc}`, is the picture itself:

.. math:: \mathcal{L} = \lambda_c \sum_{4\_1, 5\_1} \| \bar\phi_l(I_{cs}) - \bar\phi_l(I_c) \|^2
          + \lambda_s \sum_l \| \mu_l(I_{cs}) - \mu_l(I_s) \|^2 + \| \sigma_l(I_{cs}) - \sigma_l(I_s) \|^2

.. math:: \mathcal{L}_{identity} = \lambda_1 \| I_{cc} - I_c \|^2
          + \lambda_2 \sum_l \| \phi_l(I_{cc}) - \phi_l(I_c) \|^2 + \text{the same of } I_{ss}

====================  ==============================  =====================================================
what                  paper                           code (not the authors', who published none)
====================  ==============================  =====================================================
encoder               VGG-19                          normalised to mean activations of 1, convolutions
                                                      reflect the border, poolings round up
f, g, h, W            convolutions of 1 x 1           512 channels throughout, as the first author says [1]
layers                relu4_1 and relu5_1             the same; relu5_1 doubled by nearest neighbour
decoder               that of AdaIN                   reflects the border; 7,966,275 parameters in all
content               normalised, relu4_1, relu5_1    mean of squares, weight 1
style                 relu1_1 to relu5_1              mean of squares of means, and of deviations, weight 3
deviations            --                              unbiased, ε = 1e-5
identity              pixels; relu1_1 to relu5_1      mean of squares, weights 50 and 1, as [1] says
images                MS-COCO, WikiArt                512 x 512 pixels, random crops of 256
optimizer             Adam                            1e-4 / (1 + 5e-5 t), 160,000 steps of 5
trade-off             between the features of I_cc    --
                      and I_cs [M]
several styles        the mean of their features [M]  --
====================  ==============================  =====================================================

Sources: GlebSBrykin/SANET, commit 2dfec14, ``Train.ipynb``, ``Eval.py``, and issue 2; [1] dypark86/SANET,
issue 1; [M] is from memory. What differs here: deviations are biased, with ε = 1e-5 where features are
normalised and 1e-6 in the loss, and the encoder's weights are normalised by activations of our own
photographs. Contents get sides that are multiples of 16, so that relu5_1 has half the size of relu4_1.

:func:`criterion` has the losses of pictures in another style, :func:`identity_criterion` those of pictures in
their own. A training paints one picture for each content, so both kinds take turns, and the one in its own
style is the content; no painting is painted in its own, unless it is among the contents::

    encoder = vgg19("caffe_normalized", padding="reflect", ceil_mode=True)
    both, phases = alternating(criterion(encoder), identity_criterion(encoder), num_steps=160_000)
    train(network(), both, contents=photographs, styles=paintings, phases=phases, **training())
"""

from pystyle.papers._identity import alternating
from pystyle.papers._normalized_content import NormalizedContentLoss
from pystyle.papers.park_lee_2019._criterion import CONTENT_LAYERS as CONTENT_LAYERS
from pystyle.papers.park_lee_2019._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.park_lee_2019._criterion import criterion, identity_criterion, training
from pystyle.papers.park_lee_2019._network import StyleAttention, StyleAttentionalNetwork, network

__all__ = [
    "NormalizedContentLoss",
    "StyleAttention",
    "StyleAttentionalNetwork",
    "alternating",
    "criterion",
    "identity_criterion",
    "network",
    "training",
]
