r"""Ruder, Dosovitskiy, Brox 2016: artistic style transfer for videos.

:Paper: https://arxiv.org/abs/1604.08610
:Code: https://github.com/manuelruder/artistic-videos/tree/40e7447

Each frame begins with the stylised previous one, moved along the optical flow, and is held to it where the
flow can be relied on:

.. math:: \mathcal{L} = \alpha \mathcal{L}_c + \beta \mathcal{L}_s
          + \gamma \sum_{j \in J} \frac{1}{D} \sum_k c^{(i - j, i)}_k (x_k - \omega(x^{(i - j)})_k)^2

=====================  ======================================  ===========================================
what                   paper                                   authors' code
=====================  ======================================  ===========================================
network                VGG-19                                  VGG-19 as Caffe has it, max pooling
content                relu4_2, Σ(F - P)² / (N M), α = 1       relu4_2, ⟨(F - P)²⟩, weight 5
style                  relu1_1 ... relu5_1, Σ(G - A)² / (N²    the same layers, matrices over N M, ⟨ΔG²⟩,
                       M²), β = 20                             weight 100 each
temporal               γ = 200                                 the same of levels 0 ... 255, weight 1000;
                                                               500 with several passes
total variation        --                                      half of the sum of squares, 1e-3
reliability c          0 or 1, from forward and backward flow  softened by a Gaussian of 0.8 pixels
several frames J       c less the c of all nearer frames, not  c less what was left of the nearer frames',
                       below 0                                 not below 0; J = {1}
init                   noise, then the warped frame; what      noise of 0.001; the same
                       comes from outside gets the mean
                       colour
steps                  2000, then 1000                         the same
stopped                when the loss falls by less than 1e-4   the same
                       in 50 steps
several passes         ½ of the warped neighbour where it is   neighbour and frame with the weights c and 1,
                       reliable, forwards and backwards        divided by their sum; 15 passes of 100 steps,
                                                               temporal loss from the eighth
optimizer              L-BFGS                                  its L-BFGS, 100 pairs
=====================  ======================================  ===========================================

Sources: the paper's sections 3 to 4.3 and 5, from memory, whose ratios of the weights are the code's;
manuelruder/artistic-videos, commit 40e7447, ``artistic_video.lua``, ``artistic_video_multiPass.lua``,
``artistic_video_core.lua``, ``consistencyChecker``.

What differs here: the temporal gradient is exact, where the code's leaves out a root of c; colours are
multiplied by 255, where the code takes 256; the painting gets the long side of the frames, where the code
gives it their area; the loss whose fall ends a run has the total variation in it, which the code follows in
the gradient alone; frames do not go through 8-bit files in between; the last row and column may be relied on;
a stream without a flow of its own takes OpenCV's DIS flow.
"""

from pystyle.papers.ruder_2016._criterion import criterion
from pystyle.papers.ruder_2016._frames import blended, warped_frame
from pystyle.papers.ruder_2016._multi_pass import multi_pass
from pystyle.papers.ruder_2016._painter import RuderPainter
from pystyle.papers.ruder_2016._raft import RAFTFlow
from pystyle.papers.ruder_2016._reliability import Flow as Flow
from pystyle.papers.ruder_2016._reliability import long_term_weights, temporal_error
from pystyle.papers.ruder_2016._style_transfer import style_transfer

__all__ = [
    "RAFTFlow",
    "RuderPainter",
    "blended",
    "criterion",
    "long_term_weights",
    "multi_pass",
    "style_transfer",
    "temporal_error",
    "warped_frame",
]
