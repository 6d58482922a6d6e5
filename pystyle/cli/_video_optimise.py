"""`pystyle video --optimise`: each frame is optimised, as long as it takes."""

import argparse

from pystyle.cli._encoders import chosen_device, chosen_encoder
from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import read_picture
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.evaluation._precision import precision_on
from pystyle.papers.ruder_2016 import RuderPainter

_OF_NETWORKS = {
    "network": "any-style",
    "strength": 1.0,
    "style_size": None,
    "style_weights": None,
    "colors": "style",
    "mask": None,
    "keyframes": None,
    "sound": None,
    "steady": False,
    "batch_size": 1,
    "compile": False,
}
"""The options that are for networks, and what they are if they are not given."""

_OF_OPTIMISATION = ("steps", "encoder", "weights", "pooling")
_STEPS = (2000, 1000)


def check_optimise(options: argparse.Namespace) -> None:
    """Refuse what is for networks with ``--optimise``, and what is for it without.

    Raises:
        UsageError: If there is such an option.
    """
    if not options.optimise:
        for name in _OF_OPTIMISATION:
            if getattr(options, name) is not None:
                raise UsageError(f"`--{name}` is for `--optimise`. Add it, or leave this out.")
        return
    for name, default in _OF_NETWORKS.items():
        if getattr(options, name) != default:
            raise UsageError(f"`--{name.replace('_', '-')}` is for networks. Leave it out with `--optimise`.")
    if len(options.styles) != 1:
        raise UsageError(f"`--optimise` needs one STYLE, a painting, got {len(options.styles)}.")


def optimising_painter(options: argparse.Namespace) -> RuderPainter:
    """What optimises each frame.

    Raises:
        UsageError: If an option cannot be taken.
    """
    device = chosen_device(options)
    style = read_picture(options.styles[0], max_pixels=options.max_pixels, background=None)
    encoder = chosen_encoder(options) or vgg19()
    return RuderPainter(
        style.to(device),
        encoder=encoder.to(device),
        num_steps=options.steps or _STEPS,
        evaluation=EagerEvaluation(precision_on(device, options.precision)),
    )
