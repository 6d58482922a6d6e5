r"""Ghiasi et al. 2017: a network that predicts from any style how another one is to paint.

:Paper: https://arxiv.org/abs/1705.06830
:Code: https://github.com/magenta/magenta/tree/14aba70

A painting network is normalised, scaled and shifted channel by channel, as that of Dumoulin et al. for many
styles is. The scales and shifts are not learned for each style: a network :math:`P` predicts an embedding of
100 numbers from the image of a style, and these are linear in it:

.. math:: z = \gamma \frac{x - \mu(x)}{\sigma(x)} + \beta \qquad (\gamma, \beta) = A \, P(s) + b

So styles blend as points in the space of embeddings. Towards the embedding of the content, seen as a style,
the picture becomes weaker.

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
predictor             Inception-v3 [M]                         up to Mixed_6e, mean over positions, 100
                                                               numbers; for mobile devices MobileNetV2 up
                                                               to its last convolution, which learns the
                                                               embeddings of the other
scales and shifts     2,758 [M]                                of the residual blocks, of both doublings
                                                               and of the last convolution
painting network      as that of Dumoulin et al. [M]           without biases; the first three
                                                               convolutions have batch normalisation
                                                               (decay 0.999, ε = 1e-3, no scale)
borders, doubling     --                                       reflected; repeated pixels
first weights         --                                       normal, deviation 0.01; of the predictor
                                                               those of ImageNet, its new layers Xavier
losses seen by        VGG-16 [M]                               of Caffe, with average pooling
content               squares [M]                              their mean, relu3_3, weight 1
style                 Gram matrices [M]                        mean over entries, divided by positions;
                                                               relu1_2, relu2_2, relu3_3, relu4_3, weight
                                                               5e-4 each
smoothness            --                                       half the mean squares of differences down
                                                               and across, weight 1e4
images                --                                       ImageNet; Painter by Numbers and
                                                               Describable Textures, of random size and
                                                               crop and changed at random; 256 x 256
training              --                                       Adam 1e-5, batches of 8; the published
                                                               weights after about 3,000,000 steps
strength              blend with the embedding of the          ``interpolation_weights``
                      content
====================  =======================================  ==========================================

[M]: from memory. Sources: magenta/magenta, commit 14aba70, ``magenta/models/arbitrary_image_stylization``:
``arbitrary_image_stylization_build_model.py``, ``..._build_mobilenet_model.py``, ``nza_model.py``,
``arbitrary_image_stylization_losses.py``, ``..._train.py`` (whose default are 8,000,000 steps),
``..._with_weights.py``, ``README.md``; ``magenta/models/image_stylization``: ``model.py``, ``ops.py``,
``learning.py``, ``vgg.py``. Nothing that is known of the paper differs from them, so there is no `variant`.

What differs here: MobileNetV2 is the default, and is trained with the losses like Inception-v3, not to repeat
its embeddings. Both have torchvision's layers, and see images as torchvision's weights expect it, where the
code hands on [0, 1]. A style smaller than 75 pixels is continued for Inception-v3 by its last pixels. Styles
are cropped, and not changed otherwise. Inception's weight decay and ReLU6 are left out. The losses look
through VGG-19, because the library has no VGG-16 of Caffe, at layers of the same names. The authors' weights
cannot be loaded.
"""

from pystyle.papers.ghiasi_2017._criterion import criterion, training
from pystyle.papers.ghiasi_2017._network import StylePredictionNetwork, network
from pystyle.papers.ghiasi_2017._predictor import StylePredictor
from pystyle.papers.ghiasi_2017._transformer import StyledTransformer

__all__ = [
    "StylePredictionNetwork",
    "StylePredictor",
    "StyledTransformer",
    "criterion",
    "network",
    "training",
]
