r"""Johnson, Alahi, Fei-Fei 2016: perceptual losses for real-time style transfer.

:Paper: https://arxiv.org/abs/1603.08155
:Code: https://github.com/jcjohnson/fast-neural-style/tree/813c834

A network paints the picture :math:`\hat y` in one pass. It is trained for one style, by losses that another
network, which recognises objects, sees: features and Gram matrices (equations 2 to 5)

.. math:: \mathcal{L} = \lambda_c \frac{1}{C_j H_j W_j} \| \phi_j(\hat y) - \phi_j(y_c) \|^2
          + \lambda_s \sum_j \| G_j(\hat y) - G_j(y_s) \|_F^2 + \lambda_{TV} \, TV(\hat y) \qquad
          G_j = \frac{1}{C_j H_j W_j} \sum_{h,w} \phi_j \phi_j^\top

====================  =============================  =========================  ==========================
what                  paper                          authors' code              pytorch/examples
====================  =============================  =========================  ==========================
network               9x9, two of stride 2, five     the same; 1,679,235        the same, the size doubled
                      residual blocks, two that      parameters                 by repeated pixels
                      double the size, 9x9
borders               --                             a mirror of 40 pixels at   mirrors at each
                                                     the front, zeros, blocks   convolution
                                                     without any
normalisation         batch                          instance (or batch)        instance
output                tanh                           150 tanh, BGR, means       no activation
                                                     subtracted
content               relu3_3 (relu2_2 in the        relu3_3, weight 1          relu2_2, weight 1e5
                      preprint) [M], weight --
style                 relu1_2, relu2_2, relu3_3,     5, the mean over the       1e10, the mean, too
                      relu4_3; a sum, weight --      entries of the matrix
total variation       1e-6 to 1e-4                   1e-6, half the sum of      none
                                                     squares, levels of 255,
                                                     the batch summed
losses seen by        VGG-16                         VGG-16 of Caffe            VGG-16 of torchvision
images                MS-COCO, 256 x 256             the same, squeezed         the same, their centre
training              Adam, 1e-3, 40,000 steps of 4  the same                   the same, for two epochs
style image           --                             longer side 256            as it is
afterwards            --                             median of 3 x 3 pixels     nothing
====================  =============================  =========================  ==========================

[M]: from memory. Sources: the paper's section 3; jcjohnson/fast-neural-style, commit 813c834, ``train.lua``,
``fast_neural_style/models.lua``, ``TotalVariation.lua``, ``utils.lua``; pytorch/examples, commit 77f55b9,
``fast_neural_style/neural_style``.

What differs here: super-resolution is left out. The library has no VGG-16 of Caffe. By default ``"paper"``
and ``"code"`` look through its VGG-19 of Caffe, at the layers of the same names, and ``"pytorch"`` through
the VGG-16 of torchvision. The features of that one have mean squares that are 10,000 to 360,000 times smaller
(two photographs, the four layers): with the weights of the code little but the total variation would count.
Training draws crops in place of images that were squeezed or cut at their centre. The network of
``"pytorch"`` is
:class:`~pystyle.networks.TransformNetwork`, which takes contents in [-1, 1] and ends in a sigmoid, where the
example goes from and to levels of 0 ... 255 with no activation. :func:`median_filter` repeats pixels at the
border, where the authors' picture loses a row and a column at each side.
"""

from pystyle.papers.johnson_2016._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.johnson_2016._criterion import criterion, training
from pystyle.papers.johnson_2016._median_filter import median_filter
from pystyle.papers.johnson_2016._network import ImageTransformNetwork, network

__all__ = ["ImageTransformNetwork", "criterion", "median_filter", "network", "training"]
