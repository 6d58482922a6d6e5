"""A job that is shared by workers of Ray, on one machine or on many that see the same folders.

Each image is given to one worker at a time. Claims and manifest are those of every job, so that other
processes may work in the same folder, and a worker that Ray has lost sight of does nothing twice.
"""

import logging
import pickle
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from PIL import Image

from pystyle.jobs._entry import JobEntry
from pystyle.jobs._folder import JobFolder
from pystyle.jobs._items import Item
from pystyle.jobs._manifest import Manifest
from pystyle.jobs._ray import cluster, gpus_of_each
from pystyle.jobs._recipe import device_of_recipe
from pystyle.jobs._work import Job, Worker, lost
from pystyle.jobs._workers import TracebackError, all_ended, pickled, say_nothing, sendable

_LOG = logging.getLogger("pystyle")
_INTERVAL = 0.2
"""Seconds between two looks at the manifest."""
_PATIENCE = 60.0
"""Seconds without any worker after which that is said."""
_MOST_DEATHS = 3
"""An image at which so many workers died is left out, and who dies so often as it begins is given up."""

Problem = tuple[Exception, str]
"""An error of a worker, and its traceback."""


def share_on_ray(job: Job, manifest: Manifest, *, tell: Callable[[JobEntry], None]) -> None:
    """Have workers of Ray do the job.

    What all of them need is sent to each machine once. A worker that dies is replaced, on another machine if
    need be, and its image is given to whoever is free.

    Raises:
        JobError: If no worker could begin, or all died before the job was done.
        TypeError: If the recipe cannot be sent to a worker.
        Exception: What ended a worker.
    """
    threads = max(torch.get_num_threads() // job.workers, 1)
    with cluster(job.workers * threads) as ray:
        data = pickled(job, ray.cloudpickle.dumps)
        sharing = _Sharing(ray, job, manifest, tell)
        try:
            sharing.start(data, threads)
            sharing.run()
        finally:
            sharing.end()
    all_ended(job, manifest, "They were workers of Ray")


class RayWorker:
    """A worker: an actor of Ray.

    Args:
        data: The job, pickled.
        index: The number of the worker.
        threads: With how many threads it computes.
    """

    def __init__(self, data: bytes, index: int, threads: int) -> None:
        self._data = data
        self._index, self._threads = index, threads
        self._worker: Worker | None = None

    def begin(self) -> Problem | None:
        """Make ready; what went wrong."""
        try:
            self._ready()
        except Exception as error:
            return sendable(error), traceback.format_exc()
        return None

    def paint(self, item: Item) -> Problem | None:
        """Paint an image, if nobody else has; what went wrong."""
        try:
            worker = self._ready()
            with JobFolder(worker.job.output).joined(worker.job.configuration):
                worker.paint([item], tell=say_nothing)
        except Exception as error:
            return sendable(error), traceback.format_exc()
        return None

    def _ready(self) -> Worker:
        if self._worker is None:
            torch.set_num_threads(self._threads)
            job: Job = pickle.loads(self._data)
            Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, job.max_pixels)
            self._worker = Worker(job, index=self._index)
        return self._worker


class _Sharing:
    """The workers of a job, and who has which image."""

    def __init__(self, ray: Any, job: Job, manifest: Manifest, tell: Callable[[JobEntry], None]) -> None:
        self._ray, self._job, self._manifest, self._tell = ray, job, manifest, tell
        self._queue = deque(job.items)
        self._made: dict[int, Callable[[], Any]] = {}
        self._workers: dict[int, Any] = {}
        self._idle: list[int] = []
        self._at_work: dict[Any, tuple[int, Item | None]] = {}
        self._deaths: Counter[int | Item] = Counter()

    def start(self, data: bytes, threads: int) -> None:
        """Ask the cluster for the workers."""
        ray, job = self._ray, self._job
        # Sent to each machine once, and kept for those that replace others.
        reference = ray.put(data)
        gpus = gpus_of_each(ray.cluster_resources(), job.workers, device_of_recipe(job.recipe))
        kind = ray.remote(RayWorker).options(num_cpus=threads, num_gpus=gpus, max_restarts=0)
        for index in range(job.workers):
            self._made[index] = partial(kind.remote, reference, index, threads)
            self._begin(index)

    def run(self) -> None:
        """Until all images are done, or there is no worker any more."""
        begun, told = time.monotonic(), False
        while self._queue or any(item is not None for _, item in self._at_work.values()):
            if not self._at_work and not self._idle:
                break
            done, _ = self._ray.wait(list(self._at_work), timeout=_INTERVAL)
            for reference in done:
                self._take(reference)
            while self._idle and self._queue:
                index, item = self._idle.pop(), self._queue.popleft()
                self._at_work[self._workers[index].paint.remote(item)] = index, item
            self._tell_news()
            waiting = all(item is None for _, item in self._at_work.values()) and not self._idle
            if waiting and not told and time.monotonic() - begun > _PATIENCE:
                told = True
                _LOG.warning("No worker of Ray has begun yet; the cluster has %s.", _free(self._ray))
        self._tell_news()

    def end(self) -> None:
        """No worker is left."""
        for worker in self._workers.values():
            self._ray.kill(worker)

    def _begin(self, index: int) -> None:
        worker = self._workers[index] = self._made[index]()
        self._at_work[worker.begin.remote()] = index, None

    def _take(self, reference: Any) -> None:
        index, item = self._at_work.pop(reference)
        try:
            problem: Problem | None = self._ray.get(reference)
        except self._ray.exceptions.RayActorError as death:
            self._lose(index, item, death)
            return
        if problem is not None:
            raise problem[0] from TracebackError(problem[1])
        self._idle.append(index)

    def _lose(self, index: int, item: Item | None, death: Exception) -> None:
        """Go on after the death of a worker."""
        # It may only be out of sight.
        self._ray.kill(self._workers.pop(index))
        key = index if item is None else item
        self._deaths[key] += 1
        often = self._deaths[key] >= _MOST_DEATHS
        if item is None:
            if often:
                _LOG.warning("A worker of Ray died whenever it began: %s", death)
                return
        elif often:
            lost(self._job, item, _MOST_DEATHS)
        else:
            self._queue.append(item)
        self._begin(index)

    def _tell_news(self) -> None:
        for entry in self._manifest.read():
            if entry.run == self._job.run:
                self._tell(entry)


def _free(ray: Any) -> str:
    found = ray.available_resources()
    return f"{found.get('CPU', 0):g} free CPUs of {ray.cluster_resources().get('CPU', 0):g}"
