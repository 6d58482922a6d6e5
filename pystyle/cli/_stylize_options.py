"""The files and options of `pystyle stylize`."""

import argparse

from pystyle.cli._batch_options import add_batch_options
from pystyle.cli._config import Config
from pystyle.cli._keeping_options import add_config_options, add_keeping_options
from pystyle.cli._machine_options import add_machine_options
from pystyle.cli._optimization_options import add_optimization_options
from pystyle.cli._options import (
    add_encoding_options,
    add_max_pixels_option,
    add_report_options,
    add_run_options,
    default_of,
)
from pystyle.cli._paths import user_path
from pystyle.cli._style_options import add_style_options
from pystyle.cli._words_options import add_words_options
from pystyle.stylization import stylize


def add_arguments(
    parser: argparse.ArgumentParser,
    config: Config | None = None,
    *,
    batch: bool = False,
    words: bool = False,
) -> None:
    """The files and options of the command.

    Files that a config names, or a folder has, need not be given, nor paintings where words are.
    """
    add = parser.add_argument
    content, styles = (None, ()) if config is None else (config.content, config.styles)
    content = None if batch else content
    add(
        "content",
        metavar="CONTENT",
        type=user_path,
        nargs="?" if content or batch else None,
        default=content,
        help="the photograph; - reads standard input",
    )
    add(
        "styles",
        metavar="STYLE",
        type=user_path,
        nargs="*" if styles or batch or words else "+",
        default=list(styles),
        help="a painting; several are blended; one of all files may be -",
    )
    add(
        "-o",
        "--output",
        metavar="OUT",
        type=user_path,
        required=not batch,
        help="the result; - writes PNG to standard output",
    )
    add_max_pixels_option(add)
    add_report_options(parser)
    add("--json", action="store_true", help="print one JSON object about the run; no progress bar")
    add_run_options(parser, edge_size=default_of(stylize, "edge_size"))
    add_style_options(parser)
    add_words_options(parser)
    add_optimization_options(parser)
    add_keeping_options(parser)
    add_machine_options(parser)
    add_encoding_options(parser)
    add_batch_options(parser)
    add_config_options(parser)
