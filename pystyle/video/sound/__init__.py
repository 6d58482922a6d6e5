"""Sounds as curves over time, and painters that follow them."""

from pystyle.video._sound_error import SoundReadError
from pystyle.video.sound._centroid import spectral_centroid
from pystyle.video.sound._chroma import PITCHES, chroma
from pystyle.video.sound._curve import Curve
from pystyle.video.sound._following import sound_painter
from pystyle.video.sound._loudness import loudness
from pystyle.video.sound._onsets import onset_times, onsets, spectral_flux
from pystyle.video.sound._painter import Controls, SoundPainter
from pystyle.video.sound._picture_times import picture_times
from pystyle.video.sound._read import read_sound
from pystyle.video.sound._shares import linear_shares, place_shares, switch_shares
from pystyle.video.sound._sound import Sound
from pystyle.video.sound._tempo import tempo

__all__ = [
    "Controls",
    "Curve",
    "PITCHES",
    "Sound",
    "SoundPainter",
    "SoundReadError",
    "chroma",
    "linear_shares",
    "loudness",
    "onset_times",
    "onsets",
    "picture_times",
    "place_shares",
    "read_sound",
    "sound_painter",
    "spectral_centroid",
    "spectral_flux",
    "switch_shares",
    "tempo",
]
