"""`pystyle paint` with a folder of photographs."""

import argparse
from pathlib import Path

from pystyle.cli._errors import UsageError
from pystyle.cli._inputs import STANDARD_STREAM
from pystyle.cli._job import run_job
from pystyle.cli._networks import bound, chosen_network
from pystyle.cli._painter import PaintingRecipe


def paint_folder(options: argparse.Namespace) -> int:
    """Paint all images in a folder and below it, and return the exit code."""
    source, output = Path(options.content), Path(options.output)
    _check(options, source, output)
    recipe = PaintingRecipe(
        bound(chosen_network(options), options),
        styles=options.styles,
        edge_size=options.edge_size,
        strength=options.strength,
        colors=options.colors,
    )
    return run_job(
        options,
        source,
        [],
        output,
        recipe=recipe,
    )


def _check(options: argparse.Namespace, source: Path, output: Path) -> None:
    if options.mask:
        raise UsageError(
            "`--mask` must be left out with a folder of images: it is of one photograph. Name each that has "
            "masks as CONTENT, in a command of its own."
        )
    if options.save_config is not None:
        raise UsageError("`--save-config` must be left out with a folder of images.")
    if options.output == STANDARD_STREAM or (output.exists() and not output.is_dir()):
        raise UsageError(
            f"`--output` must be a folder, because CONTENT is the folder '{source}', got '{options.output}'."
        )
    if output.resolve() == source.resolve():
        raise UsageError(f"`--output` must be another folder than CONTENT, got '{output}' for both.")
