r"""Ulyanov, Vedaldi, Lempitsky 2017: improved texture networks (instance normalisation, diversity).

:Paper: https://arxiv.org/abs/1701.02096
:Code: https://github.com/DmitryUlyanov/texture_nets/tree/aad2cc6

Two changes to the networks of 2016. Each image is normalised by itself, so that the contrast of the content
does not matter. And pictures of different noise are to differ: textures are sampled evenly from those with
the right statistics (the Julesz ensemble) if their entropy is large, which the distances of each picture of a
batch to the nearest other one estimate:

.. math:: \min_g \frac{1}{N} \sum_i \Bigl( \mathcal{L}(g(z_i))
          - \lambda \ln \min_{j \neq i} \| g(z_i) - g(z_j) \| \Bigr)

====================  =====================================  ============================================
what                  paper                                  authors' code
====================  =====================================  ============================================
networks              that of 2016, and one after Johnson    ``pyramid`` with ReLU, 6 sizes; ``johnson``,
                      et al. [M]                             9x9 at first, 3x3 at last, no tanh
normalisation         instance                               instance (or batch), scales from [0, 1)
borders               --                                     pixels repeated
input, output         --                                     RGB in [0, 1]; BGR, levels of 255, means
                                                             subtracted
losses seen by        VGG-19                                 of Caffe
style                 Gram matrices, weight --               mean of squares, divided by channels and
                                                             positions, relu1_1 ... relu4_1, weight 1
content               weight --                              mean of squares, relu4_2, weight 1
total variation       --                                     0
diversity             as above [M], λ --                     branch ``diversity``: sum over the batch of
                                                             logarithms of squares + 0.1, levels of 255,
                                                             weight 10,000; 5000 in ``run_all_train.py``;
                                                             one content in a batch, noise beside it
training              --                                     Adam, 1e-3, times 0.8 every 2,000; 50,000
                                                             steps of 1 crop of 256 pixels
its page recommends   --                                     ``johnson``, crops of 512, batches of 4, 1e-2,
                                                             style weight 10, relu1_2, relu2_2, relu3_2,
                                                             relu4_2
style image           --                                     longer side 256
====================  =====================================  ============================================

[M]: from memory. Sources: the paper's sections 3 and 4; DmitryUlyanov/texture_nets, commit aad2cc6,
``train.lua``, ``models/``, ``src/``, and for the diversity the branch of this name, commit 00adf27,
``EstimatedEntropyMaximizer.lua``, ``train.lua``. Instance normalisation is that of the note of 2016
(arXiv:1607.08022), :func:`pystyle.networks.instance_normalization`.

Textures are trained from noise: ``network(inputs="noise")``, ``criterion(content_weight=0, diversity=...)``
and ``train(contents=NoiseImages(256), ...)`` with those of :mod:`~pystyle.papers.ulyanov_2016`, whose
``sample`` paints them. A network of pictures that is to differ has ``inputs="both"``, and for contents a
single photograph, of which each step sees several with other noise.

What differs here: with a diversity a batch must have two images or more, so give `batch_size`, and several
photographs in a batch are compared with each other like pictures of one. The normalisations of what is
enlarged are those of the code on its master branch, 116,915 parameters of ``pyramid``. Textures, which that
branch leaves out, have circular borders, as those of 2016.
"""

from pystyle.papers.ulyanov_2017._criterion import STYLE_LAYERS as STYLE_LAYERS
from pystyle.papers.ulyanov_2017._criterion import criterion, network, training
from pystyle.papers.ulyanov_2017._diversity import DiversityLoss
from pystyle.papers.ulyanov_2017._residual import ResidualNetwork

__all__ = ["DiversityLoss", "ResidualNetwork", "criterion", "network", "training"]
