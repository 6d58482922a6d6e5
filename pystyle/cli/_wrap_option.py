"""The option of the commands whose pictures can be laid beside themselves."""

from functools import partial
from typing import Any, get_args

from pystyle.cli._options import AddArgument
from pystyle.cli._values import one_of
from pystyle.parametrizations import LaplacianPyramid, LowResolution
from pystyle.typing import Wrap


def add_wrap_option(add: AddArgument) -> None:
    """Whether pictures wrap."""
    add(
        "--wrap",
        metavar="NAME",
        type=one_of("--wrap", get_args(Wrap)),
        help="a picture without a seam where it is laid beside itself: both for tiles, horizontal for "
        "panoramas all around; the photograph should have none either",
    )


def wrapping_parametrization(parametrization: Any, wrap: Wrap | None) -> Any:
    """The parametrization for a picture that wraps."""
    takes_wrap = parametrization in (LaplacianPyramid, LowResolution)
    return partial(parametrization, wrap=wrap) if wrap is not None and takes_wrap else parametrization
