r"""Yoo et al. 2019: photorealistic style transfer via wavelet transforms (WCT²).

:Paper: https://arxiv.org/abs/1903.09760
:Code: https://github.com/clovaai/WCT2/tree/05d17c0

The poolings of the encoder are Haar wavelets. Of 2 x 2 positions they make a sum and three differences:

.. math:: LL = \tfrac{1}{2} \begin{pmatrix} 1 & 1 \\ 1 & 1 \end{pmatrix} \quad
          LH = \tfrac{1}{2} \begin{pmatrix} -1 & 1 \\ -1 & 1 \end{pmatrix} \quad
          HL = \tfrac{1}{2} \begin{pmatrix} -1 & -1 \\ 1 & 1 \end{pmatrix} \quad
          HH = \tfrac{1}{2} \begin{pmatrix} 1 & -1 \\ -1 & 1 \end{pmatrix}

The sum goes on through the encoder, the differences skip to the decoder, where an unpooling puts all four
together: nothing is lost between them. One pass through the network paints the picture, in which features
are whitened and coloured (WCT) on the way down, at the skips, and on the way up:

.. math:: \hat f = (\Sigma_s + I)^{1/2} (\Sigma_c + I)^{-1/2} (f_c - \mu_c) + \mu_s

====================  =======================================  ==========================================
what                  paper                                    authors' code
====================  =======================================  ==========================================
encoder               VGG-19 to relu4_1, fixed                 the same, convolutions reflect the border
poolings              Haar wavelets                            the same
decoder               its mirror                               3,505,219 parameters with ``sum``, 6,601,795
                                                               with ``cat5``; reflects the border
unpoolings            the sum of what the bands give, or       ``sum``; ``cat5``
                      these and the features before the
                      pooling side by side
transfers             in the encoder, at the skips, in the     ``-e``, ``-s``, ``-d``: at relu1_1, relu2_1,
                      decoder                                  relu3_1, relu4_1 (``sum``: at the low bands
                                                               and relu4_1); at three bands of each
                                                               pooling; behind each stage of the decoder
covariances           --                                       divided by the positions less one, the
                                                               identity added to both
eigenvalues           --                                       the rank ends at the last one of 1e-5
range                 --                                       features are clamped to that of the content's
α                     --                                       ``--alpha`` 1, at each transfer
regions               --                                       by themselves, masks by nearest neighbour;
                                                               with more than 10 pixels, and less than 100
                                                               times as many in one image as in the other
sizes                 --                                       short side of 512, cropped to multiples of 16
loss                  L2 of the picture, and Gram matrices     the training is not published
                      of the encoder's features
images                MS-COCO                                  --
optimizer             Adam, 1e-3                               --
steps, batch          --                                       --
====================  =======================================  ==========================================

Sources: clovaai/WCT2, commit 05d17c0, ``model.py``, ``transfer.py``, ``utils/core.py``, ``utils/io.py``. The
column of the paper is from memory [M]. Both agree as far as they say something, so there is no `variant`.

What differs here: the encoder's weights are normalised by activations of our own photographs; eigenvalues are
those of float64, and all are at least 1 with the identity; a content of any size is continued to multiples of
8 and cropped again, a style cropped to them. Layers and weights of the Gram matrices, steps, batch and crops
are ours.

**What is exact without a training:** pooling and unpooling, and so the way of all details from the encoder
to the decoder: with convolutions that do nothing the network gives back its image. **What needs a training:**
the convolutions of the decoder, which have to undo those of the encoder. With random ones the picture is
noise, with and without a style.

So it is trained::

    options = training()
    network_without = network(transfer=())
    train(network_without, criterion(), contents=photographs, styles=photographs, **options)
    trained = network()
    trained.load_state_dict(network_without.state_dict())
"""

from pystyle.papers.yoo_2019._criterion import LAYERS as LAYERS
from pystyle.papers.yoo_2019._criterion import criterion, training
from pystyle.papers.yoo_2019._network import WCT2Network, network
from pystyle.papers.yoo_2019._regions import regions

__all__ = ["WCT2Network", "criterion", "network", "regions", "training"]
