"""What can be wrong with the options of `pystyle video`, found before anything is read."""

import argparse
from pathlib import Path

from pystyle.cli._config import Keys
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, files_of
from pystyle.cli._keeping import config_files
from pystyle.cli._keyframes import KeyFrames
from pystyle.cli._masks import check_regions
from pystyle.cli._named_network import is_network_name
from pystyle.cli._needed import check_needed
from pystyle.cli._outputs import check_new_file, check_places, check_standard_output
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._video_clip import can_go_on
from pystyle.cli._video_optimise import check_optimise
from pystyle.images._destinations import Destination


def check_options(options: argparse.Namespace) -> None:
    """What can be wrong with the options alone."""
    check_needed(options)
    check_optimise(options)
    check_streams([options.content, *options.styles])
    count, masks = len(options.styles), len(options.mask or ())
    weights = options.style_weights
    check_style_weights(weights, count)
    if options.sound is not None and (options.keyframes is not None or weights is not None or masks > 1):
        raise UsageError(
            "`--sound` chooses among the styles itself. Leave out `--keyframes`, `--style-weights`, and all "
            "but one `--mask`."
        )
    if options.follow is not None and count < 2:
        raise UsageError(
            f"`--follow` is for several styles, got {count}. Name more as STYLE, or leave it out."
        )
    check_regions(count, options.mask, weights)


def check_files(options: argparse.Namespace, keys: Keys) -> None:
    """What can be wrong with the files that are read and written."""
    if options.save_config is not None and STANDARD_STREAM in (options.content, *options.styles):
        raise UsageError("`--save-config` needs files, since '-' would read another one.")
    if options.checkpoint is not None and not can_go_on(options.content):
        raise UsageError("`--checkpoint` needs a clip in a file, since standard input cannot be read again.")
    files = config_files(options, keys, overwrite=options.overwrite)
    if options.output == STANDARD_STREAM:
        if options.json:
            raise UsageError("`--output -` leaves no place for `--json`. Name a file.")
        check_standard_output()
    elif Path(options.output).suffix and not Path(options.output).is_dir():
        check_new_file("--output", Path(options.output), overwrite=options.overwrite)
        files = [Destination("`--output`", Path(options.output)), *files]
    read = [*files_of(options), *filter(None, (options.sound, options.keyframes))]
    check_places(files, [*read, *([] if is_network_name(options.network) else [options.network])])


def check_keyframes(options: argparse.Namespace, keyframes: KeyFrames | None) -> None:
    """Refuse a strength, or weights of styles, from two places."""
    if keyframes is None:
        return
    if keyframes.strength is not None and options.strength != 1:
        raise UsageError("`--keyframes` says the strength. Leave out `--strength`.")
    if keyframes.shares is not None and (options.style_weights is not None or len(options.mask or ()) > 1):
        raise UsageError(
            "`--keyframes` says the weights of the styles. Leave out `--style-weights`, and all but one "
            "`--mask`."
        )
