"""`pystyle video`."""

import argparse
from pathlib import Path
from typing import NamedTuple

import torch

from pystyle import __version__
from pystyle.checkpoints import CheckpointError
from pystyle.cli._announce import announcements, say
from pystyle.cli._config import Keys
from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import EXIT_INTERRUPTED, CommandError, UsageError
from pystyle.cli._inputs import STANDARD_STREAM, pillow_limit
from pystyle.cli._keeping import save_config
from pystyle.cli._keyframes import read_keyframes
from pystyle.cli._named_network import is_network_name
from pystyle.cli._networks import check_edge, compiled_network, is_style_name
from pystyle.cli._options import default_of
from pystyle.cli._tell import tell_facts
from pystyle.cli._values import flat
from pystyle.cli._video_checks import check_files, check_keyframes, check_options
from pystyle.cli._video_clip import at_size, can_go_on, opened_clip, sound_of
from pystyle.cli._video_masks import read_masks
from pystyle.cli._video_optimise import optimising_painter
from pystyle.cli._video_options import add_arguments
from pystyle.cli._video_painter import clip_painter
from pystyle.cli._video_progress import ClipBar
from pystyle.evaluation._precision import precision_on
from pystyle.video import Clip, FramePainter, Progress, paint_clip
from pystyle.video._segments import SegmentFolder
from pystyle.video.sound import read_sound

__all__ = ["CONFIG_KEYS", "DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint a clip, or make one of a photograph and a song"
DESCRIPTION = (
    "Paint each frame of a clip with a network; times and sound stay. A run that was killed, or ended by "
    "Ctrl-C, goes on when the same command is given again."
)
CONFIG_KEYS = Keys(
    ("content", "style"),
    ("content", "--output=output"),
    {
        "style": is_style_name,
        "network": is_network_name,
        "keyframes": lambda _: False,
        "sound": lambda _: False,
    },
    ("compile", "no-sound", "optimise", "steady"),
)


_SEGMENT_SECONDS = default_of(paint_clip, "segment_seconds")


class _Work(NamedTuple):
    """What is painted, by what, and with which sound."""

    clip: Clip
    painter: FramePainter
    sound: bool | str
    device: torch.device


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    options.mask = flat(options.mask)
    with pillow_limit(options.max_pixels):
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    check_options(options)
    check_files(options, CONFIG_KEYS)
    work, folder = _work(options), _folder(options)
    bar = None if options.quiet or options.json else ClipBar()
    try:
        with announcements(wanted=bar is not None):
            progress = _painted(options, work, folder, bar)
    except KeyboardInterrupt:
        if folder is None:
            raise
        say(f"Interrupted. What is painted stays in '{folder}'; the same command goes on from there.")
        return EXIT_INTERRUPTED
    finally:
        if bar is not None:
            bar.close()
    save_config(options, CONFIG_KEYS)
    _report(options, work, progress)
    return 0


def _work(options: argparse.Namespace) -> _Work:
    keyframes = None if options.keyframes is None else read_keyframes(options.keyframes)
    check_keyframes(options, keyframes)
    sound = None if options.sound is None else read_sound(options.sound)
    whole = opened_clip(options, sound, keyframes)
    clip, device = at_size(whole, options), chosen_device(options)
    if options.optimise:
        return _Work(clip, optimising_painter(options), sound_of(options, clip), device)
    network = compiled_network(options)
    check_edge(network, "--size", (clip.height, clip.width))
    masks = read_masks(options, whole, (clip.height, clip.width))
    written = sound_of(options, clip)
    return _Work(clip, clip_painter(network, options, sound, keyframes, masks), written, device)


def _painted(options: argparse.Namespace, work: _Work, folder: Path | None, bar: ClipBar | None) -> Progress:
    def paint() -> Progress:
        return paint_clip(
            work.clip,
            work.painter,
            options.output,
            batch_size=options.batch_size,
            quality=options.quality,
            sound=work.sound,
            progress=bar,
            checkpoint=folder,
            resume=folder is not None,
            segment_seconds=0 if options.optimise else _SEGMENT_SECONDS,
        )

    try:
        progress = paint()
    except CheckpointError as error:
        if not options.overwrite or folder is None:
            raise CommandError(f"{error} `--overwrite` begins anew.") from error
        # Of another run; while that one goes on, its folder cannot be removed either.
        SegmentFolder(folder).remove()
        progress = paint()
    except ValueError as error:
        raise UsageError(str(error)) from error
    if folder is not None:
        SegmentFolder(folder).remove()
    return progress


def _folder(options: argparse.Namespace) -> Path | None:
    """Where painted parts are kept; None if nothing could go on from them."""
    if not can_go_on(options.content) or (options.output == STANDARD_STREAM and options.checkpoint is None):
        return None
    folder: Path = options.checkpoint or Path(f"{options.output.rstrip('/')}.parts")
    return folder


def _report(options: argparse.Namespace, work: _Work, progress: Progress) -> None:
    speed, clip = progress.frames_per_second, work.clip
    if options.json:
        facts = {
            "output": str(Path(options.output).absolute()),
            "width": clip.width,
            "height": clip.height,
            "frames": progress.frames,
            "painted": progress.painted,
            "seconds": round(progress.seconds, 3),
            "frames_per_second": round(speed, 2),
            "network": None if options.optimise else options.network,
            "styles": options.styles,
            "device": str(work.device),
            "precision": precision_on(work.device, options.precision),
            "version": __version__,
        }
        tell_facts(facts)
    elif not options.quiet:
        place = "standard output" if options.output == STANDARD_STREAM else f"'{options.output}'"
        frames = f"{progress.frames} frame{'' if progress.frames == 1 else 's'}"
        say(f"The clip is in {place}: {frames} of {clip.width} x {clip.height} pixels, {speed:.1f} a second.")
