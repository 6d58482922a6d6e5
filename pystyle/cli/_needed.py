"""Options that do nothing without another one."""

import argparse

from pystyle.cli._errors import UsageError

_FOLDER = "needs the folder of the checkpoints. Name it with `--checkpoint`."
_WORDS = "is for `--text`. Say what the picture becomes."
_NEEDED = {
    "resume": ("checkpoint", _FOLDER),
    "checkpoint_every": ("checkpoint", _FOLDER),
    "preview_every": ("preview", "needs the file of the previews. Name it with `--preview`."),
    "text_model": ("text", _WORDS),
    "text_crops": ("text", _WORDS),
    "follow": ("sound", "says what of a song chooses the style. Name the song with `--sound`."),
    "calibration": ("int8", "is for `--int8`. Leave it out, or add `--int8`."),
}
"""The option that each needs, and what is said without it."""


def check_needed(options: argparse.Namespace) -> None:
    """Refuse options that would be passed over, since the one that they belong to is not given.

    Raises:
        UsageError: If there is one.

    Example:
        >>> check_needed(argparse.Namespace(preview=None, preview_every=5))
        Traceback (most recent call last):
        pystyle.cli._errors.UsageError: `--preview-every` needs the file of the previews. Name it with ...
    """
    for name, (other, sentence) in _NEEDED.items():
        # Without them flags are false, and other options None.
        if not getattr(options, other, None) and getattr(options, name, None):
            raise UsageError(f"`--{name.replace('_', '-')}` {sentence}")
