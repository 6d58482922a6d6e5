import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from pystyle._arguments import path_of, whole_number
from pystyle._locks import CAN_WAIT
from pystyle.images._destinations import Destination, check_destinations, check_not_nested, check_not_read
from pystyle.images._read import DEFAULT_MAX_PIXELS
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._folder import JobFolder
from pystyle.jobs._items import Item, LeftOut, items_of
from pystyle.jobs._manifest import Manifest
from pystyle.jobs._on_ray import share_on_ray
from pystyle.jobs._ray import ray_module
from pystyle.jobs._recipe import Recipe, checked, configuration_of, read_styles
from pystyle.jobs._report import JobReport
from pystyle.jobs._work import Job, sort, work
from pystyle.jobs._workers import share
from pystyle.runner._signals import exit_on_signals
from pystyle.stylization import stylize
from pystyle.stylization._sources import ImageSource


def stylize_folder(
    contents: str | os.PathLike[str],
    style: ImageSource | Sequence[ImageSource],
    output: str | os.PathLike[str],
    *,
    recipe: Recipe = stylize,
    extension: str = ".png",
    bits: Literal[8, 16] = 8,
    quality: int = 95,
    keep_metadata: bool = False,
    background: Sequence[float] | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    targets: str | os.PathLike[str] | None = None,
    workers: int = 1,
    on: Literal["processes", "ray"] = "processes",
    retry_failed: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[Callable[[JobEntry], None]] = (),
) -> JobReport:
    """Paint all images in a folder, and keep a record of it, so that it can be gone on with at any time.

    The record is ``manifest.jsonl`` in the folder of the pictures, to which lines are only added. An image is
    done if its picture is there and neither has changed since; the same call again does what is missing. An
    image that cannot be read or painted is recorded and left out. The folder may be shared: by the
    processes of `workers`, by several programs that make the same call, by the ranks of ``torchrun``.
    Nothing is done twice, and whoever dies leaves its image to the others.

    Args:
        contents: The folder of the images; those in folders below it are painted, too. Hidden ones are not.
            A file is an image if its name or its first bytes say so; what is none is named in the report.
        style: The manner: an image, the path of one, or several that are blended.
        output: The folder of the pictures, which belongs to the job. A picture has the name of its image,
            with another extension; where two would have the same, each keeps its own extension before it.
        recipe: What is done to each image: :func:`~pystyle.stylize`, a `functools.partial` of it with other
            options, or a function of yours of a content and the styles, as tensors, which gives a
            :class:`~pystyle.Result`. If it has an argument `targets` that is None by default, it gets the
            folder of targets; if it has an argument `alpha` that is so, the opacity of an image that is
            transparent in parts.
        extension: Of the pictures, which says their format.
        bits: Bits per channel, 8 or 16 (PNG only).
        quality: Of JPEG, WebP and AVIF.
        keep_metadata: Give each picture the metadata of its image: EXIF, XMP and resolution.
        background: Colour, RGB in [0, 1], that shows where images are transparent. If not given, their
            pictures are transparent there, too; on white in formats that cannot be.
        max_pixels: Largest accepted product of width and height of an image; see
            :func:`~pystyle.images.read_image`.
        targets: A folder for what is computed of the styles alone, if several jobs are to share it; else it
            is one in `output`.
        workers: Processes, which divide the threads of this one, and take the accelerators in turn. A program
            that asks for several needs the guard ``if __name__ == "__main__":``.
        on: ``"processes"`` of this machine, or workers of ``"ray"`` (``pip install "pystyle-nst[ray]"``): of
            the cluster that the program or the variable ``RAY_ADDRESS`` names, else of a local one. All
            machines must see the folders under the same names. Each worker asks for as many CPUs as it has
            threads, and for a GPU, or its share of one, if there are any.
        retry_failed: Try images again that failed in a call before.
        overwrite: Replace the pictures of a job with other options, and files that are of no job.
        callbacks: Called with an entry after each image that this call has done.

    Returns:
        What became of each image, and which files were left out.

    Raises:
        JobError: If the folder has the pictures of another job, or of none, and `overwrite` is false; or all
            processes died.
        ImageReadError: If a style cannot be read.
        ImportError: If Ray is missing for ``on="ray"``.
        NotADirectoryError: If there is no folder of images.
        OSError: If no file can be written in `output`.
        ValueError: If an argument has an impossible value, or a picture would be written over an image.
        RunInterrupted: At Ctrl-C in a run, with the picture so far of its image, which the next call begins
            anew. Of several processes it is a plain ``KeyboardInterrupt``.
        Exception: Whatever else ends a run. What the next image need not have (``ValueError``, lack of
            memory, divergence) is recorded instead.

    Example:
        >>> import tempfile, torch
        >>> from functools import partial
        >>> from pathlib import Path
        >>> from pystyle import stylize
        >>> from pystyle.encoders import alexnet
        >>> from pystyle.images import write_image
        >>> folder = Path(tempfile.mkdtemp())
        >>> photos, pictures = folder / "photos", folder / "pictures"
        >>> photos.mkdir()
        >>> write_image(torch.rand(1, 3, 32, 40), photos / "one.png")
        >>> recipe = partial(stylize, encoder=alexnet(weights=None), edge_size=32, num_steps=1)
        >>> painting = torch.rand(1, 3, 32, 32)
        >>> stylize_folder(photos, painting, pictures, recipe=recipe).painted[0].output
        'one.png'
        >>> len(stylize_folder(photos, painting, pictures, recipe=recipe).kept)
        1

    Note:
        The bytes of a picture are those of a run without a job, on the same machine with the same number of
        threads, on which the last bits of sums depend.
    """
    # Recipes and callbacks may move the program to another folder, and workers of Ray are in another one.
    source, folder = path_of(contents).absolute(), JobFolder(path_of(output).absolute())
    if not source.is_dir():
        raise NotADirectoryError(f"`contents` must be a folder of images, got '{source}'.")
    if source.resolve() == folder.path.resolve():
        raise ValueError(f"`output` must be another folder than `contents`, got '{source}' for both.")
    workers = whole_number(workers, "`workers`", least=1)
    _check_sharing(workers, on)
    ground = None if background is None else tuple(background)
    encoding, styles = (
        Encoding(extension, bits, quality, keep_metadata, ground),
        read_styles(style, max_pixels),
    )
    recipe = checked(recipe)
    configuration = configuration_of(recipe, styles, encoding)
    items, left_out = items_of(source, folder.path, extension)
    _check_files(source, folder, items, style)
    with exit_on_signals(), folder.opened(configuration, items, overwrite=overwrite):
        manifest = folder.read()
        sorted_items = sort(
            manifest, items, source, folder.path, configuration.sha256, retry_failed=retry_failed
        )
        job = Job(
            source,
            folder.path,
            sorted_items.open,
            recipe,
            styles,
            encoding,
            targets=folder.targets if targets is None else path_of(targets).absolute(),
            max_pixels=max_pixels,
            configuration=configuration,
            run=secrets.token_hex(4),
            begun_at=manifest.offset,
            workers=min(workers, len(sorted_items.open)),
        )

        def tell(entry: JobEntry) -> None:
            for callback in callbacks:
                callback(entry)

        if job.workers == 1 and on == "processes":
            work(job, index=int(os.environ.get("LOCAL_RANK", 0)), tell=tell)
        elif job.workers and on == "ray":
            share_on_ray(job, manifest, tell=tell)
        elif job.workers:
            share(job, manifest, tell=tell)
        manifest.read()
        return _report(folder.path, items, left_out, manifest, job)


def _check_sharing(workers: int, on: str) -> None:
    if on not in ("processes", "ray"):
        raise ValueError(f"`on` must be 'processes' or 'ray', got {on!r}.")
    if (workers > 1 or on == "ray") and not CAN_WAIT:
        raise ValueError(
            "`workers` must be 1, and `on` 'processes', on this system, which has no locks that end with "
            "their holder."
        )
    if on == "ray":
        ray_module()


def _check_files(source: Path, folder: JobFolder, items: Sequence[Item], style: Any) -> None:
    """Check that pictures can be written, and that none is written over an image."""
    styles = style if isinstance(style, list | tuple) else [style]
    read: list[str | Path] = [
        *(source / item.input for item in items),
        *(os.path.expanduser(one) for one in styles if isinstance(one, str | Path)),
    ]
    pictures = [Destination(f"The picture of '{item.input}'", folder.path / item.output) for item in items]
    manifest = Destination("The manifest", folder.manifest, in_place=True)
    # Pictures have names of their own already; two that are links to one file are replaced one by one.
    check_not_read([manifest, *pictures], read)
    check_not_nested([manifest, *pictures])
    check_destinations([Destination("`output`", folder.path, is_folder=True)])


def _report(
    output: Path, items: Sequence[Item], left_out: tuple[LeftOut, ...], manifest: Manifest, job: Job
) -> JobReport:
    entries = [manifest.entries[item.input] for item in items]
    return JobReport(
        output,
        painted=tuple(entry for entry in entries if entry.run == job.run and not entry.failed),
        kept=tuple(entry for entry in entries if entry.run != job.run and not entry.failed),
        failed=tuple(entry for entry in entries if entry.failed),
        left_out=left_out,
    )
