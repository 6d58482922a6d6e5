"""`pystyle train`."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pystyle import __version__
from pystyle.cli._announce import say
from pystyle.cli._config import Keys
from pystyle.cli._encoders import DEFAULT_ENCODER
from pystyle.cli._ending import finish
from pystyle.cli._errors import EXIT_INTERRUPTED, UsageError
from pystyle.cli._inputs import STANDARD_STREAM, check_streams, files_of, pillow_limit
from pystyle.cli._keeping import check_checkpoint, kept_files, loggers_of, save_config
from pystyle.cli._named_network import is_network_name
from pystyle.cli._needed import check_needed
from pystyle.cli._network_file import NetworkFile, check_network_file
from pystyle.cli._outputs import check_new_file, check_picture_file, check_places, files_of_steps
from pystyle.cli._picture import Saved
from pystyle.cli._recipe_options import settle
from pystyle.cli._tell import tell_facts
from pystyle.cli._train_inputs import images_in, network_of, painting_paths, style_names, styles_of
from pystyle.cli._train_options import PREVIEW_EVERY, add_arguments
from pystyle.cli._train_recipe import augments, few_paintings, recipe_arguments, recipe_card, recipe_facts
from pystyle.cli._training import Training, painting_arguments, parameter_count, run_training
from pystyle.cli._values import flat
from pystyle.images import read_image, resize
from pystyle.images._destinations import Destination
from pystyle.networks import Style
from pystyle.training import ImageFolder, Previews

__all__ = ["CONFIG_KEYS", "DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "train a network that paints in the style of one or several paintings"
DESCRIPTION = (
    "Train a network that paints in the style of one or several paintings, with --recipe in that of a folder "
    "of them, or with --any-style of any image; `pystyle paint` paints with it. Ctrl-C ends the "
    "training and saves the network so far."
)
CONFIG_KEYS = Keys(("style",), ("style", "--contents=folder", "--output=output"), {"start": is_network_name})

_PREVIEWS = 4
_PREVIEW_EDGE = 192


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    options.style_layers = flat(options.style_layers)
    try:
        with pillow_limit(options.max_pixels):
            return _run(options)
    except KeyboardInterrupt:
        say("Interrupted; no network was written.")
        return EXIT_INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    settle(options)
    names = style_names(options)
    contents = images_in(options.contents, "`--contents`", options)
    _check(options, contents)
    network = network_of(options, names)
    styles = styles_of(options, network)
    told = not (options.quiet or options.json)
    callbacks = _callbacks(options, contents, names or styles)
    if told and options.recipe is not None and augments(len(styles)):
        say(few_paintings(len(styles)))
    training = run_training(
        options,
        network,
        contents=contents,
        styles=styles,
        arguments=_arguments(options, network, len(styles)),
        callbacks=callbacks,
        progress=told,
    )
    card = _card(options, training, names, contents=len(contents), styles=len(styles))
    file = NetworkFile(Path(options.output), card)
    return finish(
        training,
        partial(file.save, training.network),
        partial(_report, training, options),
        problems=[str(callback.failure) for callback in callbacks if callback.failure is not None],
        announce=told,
        kind="network",
    )


def _check(options: argparse.Namespace, contents: ImageFolder) -> None:
    """Everything that can be wrong is found before the computation."""
    check_needed(options)
    check_checkpoint(options)
    check_streams(options.styles)
    if options.save_config is not None and STANDARD_STREAM in options.styles:
        raise UsageError("`--save-config` needs pictures in files, since '-' would read another one.")
    overwrite = options.overwrite or options.resume
    files = [
        check_network_file(Path(options.output), overwrite=overwrite),
        *_preview_files(options, overwrite=overwrite),
        *kept_files(options, CONFIG_KEYS, overwrite=overwrite),
    ]
    read = [file for file in files_of(options) if not Path(file).is_dir()]
    if options.start is not None and not is_network_name(options.start):
        read.append(options.start)
    check_places(files, [*read, *contents.paths, *painting_paths(options)])


def _preview_files(options: argparse.Namespace, *, overwrite: bool) -> list[Destination]:
    if options.preview is None:
        return []
    check_picture_file(options.preview, overwrite=overwrite, option="--preview")
    every = options.preview_every or PREVIEW_EVERY
    steps = range(every, options.num_steps + 1, every)
    files = files_of_steps(options.preview, steps)
    for file in files:
        check_new_file("--preview", file, overwrite=overwrite)
    return [Destination("A preview of `--preview`", file) for file in files]


def _arguments(options: argparse.Namespace, network: Any, num_styles: int) -> Callable[[], dict[str, Any]]:
    if options.recipe is None:
        return partial(painting_arguments, options)
    return partial(recipe_arguments, options, network, num_styles)


def _callbacks(
    options: argparse.Namespace, contents: ImageFolder, styles: Sequence[str] | ImageFolder
) -> list[Any]:
    callbacks: list[Any] = [*loggers_of(options)]
    if options.preview is not None:
        pairs = _preview_pairs(contents, styles)
        every = options.preview_every or PREVIEW_EVERY
        callbacks.append(Previews(options.preview, pairs, every=every, height=_PREVIEW_EDGE))
    return callbacks


def _preview_pairs(contents: ImageFolder, styles: Sequence[str] | ImageFolder) -> list[tuple[Any, Style]]:
    """Photographs from all parts of the folder, each with another style."""
    count = len(contents.paths)
    photographs = [contents.paths[index * count // _PREVIEWS] for index in range(min(_PREVIEWS, count))]
    found = []
    for index, photograph in enumerate(photographs):
        if isinstance(styles, ImageFolder):
            path = styles.paths[index * len(styles) // _PREVIEWS]
            style: Style = resize(read_image(path, max_pixels=styles.max_pixels), _PREVIEW_EDGE)
        else:
            style = styles[index % len(styles)]
        content = read_image(photograph, max_pixels=contents.max_pixels)
        found.append((resize(content, _PREVIEW_EDGE), style))
    return found


def _card(
    options: argparse.Namespace, training: Training, names: Sequence[str], *, contents: int, styles: int
) -> dict[str, Any]:
    """What the file says beside the weights: how the network came to be."""
    files = [Path(style).name for style in options.styles]
    comparing = {
        "encoder": options.encoder or DEFAULT_ENCODER,
        "loss": options.style_loss,
        "strength": options.strength,
    }
    return {
        "made_by": f"pystyle train {__version__}",
        "styles": dict(zip(names, files, strict=True)) if names else files,
        **({} if options.start is None else {"started_from": Path(options.start).name}),
        "photographs": contents,
        "steps": training.steps,
        "batch_size": options.batch_size,
        "crop_size": options.crop_size,
        **({"steady": options.steady} if options.steady else {}),
        **(comparing if options.recipe is None else recipe_card(options, styles)),
        "seed": options.seed,
    }


def _report(training: Training, options: argparse.Namespace, saved: Saved) -> None:
    """What belongs to the network: the options, and the facts for programs."""
    save_config(options, CONFIG_KEYS)
    if options.json:
        tell_facts(_facts(training, options, saved))


def _facts(training: Training, options: argparse.Namespace, saved: Saved) -> Mapping[str, Any]:
    network = training.network
    return {
        "output": str((saved.path or Path(options.output)).absolute()),
        "network": type(network).__name__,
        "width": network.configuration["width"],
        "styles": list(network.styles),
        "parameters": parameter_count(network),
        "steps": training.steps,
        "skipped": training.skipped,
        "seconds": round(training.seconds, 3),
        "stop_reason": training.stop_reason,
        "loss": training.loss,
        "terms": training.terms,
        "factors": training.factors,
        "warnings": training.warnings,
        **({} if options.recipe is None else recipe_facts(options, training.signals)),
        "seed": options.seed,
        "device": str(next(network.parameters()).device),
        "version": __version__,
    }
