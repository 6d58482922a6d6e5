"""The options about further files: what is kept of a run, and runs in files."""

import argparse

from pystyle.checkpoints import Checkpoints
from pystyle.cli._config import CONFIG_OPTION
from pystyle.cli._options import AddArgument
from pystyle.cli._paths import user_file
from pystyle.cli._values import SECONDS, integer, positive_number


def add_keeping_options(parser: argparse.ArgumentParser) -> None:
    """What `pystyle stylize` writes while a run goes on."""
    add = parser.add_argument_group("what is kept of the run").add_argument
    add(
        "--save-every",
        metavar="N",
        type=integer("--save-every", least=1),
        help="write the picture so far every N steps, beside OUT, with the step in the name",
    )
    add_checkpoint_options(add)


def add_checkpoint_options(add: AddArgument) -> None:
    """Checkpoints and the log, in the group of this `add_argument`."""
    add(
        "--checkpoint",
        metavar="FOLDER",
        type=user_file,
        help="keep the state of the run in a folder of its own",
    )
    add(
        "--checkpoint-every",
        metavar="SECONDS",
        type=positive_number("--checkpoint-every", SECONDS),
        help=f"what a kill may cost (default: {Checkpoints.seconds}); any other end keeps all steps",
    )
    add(
        "--resume",
        action="store_true",
        help="go on from the last checkpoint, if there is one; files of the interrupted run are replaced",
    )
    add(
        "--log",
        metavar="FILE",
        type=user_file,
        help="write the losses of each step to FILE.csv or FILE.jsonl",
    )


def add_config_options(parser: argparse.ArgumentParser, *, kind: str = "picture") -> None:
    """Options from files and to files."""
    add = parser.add_argument_group("runs in files").add_argument
    add(
        CONFIG_OPTION,
        metavar="FILE",
        type=user_file,
        help="read files and options from a TOML file, by their long names; options given here win",
    )
    add(
        "--save-config",
        metavar="FILE",
        type=user_file,
        help=f"write such a file with all options and the seed, for the same {kind} again",
    )
