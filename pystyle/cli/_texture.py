"""`pystyle texture`."""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from pystyle import __version__
from pystyle.cli._announce import announcements
from pystyle.cli._config import Keys
from pystyle.cli._encoders import chosen_encoder
from pystyle.cli._ending import finish
from pystyle.cli._errors import CommandError, UsageError
from pystyle.cli._inputs import check_streams, files_of, pillow_limit, read_picture
from pystyle.cli._keeping import check_checkpoint, checkpoints_of, kept_files, loggers_of
from pystyle.cli._needed import check_needed
from pystyle.cli._optimization_options import PARAMETRIZATIONS
from pystyle.cli._outputs import check_new_file, check_picture_file, check_places
from pystyle.cli._painting import Painting
from pystyle.cli._painting import complete as complete_painting
from pystyle.cli._painting import so_far as painting_so_far
from pystyle.cli._picture import Saved
from pystyle.cli._so_far import Latest, check_begun, whatever_ends_it
from pystyle.cli._style_options import check_style_weights
from pystyle.cli._tell import tell_facts
from pystyle.cli._texture_options import add_arguments
from pystyle.images import contact_sheet, write_image
from pystyle.images._destinations import Destination
from pystyle.images._rescue import rescue_image
from pystyle.runner import ProgressBar
from pystyle.surfaces import (
    Camera,
    Mesh,
    MeshReadError,
    Views,
    read_mesh,
    render,
    stylize_texture,
    turntable,
    write_mesh,
)
from pystyle.surfaces._gutters import filled_gutters
from pystyle.surfaces._write import mesh_files
from pystyle.video import write_clip
from pystyle.video._write import check_output, settings_for

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "paint the texture of a mesh in the manner of one or several paintings"
DESCRIPTION = (
    "Paint the texture of a mesh in the manner of one or several paintings, as it is seen from all sides. "
    "Ctrl-C ends the run and saves the mesh so far."
)

_SHEET_VIEWS = 8
_VIEW_SIZE = 320
_CLIP_FRAMES = 48
_CLIP_RATE = 12
_CLIP_ELEVATION = 15.0
_SHADING = 0.3
_NO_KEYS = Keys((), ())


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    with pillow_limit(options.max_pixels):
        _check(options)
        mesh = _mesh(options)
        reading = {"max_pixels": options.max_pixels, "background": options.background}
        styles = [read_picture(style, **reading) for style in options.styles]
    painting = _paint(options, mesh, styles)
    painted = mesh.with_texture(painting.image.float().cpu())
    painted = painted.with_texture(filled_gutters(painted))
    speaks = not (options.quiet or options.json)
    return finish(
        painting,
        partial(_save, painted, options.output),
        partial(_report, painted, painting, options),
        announce=speaks,
        kind="mesh",
    )


def _mesh(options: argparse.Namespace) -> Mesh:
    texture = None
    if options.texture is not None:
        reading = {"max_pixels": options.max_pixels, "background": options.background}
        texture = read_picture(str(options.texture), **reading)
    try:
        return read_mesh(options.mesh, texture=texture)
    except (ImportError, MeshReadError) as error:
        raise CommandError(str(error).replace("as `texture`", "with `--texture`")) from error


def _paint(options: argparse.Namespace, mesh: Mesh, styles: Sequence[Tensor]) -> Painting:
    latest, speaks = Latest(), not (options.quiet or options.json)
    names = (
        *("texture_size", "strength", "style_loss", "style_weights", "style_scale", "content_weight"),
        *("smoothness_weight", "num_steps", "device", "precision", "resume"),
    )
    arguments = {name: getattr(options, name) for name in names}

    def paint() -> Painting:
        encoder = chosen_encoder(options)
        with announcements(wanted=speaks):
            result = stylize_texture(
                mesh,
                styles,
                views=Views(elevations=options.elevations, seed=options.seed),
                encoder=encoder,
                parametrization=PARAMETRIZATIONS[options.parametrization],
                checkpoint=checkpoints_of(options),
                callbacks=[latest, *([ProgressBar()] if speaks else []), *loggers_of(options)],
                **arguments,
            ).result
        check_begun(result.stop_reason, latest, kind="mesh")
        return complete_painting(result, latest.step)

    return whatever_ends_it(paint, latest, painting_so_far)


def _check(options: argparse.Namespace) -> None:
    """Everything that can be wrong is found before the computation."""
    check_needed(options)
    check_checkpoint(options)
    check_streams(options.styles)
    check_style_weights(options.style_weights, len(options.styles))
    overwrite = options.overwrite or options.resume
    try:
        files = mesh_files(options.output)
    except ValueError as error:
        raise UsageError(str(error).replace("`path`", "`--output`")) from error
    destinations = []
    for file in files:
        check_new_file("--output", file, overwrite=overwrite)
        destinations.append(Destination("`--output`", file))
    if options.sheet is not None:
        check_picture_file(options.sheet, overwrite=overwrite, option="--sheet")
        destinations.append(Destination("`--sheet`", options.sheet))
    if options.clip is not None:
        _check_clip(options.clip, overwrite=overwrite)
        destinations.append(Destination("`--clip`", options.clip))
    destinations += kept_files(options, _NO_KEYS, overwrite=overwrite)
    read = [*files_of(options), options.mesh, *filter(None, [options.texture])]
    check_places(destinations, read)


def _check_clip(path: Path, *, overwrite: bool) -> None:
    try:
        settings = settings_for(path, like=None, rate=_CLIP_RATE, quality=None, format=None)
        check_new_file("--clip", path, overwrite=overwrite)
        check_output(path, settings, None)
    except ImportError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise UsageError(f"`--clip`: {error}") from error
    except ValueError as error:
        raise UsageError(str(error).replace("`path`", "`--clip`")) from error


def _save(mesh: Mesh, path: Path) -> Saved:
    """Write the mesh; if that is impossible, its texture elsewhere."""
    try:
        write_mesh(mesh, path)
    except Exception as error:
        elsewhere = rescue_image(mesh.texture, path.with_suffix(".png"))
        if elsewhere is None:
            raise
        reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        problem = f"The mesh could not be written to '{path}', so this is its texture: {reason}."
        return Saved(f"'{elsewhere}'", problem, elsewhere)
    return Saved(f"'{path}'")


def _report(mesh: Mesh, painting: Painting, options: argparse.Namespace, saved: Saved) -> None:
    """What belongs to the mesh: pictures of it, and the facts for programs."""
    if options.sheet is not None:
        pictures = turntable(mesh, _SHEET_VIEWS, _VIEW_SIZE)
        write_image(contact_sheet(pictures, columns=_SHEET_VIEWS // 2, height=_VIEW_SIZE), options.sheet)
    if options.clip is not None:
        write_clip(options.clip, _frames(mesh), rate=_CLIP_RATE)
    if options.json:
        tell_facts(_facts(mesh, painting, options, saved))


def _frames(mesh: Mesh) -> Iterator[Tensor]:
    for index in range(_CLIP_FRAMES):
        camera = Camera(360 * index / _CLIP_FRAMES, _CLIP_ELEVATION)
        yield render(mesh, camera, _VIEW_SIZE, shading=_SHADING)


def _facts(mesh: Mesh, painting: Painting, options: argparse.Namespace, saved: Saved) -> dict[str, Any]:
    return {
        "output": str((saved.path or options.output).absolute()),
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "width": mesh.texture.shape[3],
        "height": mesh.texture.shape[2],
        "steps": painting.steps,
        "seconds": round(painting.seconds, 3),
        "stop_reason": painting.stop_reason,
        "loss": painting.loss,
        "terms": painting.terms,
        "seed": options.seed,
        "precision": painting.precision,
        "version": __version__,
    }
