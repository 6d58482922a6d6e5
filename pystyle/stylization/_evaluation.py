"""How the objective of `stylize` is computed: whole or in strips, and in which precision."""

import math
import os
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import torch

from pystyle._arguments import whole_number
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.criterion import Criterion
from pystyle.criterion._blend import images_of
from pystyle.encoders import Encoder
from pystyle.evaluation import EagerEvaluation, Evaluation, StripEvaluation
from pystyle.evaluation._precision import known_precision, precision_on
from pystyle.images import scaled_size
from pystyle.runner import choose_evaluation
from pystyle.typing import OptimizerFactory, Precision, PrecisionChoice, References

Tile: TypeAlias = int | Literal["auto"] | None


def checked_tile(tile: Any, memory_budget: int | str | None) -> Tile:
    """The height of strips, "auto", or None for the image as a whole.

    Raises:
        ValueError: If it is none of them, or memory is limited where nothing keeps to it.
    """
    if isinstance(tile, str) and tile == "auto":
        return "auto"
    if memory_budget is not None:
        raise ValueError(
            f"`memory_budget` must not be given with `tile={tile!r}`: of `stylize(tile=...)` only 'auto' "
            "keeps to it. Leave out one of both."
        )
    return None if tile is None else whole_number(tile, "`tile`", least=1)


def chosen_evaluation(
    sizes: Mapping[Criterion, tuple[int, int]],
    tile: Tile,
    optimizer: OptimizerFactory,
    memory_budget: int | str | None,
    precision: Precision,
) -> Evaluation:
    """The evaluation of all levels, from the largest size at which each criterion is evaluated."""
    if tile != "auto":
        return EagerEvaluation(precision) if tile is None else StripEvaluation(tile, precision)
    found = [
        choose_evaluation(
            criterion, size, optimizer=optimizer, memory_budget=memory_budget, precision=precision
        )
        for criterion, size in reversed([*sizes.items()])  # An error names the size that was asked for.
    ]
    strips = [evaluation for evaluation in found if isinstance(evaluation, StripEvaluation)]
    return min(strips, key=lambda evaluation: evaluation.rows) if strips else found[0]


def chosen_precision(precision: PrecisionChoice, encoder: Encoder, device: torch.device) -> Precision:
    """What "auto" comes to; an encoder in float64 stays in it."""
    if precision == "auto" and encoder.image_dtype == torch.float64:
        return "float32"
    return precision_on(device, precision)


def kept_choices(
    checkpoint: str | os.PathLike[str] | Checkpoints | None,
    tile: Tile,
    precision: PrecisionChoice,
) -> tuple[Tile, PrecisionChoice]:
    """What "auto" came to when the run began, which other free memory or another machine must not change."""
    if checkpoint is None:
        return tile, precision
    folder = checkpoint.folder if isinstance(checkpoint, Checkpoints) else checkpoint
    arguments = CheckpointFolder(folder).arguments()
    if "evaluation" not in arguments:
        return tile, precision
    if tile == "auto":
        rows = arguments.get("evaluation.rows", "")
        tile = int(rows) if rows.isdecimal() else None
    if precision == "auto" and "evaluation.precision" in arguments:
        precision = known_precision(arguments["evaluation.precision"].strip("'"))
    return tile, precision


def largest_size(references: References, edge_size: int, style_scale: float) -> tuple[int, int]:
    """The size of the largest image at a level."""
    style_edge = max(round(edge_size * style_scale), 1)
    sizes = [
        scaled_size((image.shape[2], image.shape[3]), edge_size if name == "content" else style_edge)
        for name, reference in references.items()
        for image in images_of(reference)
    ]
    return max(sizes, key=math.prod)
