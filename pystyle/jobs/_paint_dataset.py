import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import torch

from pystyle._arguments import device_of, number, whole_number
from pystyle.checkpoints import describe, fingerprint
from pystyle.images._formats import EXTENSIONS
from pystyle.images._read import DEFAULT_MAX_PIXELS
from pystyle.jobs._dataset_report import DatasetReport
from pystyle.jobs._dataset_work import DatasetJob
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._items import Item, items_named
from pystyle.jobs._manifest import Configuration
from pystyle.jobs._parts import Parts
from pystyle.jobs._ray import ray_module
from pystyle.jobs._ray_data import painted_blocks
from pystyle.jobs._store import Store
from pystyle.networks import Painter


def paint_dataset(
    contents: str | os.PathLike[str],
    paint: Painter,
    output: str | os.PathLike[str],
    *,
    edge_size: int | None = 512,
    strength: float = 1.0,
    extension: str = ".png",
    quality: int = 95,
    background: Sequence[float] | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    device: torch.device | str | None = None,
    workers: int = 1,
    block_size: int = 64,
    retry_failed: bool = False,
    overwrite: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    callbacks: Sequence[Callable[[JobEntry], None]] = (),
) -> DatasetReport:
    """Paint all images below an address with a network, by a pipeline of Ray Data on one machine or many.

    Addresses are those of `fsspec`: paths, ``"s3://bucket/photos"``, ``"gs://..."`` and so on. Workers need
    no folder in common. The network is sent to each machine once. Each picture is written as a whole, and
    when all pictures of a block are, its record is. So whatever ends the call, the same call does what is
    missing, and what is painted again is at most a block for each worker.

    It needs ``pip install "pystyle-nst[ray]"``, and for a bucket the package that `fsspec` names.

    Args:
        contents: The folder of the images. A file is an image if its name says so; hidden files are passed
            over.
        paint: The network with its style, from :meth:`Stylizer.bind <pystyle.networks.Stylizer.bind>`.
        output: The folder of the pictures, and of the record in ``manifest/``.
        edge_size: The short edge of the pictures; None for that of each image.
        strength: How much of the style, from 0 to 1.
        extension: Of the pictures, which says their format.
        quality: Of JPEG, WebP and AVIF.
        background: As in :func:`stylize_folder`.
        max_pixels: Largest accepted product of width and height of an image.
        device: Where workers compute; the accelerator of each if there is one, else the CPU.
        workers: How many work at a time. They divide the threads of this process, ask for as many CPUs, and
            for a GPU or a share of one if the cluster has any.
        block_size: How many images are recorded at a time; fewer if there are not as many for each worker.
        retry_failed: Try images again that failed in a call before.
        overwrite: Replace the pictures of a job with other options, and files that are of no job.
        storage_options: For the file systems of both addresses.
        callbacks: Called with an entry for each image that this call has done, when its block is.

    Returns:
        How many were painted, and what failed.

    Raises:
        ImportError: If Ray, or what an address needs, is missing.
        JobError: If the folder has the pictures of another job, or of none, and `overwrite` is false.
        NotADirectoryError: If there is no folder of images.
        OSError: If no file can be written in `output`.
        TypeError: If the network cannot be sent to a worker.
        ValueError: If an argument has an impossible value.
        Exception: Whatever else ends a worker. What the next image need not have is recorded instead.

    Example:
        >>> from pystyle.networks import pretrained
        >>> paint = pretrained("masters").bind("rocks")
        >>> paint_dataset("photos/", paint, "photos/")
        Traceback (most recent call last):
        ValueError: `output` must be another folder than `contents`, ...

    Note:
        A picture that is there counts as it is, and so does an image whose name was painted: neither is
        read again, as :func:`stylize_folder` does. What was painted before a job with other options was begun
        in the folder is painted again, for that one may have replaced it. No two calls should paint in one
        folder at a time: nothing would be lost, and much done twice.
    """
    source = Store(contents, storage_options, label="`contents`")
    target = Store(output, storage_options, label="`output`")
    inside = source.contains(target)
    if inside == "":
        raise ValueError(f"`output` must be another folder than `contents`, got '{source.address}' for both.")
    edge_size = None if edge_size is None else whole_number(edge_size, "`edge_size`", least=1)
    strength = number(strength, "`strength`", least=0, most=1)
    workers = whole_number(workers, "`workers`", least=1)
    block_size = whole_number(block_size, "`block_size`", least=1)
    encoding = Encoding(extension, 8, quality, background=None if background is None else tuple(background))
    where = None if device is None else str(device_of(device))
    ray = ray_module()
    network = _saved(paint, ray.cloudpickle)
    if not source.is_folder():
        raise NotADirectoryError(f"`contents` must be a folder of images, got '{source.address}'.")
    items, left_out = _items(source, inside, extension)
    configuration = _configuration(paint, edge_size, strength, encoding)
    names, parts = target.names(), Parts(target)
    # The time comes first, so that of several entries the last one is known.
    run = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"
    outputs = (item.output for item in items)
    begun = parts.begin(configuration, outputs, names, run=run, overwrite=overwrite)
    known = parts.entries(names, configuration, begun=begun)
    unpainted = _unpainted(items, known, set(names), retry_failed=retry_failed)
    blocks = _blocks(unpainted, block_size, workers)
    workers = min(workers, max(len(blocks), 1))
    job = DatasetJob(
        source,
        target,
        edge_size,
        strength,
        encoding,
        max_pixels,
        configuration=configuration.sha256,
        run=run,
        threads=max(torch.get_num_threads() // workers, 1),
        device=where,
    )
    painted = 0
    for entry in painted_blocks(job, network, blocks, workers=workers) if blocks else ():
        painted += not entry.failed
        known[entry.input] = entry
        for callback in callbacks:
            callback(entry)
    failed = tuple(known[item.input] for item in items if known[item.input].failed)
    return DatasetReport(target.address, painted, len(items) - len(failed) - painted, failed, left_out)


def _items(source: Store, inside: str | None, extension: str) -> tuple[list[Item], int]:
    """The images, without those of the other folder if it lies here, and how many other files there are."""
    files = [
        name
        for name in source.names()
        if not any(part.startswith(".") for part in name.split("/"))
        and (inside is None or not name.startswith(f"{inside}/"))
    ]
    images = [name for name in files if PurePosixPath(name).suffix.lower() in EXTENSIONS]
    return items_named(images, extension), len(files) - len(images)


def _unpainted(
    items: Sequence[Item], known: Mapping[str, JobEntry], names: set[str], *, retry_failed: bool
) -> list[Item]:
    def is_done(item: Item) -> bool:
        entry = known.get(item.input)
        if entry is None or entry.output != item.output:
            return False
        return not retry_failed if entry.failed else item.output in names

    return [item for item in items if not is_done(item)]


def _blocks(items: Sequence[Item], block_size: int, workers: int) -> list[Sequence[Item]]:
    """The images in blocks, which are smaller if there would not be one for each worker."""
    size = min(block_size, max(-(-len(items) // workers), 1))
    return [items[start : start + size] for start in range(0, len(items), size)]


def _configuration(
    paint: Painter, edge_size: int | None, strength: float, encoding: Encoding
) -> Configuration:
    description = {
        "recipe": "paint_dataset",
        "network": f"{type(paint.network).__name__} with the SHA-256 {fingerprint(paint.network)}",
        "style": f"a code with the SHA-256 {fingerprint(list(paint.codes.values()))}",
        **describe(
            {
                "precision": paint.precision,
                "wrap": paint.wrap,
                "edge_size": edge_size,
                "strength": strength,
                "encoding": encoding,
            }
        ),
    }
    text = json.dumps(description, sort_keys=True)
    return Configuration(hashlib.sha256(text.encode()).hexdigest(), description)


def _saved(paint: Painter, pickler: Any) -> bytes:
    """The network as a worker is sent it, wherever its class was written.

    Raises:
        TypeError: If it cannot be sent.
    """
    stream = io.BytesIO()
    try:
        torch.save(paint, stream, pickle_module=pickler)
    except Exception as error:  # Of many kinds: PicklingError, AttributeError, TypeError, ...
        raise TypeError(f"`paint` must be what another process can be sent, got {error}.") from error
    return stream.getvalue()
