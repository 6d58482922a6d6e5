"""The files and options of `pystyle paint`."""

import argparse

from pystyle.cli._batch_options import add_format_option, add_work_options
from pystyle.cli._config import Config
from pystyle.cli._keeping_options import add_config_options
from pystyle.cli._machine_options import add_device_option, add_precision_option
from pystyle.cli._options import (
    add_encoding_options,
    add_max_pixels_option,
    add_report_options,
    default_of,
)
from pystyle.cli._painter_options import add_network_option, add_picture_group, add_styles_argument
from pystyle.cli._paths import user_path
from pystyle.cli._style_options import add_colors_option, add_mask_option
from pystyle.cli._wrap_option import add_wrap_option
from pystyle.stylization import stylize


def add_arguments(parser: argparse.ArgumentParser, config: Config | None = None) -> None:
    """The files and options of the command; files that a config names need not be given."""
    add = parser.add_argument
    content, styles = (None, ()) if config is None else (config.content, config.styles)
    add(
        "content",
        metavar="CONTENT",
        type=user_path,
        nargs="?" if content else None,
        default=content,
        help="the photograph, or a folder of photographs; - reads standard input",
    )
    add_styles_argument(add, styles)
    add(
        "-o",
        "--output",
        metavar="OUT",
        type=user_path,
        required=True,
        help="the result, or a folder for those of a folder; - writes PNG to standard output",
    )
    add_network_option(add, default="any-style")
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the picture")
    _add_picture_options(parser)
    machine = parser.add_argument_group("the machine").add_argument
    add_device_option(machine)
    add_precision_option(machine)
    add_encoding_options(parser)
    folder = parser.add_argument_group("many photographs, if CONTENT is a folder").add_argument
    add_format_option(folder)
    add_work_options(folder)
    add_config_options(parser)


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    add = add_picture_group(parser, edge_size=default_of(stylize, "edge_size"), original="CONTENT")
    add_colors_option(add)
    masks = "grey pictures of the size of CONTENT, white inside"
    add_mask_option(add, masks, "one for all styles together, or one for each")
    add_wrap_option(add)
