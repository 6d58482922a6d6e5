"""Diffusion models of the package diffusers around a run: before it, after it, and inside of it.

:func:`generate_image` makes a picture to start a run from, :func:`refine_image` lets a diffusion model go
over a picture that a run has painted, and :class:`DiffusersAutoencoder` is the autoencoder of such a model
for :class:`pystyle.parametrizations.Latent`. The weights are yours: the folder of a pipeline, or its name in
the cache of the hub.
"""

from pystyle.diffusion._autoencoder import DiffusersAutoencoder
from pystyle.diffusion._generate import generate_image
from pystyle.diffusion._load import load_pipeline
from pystyle.diffusion._refine import refine_image

__all__ = ["DiffusersAutoencoder", "generate_image", "load_pipeline", "refine_image"]
