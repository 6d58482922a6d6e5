"""One run of `pystyle stylize --text`."""

import argparse
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import CommandError
from pystyle.cli._keeping import checkpoints_of
from pystyle.cli._painting import Painting, complete, so_far
from pystyle.cli._picture import size_of
from pystyle.cli._so_far import Latest, check_begun, whatever_ends_it
from pystyle.cli._words_options import steps_of_words
from pystyle.encoders import vgg19
from pystyle.evaluation import EagerEvaluation
from pystyle.images import resize
from pystyle.papers.kwon_2022 import HalvedAdam, PhotographNetwork, criterion
from pystyle.runner import Callback, ProgressBar, Result, optimize_image
from pystyle.stylization._evaluation import chosen_precision
from pystyle.stylization._sources import opaque_content
from pystyle.text import OpenClipEncoder, RandomCrops, TransformersEncoder, text_encoder
from pystyle.typing import MaskedImage


def paint_words(
    options: argparse.Namespace,
    content: Tensor,
    alpha: Tensor | None,
    *,
    callbacks: Sequence[Callback],
    progress: bool,
) -> Painting:
    """Paint a photograph as words say, as Kwon and Ye do.

    Raises:
        UsageError: If an argument is impossible.
        CommandError: If there is no such model.
        KeyboardInterrupt: If there was one before the first step.
        Exception: Whatever went wrong before the first step.
    """
    latest = Latest()
    seen_by: list[Callback] = [latest, *([ProgressBar()] if progress else []), *callbacks]
    model = _model(options)
    filled, _ = opaque_content(content, alpha)
    photograph = filled.image if isinstance(filled, MaskedImage) else filled

    def run() -> Painting:
        result = _optimized(options, model, photograph, seen_by)
        check_begun(result.stop_reason, latest, kind="picture")
        return complete(result, latest.step)

    return whatever_ends_it(run, latest, so_far)


def _optimized(
    options: argparse.Namespace,
    model: TransformersEncoder | OpenClipEncoder,
    photograph: Tensor,
    callbacks: Sequence[Callback],
) -> Result:
    device, seed = chosen_device(options), options.seed or 0
    encoder = vgg19("caffe").to(device)
    losses = criterion(
        options.text,
        model.to(device),
        encoder,
        network="caffe",
        crops=RandomCrops(count=options.text_crops or RandomCrops.count, seed=seed),
    )
    precision = chosen_precision(options.precision, encoder, device)
    return optimize_image(
        losses.to(device),
        {"content": resize(photograph, size_of(photograph, options.edge_size)).to(device)},
        parametrization=partial(PhotographNetwork, seed=seed),
        optimizer=HalvedAdam,
        num_steps=steps_of_words(options.num_steps),
        evaluation=EagerEvaluation(precision),
        callbacks=callbacks,
        checkpoint=checkpoints_of(options),
        resume=options.resume,
    )


def _model(options: argparse.Namespace) -> TransformersEncoder | OpenClipEncoder:
    try:
        # Networks of others are made on the device that is torch's default.
        with torch.device("cpu"):
            return text_encoder(options.text_model)
    except (OSError, ValueError) as error:
        raise CommandError(str(error).replace("`name`", "`--text-model`")) from error
