"""The files and options of `pystyle texture`."""

import argparse
import math

from pystyle.cli._errors import UsageError
from pystyle.cli._keeping_options import add_checkpoint_options
from pystyle.cli._machine_options import add_device_option, add_encoder_options
from pystyle.cli._optimization_options import add_parametrization_option
from pystyle.cli._options import (
    add_max_pixels_option,
    add_report_options,
    add_seed_option,
    add_steps_option,
    add_strength_option,
    default_of,
)
from pystyle.cli._paths import user_file, user_path
from pystyle.cli._style_options import (
    add_loss_option,
    add_smoothness_option,
    add_style_scale_option,
    add_style_weights_option,
)
from pystyle.cli._values import integer, number
from pystyle.surfaces import Views, stylize_texture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files and options of the command."""
    add = parser.add_argument
    add("mesh", metavar="MESH", type=user_file, help="the mesh: a .glb, .gltf, .obj or .ply with UVs")
    add(
        "styles",
        metavar="STYLE",
        type=user_path,
        nargs="+",
        help="a painting; several are blended; one of them may be -",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        type=user_file,
        required=True,
        help="the mesh with its new texture, in .glb; or in .obj or .ply, with the texture beside it",
    )
    add(
        "--texture",
        metavar="FILE",
        type=user_file,
        help="the texture to paint (default: that of MESH)",
    )
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the run; no progress bar")
    _add_texture_options(parser)
    _add_style_options(parser)
    _add_turntable_options(parser)
    add_checkpoint_options(parser.add_argument_group("what is kept of the run").add_argument)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_encoder_options(machine)
    parser.set_defaults(save_config=None, background=None)


def _add_texture_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the texture").add_argument
    add(
        "--size",
        dest="texture_size",
        metavar="PIXELS",
        type=integer("--size", least=1, unit="px"),
        default=default_of(stylize_texture, "texture_size"),
        help="short edge of the texture; views are half as high (default: %(default)s)",
    )
    add_strength_option(add)
    add_steps_option(add, "draft (64), standard (160) or best (600)")
    add_parametrization_option(add)
    add(
        "--elevations",
        metavar="LOW,HIGH",
        type=_elevations,
        default=Views.elevations,
        help="from how deep to how high the mesh is seen, in degrees, between commas; write "
        "--elevations=-40,55 (default: -40,55)",
    )
    add_seed_option(add, of="the views", default=Views.seed)


def _add_style_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the style").add_argument
    add_loss_option(add)
    add_style_weights_option(add)
    add(
        "--content-weight",
        metavar="W",
        type=number("--content-weight"),
        default=default_of(stylize_texture, "content_weight"),
        help="how much the texture that was there counts (default: %(default)s)",
    )
    add_smoothness_option(add)
    add_style_scale_option(add)


def _add_turntable_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("pictures of the mesh").add_argument
    add("--sheet", metavar="FILE", type=user_file, help="write a picture of it from eight sides")
    add(
        "--clip",
        metavar="FILE",
        type=user_file,
        help="write a clip of it that turns once; .gif, .mp4, .webm and others need the extra video",
    )


def _elevations(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = math.nan
    if not -90 <= low <= high <= 90:
        raise UsageError(
            "`--elevations` must be two angles from -90 to 90, the lower first, such as -30,50, got "
            f"{text!r}."
        )
    return low, high
