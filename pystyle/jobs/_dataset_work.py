"""What a worker does with a block of images of a dataset."""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from pystyle._arguments import best_device, is_lack_of_memory
from pystyle.images import read_image, resize, scaled_size, split_alpha
from pystyle.jobs._encoding import Encoding
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._items import Item
from pystyle.jobs._parts import Parts, name_of_part
from pystyle.jobs._store import Store
from pystyle.jobs._work import OF_THE_IMAGE
from pystyle.networks import Painter


@dataclass(frozen=True)
class DatasetJob:
    """What is to be done; without the network it is small.

    Attributes:
        contents: The folder of the images.
        output: The folder of the pictures.
        edge_size: The short edge of the pictures; None for that of the image.
        strength: How much of the style.
        encoding: How pictures are encoded.
        max_pixels: The largest product of width and height of an image.
        configuration: The hash of what is to be done.
        run: A name of the call.
        threads: With how many threads a worker computes.
        device: Where; None for the accelerator of the worker, or its CPU.
    """

    contents: Store
    output: Store
    edge_size: int | None
    strength: float
    encoding: Encoding
    max_pixels: int
    configuration: str
    run: str
    threads: int
    device: str | None


class BlockPainter:
    """A worker, with its network.

    Args:
        job: What is to be done.
        network: The bytes of a :class:`~pystyle.networks.Painter`, as `torch.save` writes them.
    """

    def __init__(self, job: DatasetJob, network: bytes) -> None:
        torch.set_num_threads(job.threads)
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, job.max_pixels)
        self._job = job
        self._device = best_device() if job.device is None else torch.device(job.device)
        # It was written by this library in this call.
        self._paint: Painter = torch.load(io.BytesIO(network), map_location=self._device, weights_only=False)

    def paint(self, block: int, items: Sequence[Item]) -> list[JobEntry]:
        """Paint the images of a block, then write its record, unless that was done before a worker died."""
        parts, name = Parts(self._job.output), name_of_part(self._job.run, block)
        entries = parts.find(name)
        if len(entries) < len(items):
            entries = [self._entry(item) for item in items]
            parts.add(name, entries)
        return entries

    def _entry(self, item: Item) -> JobEntry:
        job, start = self._job, time.perf_counter()
        content, picture, error = b"", b"", None
        try:
            content = job.contents.read(item.input)
            picture = self._painted(content)
        except Exception as failure:
            lacks_memory = isinstance(failure, RuntimeError | MemoryError) and is_lack_of_memory(failure)
            if not isinstance(failure, (*OF_THE_IMAGE, OSError)) and not lacks_memory:
                raise
            error = str(failure) if isinstance(failure, OSError) else f"{type(failure).__name__}: {failure}"
            error = error.replace("the stream", f"the image '{item.input}'", 1)
        if error is None:
            job.output.write(item.output, picture)
        return JobEntry(
            input=item.input,
            output=item.output,
            input_sha256=hashlib.sha256(content).hexdigest() if content else None,
            output_sha256=None if error else hashlib.sha256(picture).hexdigest(),
            error=error,
            seconds=round(time.perf_counter() - start, 3),
            configuration=job.configuration,
            run=job.run,
            threads=torch.get_num_threads(),
        )

    def _painted(self, data: bytes) -> bytes:
        job = self._job
        image, alpha = self._read(data)
        if job.edge_size is not None:
            size = scaled_size((image.shape[2], image.shape[3]), job.edge_size)
            image = resize(image, size)
            alpha = None if alpha is None else resize(alpha, size, interpolation="bilinear")
        picture = self._paint(image.to(self._device), strength=job.strength)
        return job.encoding.encoded(picture, None, alpha)

    def _read(self, data: bytes) -> tuple[Tensor, Tensor | None]:
        job, stream = self._job, io.BytesIO(data)
        if job.encoding.keeps_alpha:
            return split_alpha(stream, max_pixels=job.max_pixels)
        ground = job.encoding.background or (1.0, 1.0, 1.0)
        return read_image(stream, background=ground, max_pixels=job.max_pixels), None
