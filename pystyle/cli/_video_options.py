"""The files and options of `pystyle video`."""

import argparse
from typing import get_args

from pystyle.cli._config import Config
from pystyle.cli._errors import UsageError
from pystyle.cli._keeping_options import add_config_options
from pystyle.cli._machine_options import add_compile_option, add_device_option, add_encoder_options
from pystyle.cli._options import (
    AddArgument,
    add_max_pixels_option,
    add_report_options,
)
from pystyle.cli._painter_options import add_network_option, add_picture_group, add_styles_argument
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._style_options import add_colors_option, add_mask_option
from pystyle.cli._values import integer, integers, one_of, positive_number
from pystyle.video.sound._following import Follow

_EDGE_SIZE = 360
"""Pixels; what networks paint at some frames a second on processors."""

_LARGEST_QUALITY = 63


def add_arguments(parser: argparse.ArgumentParser, config: Config | None = None) -> None:
    """The files and options of the command; files that a config names need not be given."""
    add = parser.add_argument
    content, styles = (None, ()) if config is None else (config.content, config.styles)
    add(
        "content",
        metavar="CLIP",
        type=user_path,
        nargs="?" if content else None,
        default=content,
        help="the clip: a video, an animation, a folder of frames, or a photograph with --sound or "
        "--keyframes; - reads standard input",
    )
    add_styles_argument(add, styles)
    add(
        "-o",
        "--output",
        metavar="OUT",
        type=user_path,
        required=True,
        help="the result: .mp4, .mov, .mkv, .webm, .gif, .png, .webp, or a folder of frames; - writes "
        "Matroska to standard output",
    )
    add_network_option(add, default="any-style")
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the clip; no progress bar")
    _add_picture_options(parser)
    _add_way_options(parser.add_argument_group("the way").add_argument)
    _add_time_options(parser.add_argument_group("over time").add_argument)
    _add_file_options(parser.add_argument_group("the file").add_argument)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_encoder_options(machine)
    add_compile_option(machine)
    machine(
        "--batch-size",
        metavar="N",
        type=integer("--batch-size", least=1),
        default=1,
        help="frames that are painted together; more are faster on GPUs (default: %(default)s)",
    )
    add_config_options(parser, kind="clip")
    # Where a painting is transparent it is white.
    parser.set_defaults(background=None)


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    loud = "; with --sound where it is loud"
    add = add_picture_group(parser, edge_size=_EDGE_SIZE, original="CLIP", strength=loud)
    add_colors_option(add)
    masks = "grey pictures of the size of CLIP, white inside, or clips of such, which move"
    add_mask_option(add, masks, "one for all styles together, or one for each")


def _add_way_options(add: AddArgument) -> None:
    add(
        "--steady",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="less flicker: blend each picture with the one before, moved along with the clip (extra flow)",
    )
    add(
        "--optimise",
        action="store_true",
        help="no network: optimise each frame for one painting and hold it to the frame before, which takes "
        "minutes a frame; each is kept (extra flow)",
    )
    add(
        "--steps",
        metavar="N,N",
        type=steps_of_frames,
        help="with --optimise, the most steps of the first frame and of each other one (default: 2000,1000)",
    )


def steps_of_frames(text: str) -> tuple[int, int]:
    """The steps of the first frame and of the others, or of all."""
    steps = integers("--steps", least=1)(text)
    pair = [steps, steps] if isinstance(steps, int) else steps
    if len(pair) != 2:
        raise UsageError(f"`--steps` must be one or two numbers between commas, got {text!r}.")
    return pair[0], pair[1]


def _add_time_options(add: AddArgument) -> None:
    add(
        "--keyframes",
        metavar="FILE",
        type=user_file,
        help="strength and weights of styles at some times, in a TOML file; straight ways between them",
    )
    add(
        "--sound",
        metavar="FILE",
        type=user_path,
        help="a song that drives the style, and is the sound of the result: louder is stronger, and brighter "
        "is nearer to the last style",
    )
    add(
        "--follow",
        metavar="NAME",
        type=one_of("--follow", get_args(Follow)),
        help="what of --sound chooses among the styles: centroid, its brightness; or onsets, each of which "
        "switches (default: centroid)",
    )
    add(
        "--rate",
        metavar="N",
        type=positive_number("--rate"),
        help="frames a second of a photograph or a folder of frames (default: 25)",
    )


def _add_file_options(add: AddArgument) -> None:
    add(
        "--quality",
        metavar="N",
        type=integer("--quality", least=0, most=_LARGEST_QUALITY),
        help="the constant rate factor, smaller is better: 0 to 51 for H.264, 0 to 63 for VP9 (default: 18, "
        "and 24 for VP9)",
    )
    add("--no-sound", action="store_true", help="leave the sound out")
    add(
        "--checkpoint",
        metavar="FOLDER",
        type=user_file,
        help="where painted parts are kept until the clip is whole, from which the same command goes on "
        "(default: OUT.parts)",
    )
