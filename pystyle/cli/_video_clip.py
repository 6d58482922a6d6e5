"""The clip of `pystyle video`: where its frames come from, and its sound."""

import argparse
import os
from pathlib import Path

from pystyle.cli._announce import say
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM, read_picture
from pystyle.cli._keyframes import KeyFrames
from pystyle.cli._values import ORIGINAL_SIZE
from pystyle.images._formats import EXTENSIONS
from pystyle.video import Clip, read_clip, still_clip
from pystyle.video._resized import ResizedClip
from pystyle.video._write import check_output, settings_for
from pystyle.video.sound import Sound

_ANIMATIONS = (".apng", ".gif", ".png", ".webp")
_USUAL_RATE = 25.0


def opened_clip(options: argparse.Namespace, sound: Sound | None, keyframes: KeyFrames | None) -> Clip:
    """The clip at its own size; of a photograph one that is as long as the sound, or as the key frames.

    Raises:
        UsageError: If an option does not fit it.
        ImageReadError: If it cannot be read.
    """
    path, rate = Path(options.content), options.rate
    if is_photograph(options.content, options.max_pixels):
        seconds = sound.end if sound is not None else keyframes.end if keyframes is not None else 0.0
        if not seconds > 0:
            raise UsageError(
                f"CLIP is the photograph '{path}', which `pystyle paint` paints. With `--sound`, or with "
                "`--keyframes` after 0 seconds, it becomes a clip."
            )
        image = read_picture(options.content, max_pixels=options.max_pixels, background=None)
        return still_clip(image, seconds, rate=rate or _USUAL_RATE)
    is_folder = options.content != STANDARD_STREAM and path.is_dir()
    if rate is not None and not is_folder:
        raise UsageError("`--rate` is for a photograph or a folder of frames; a clip has its own times.")
    return read_clip(options.content, rate=rate, max_pixels=options.max_pixels)


def is_photograph(source: str, max_pixels: int) -> bool:
    """Whether this is the file of one picture, and not of an animation."""
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix not in (*EXTENSIONS, ".apng") or not path.is_file():
        return False
    return suffix not in _ANIMATIONS or read_clip(source, max_pixels=max_pixels).num_frames == 1


def at_size(clip: Clip, options: argparse.Namespace) -> Clip:
    """The clip at the size at which it is painted."""
    return clip if options.edge_size == ORIGINAL_SIZE else ResizedClip(clip, options.edge_size, "short")


def can_go_on(source: str) -> bool:
    """Whether the clip can be read again, so that a run from it can go on."""
    return source != STANDARD_STREAM and (os.path.isfile(source) or os.path.isdir(source))


def sound_of(options: argparse.Namespace, clip: Clip) -> bool | str:
    """What `paint_clip` is told of the sound.

    Raises:
        UsageError: If the clip cannot be written as it is asked for.
    """
    try:
        settings = settings_for(options.output, like=clip, rate=None, quality=options.quality, format=None)
        check_output(options.output, settings, None)
        has_room = settings.format != "folder" and settings.kind.has_sound
        if options.no_sound or not has_room:
            return False
        if options.sound is not None:
            return str(options.sound)
        if not clip.has_sound or not can_go_on(options.content):
            return True
        try:
            check_output(options.output, settings, clip)
        except ValueError:
            if not (options.quiet or options.json):
                say(f"'{options.output}' cannot hold the sound as it is in the clip: it is encoded again.")
            return str(options.content)
        return True
    except ValueError as error:
        raise UsageError(str(error)) from error
