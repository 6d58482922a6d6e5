"""Words that say what a picture shall be: encoders of images and texts, and losses that use them.

CLIP and its kin need the extra ``text`` (``pip install "pystyle-nst[text]"``) and weights of yours; the
losses need neither.
"""

from pystyle.text._crops import RandomCrops
from pystyle.text._encoder import TextImageEncoder
from pystyle.text._open_clip import OpenClipEncoder, open_clip_encoder
from pystyle.text._preparation import Fit
from pystyle.text._prompts import Prompt, text_embedding
from pystyle.text._templates import IMAGENET_TEMPLATES
from pystyle.text._text_direction_loss import TextDirectionLoss
from pystyle.text._text_encoder import text_encoder
from pystyle.text._text_loss import TextLoss
from pystyle.text._transformers import TransformersEncoder, transformers_encoder

__all__ = [
    "Fit",
    "IMAGENET_TEMPLATES",
    "OpenClipEncoder",
    "Prompt",
    "RandomCrops",
    "TextDirectionLoss",
    "TextImageEncoder",
    "TextLoss",
    "TransformersEncoder",
    "open_clip_encoder",
    "text_embedding",
    "text_encoder",
    "transformers_encoder",
]
