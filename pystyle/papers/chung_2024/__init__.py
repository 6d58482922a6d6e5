r"""Chung, Hyun, Heo 2024: style injection in diffusion (StyleID).

:Paper: https://arxiv.org/abs/2312.09008
:Code: https://github.com/jiwoogit/StyleID/tree/d4ea655

A diffusion model paints a photograph anew, and nothing is trained. Content and style are inverted to noise.
The picture starts from the noise of the content with the means and deviations of that of the style, and
in the self-attention of the decoder it asks as the content does and is answered by the style:

.. math:: z^{cs}_T = \sigma(z^s_T) \, \frac{z^c_T - \mu(z^c_T)}{\sigma(z^c_T)} + \mu(z^s_T)

.. math:: \tilde Q^{cs}_t = \gamma Q^c_t + (1 - \gamma) Q^{cs}_t \qquad
          \operatorname{softmax} \left( \tau \, \frac{\tilde Q^{cs}_t K^{s\top}_t}{\sqrt d} \right) V^s_t

====================  =====================================  =========================================
what                  paper                                  authors' code
====================  =====================================  =========================================
model                 Stable Diffusion 1.4                   the same; no prompt, no guidance; 2.1-base
                                                             in its port to diffusers
size                  512 x 512                              the middle square, scaled to 512 x 512
                                                             (Lanczos)
latents of an image   --                                     drawn from the distribution of the
                                                             encoder; its mode in the port
inversion, sampling   DDIM, 50 steps                         at 1, 21, ... 981, η = 0; sampling begins
                                                             at 961; 20 steps in the port
layers                self-attention of decoder layers 6-11  the same; 7-11 in the port
query preservation    γ = 0.75, equation 5                   0.75
temperature           τ = 1.5, equation 6                    1.5
initial latents       AdaIN, equation 8                      deviations without ε; 1e-4 in the port
====================  =====================================  =========================================

Sources: jiwoogit/StyleID, commit d4ea655, ``run_styleid.py``, ``ldm/models/diffusion/ddim.py``,
``ldm/modules/attention.py`` and ``diffusers_implementation``. The paper's numbers were not read against it
(equations: from memory, check before citing), and its tables are not reproduced: no weights of a diffusion
model come with a package.

What differs here: queries, keys and values of content and style are computed again in each step, in one batch
with the picture, from the latents that the inversion passed, so that no features are kept (3 GB per image in
the authors' code) and all three are of the same timestep. The authors take the latents of an image for those
of timestep 1; their inversion goes on from 981 to 999, and this noise enters at 961. Here the image is at the
level of timestep 0, as in sampling, and the latents of 981 enter at 981: 50 steps in place of 49. Noise is
predicted at the timestep to which a step of the inversion leads, as in the port, where the authors' first
code takes the one from which it comes. The latents of an image are the mode of their distribution.
`num_corrections` predicts it again from what was found, which converges to the exact inverse of sampling; the
authors do without. Pictures of any size and shape keep it; the style is cut to the shape of the content
around its middle. Channels are never divided by a deviation of 0.
"""

from pystyle.papers.chung_2024._ddim import ddim_step, ddim_timesteps
from pystyle.papers.chung_2024._injection import StyleInjection, adain, mixed_query, scaled_attention
from pystyle.papers.chung_2024._transfer import style_transfer

__all__ = [
    "StyleInjection",
    "adain",
    "ddim_step",
    "ddim_timesteps",
    "mixed_query",
    "scaled_attention",
    "style_transfer",
]
