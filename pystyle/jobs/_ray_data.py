"""The pipeline of Ray Data: blocks of names in, entries out."""

import logging
import pickle
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pystyle.jobs._dataset_work import BlockPainter, DatasetJob
from pystyle.jobs._entry import JobEntry
from pystyle.jobs._items import Item
from pystyle.jobs._ray import cluster, gpus_of_each, quietly
from pystyle.jobs._workers import TracebackError, sendable

_MOST_DEATHS = 3
"""A block at which so many workers died ends the job."""


def painted_blocks(
    job: DatasetJob, network: bytes, blocks: Sequence[Sequence[Item]], *, workers: int
) -> Iterator[JobEntry]:
    """Have workers of Ray paint blocks of images; the entries of each when it is done.

    Raises:
        Exception: What ended a worker.
    """
    with cluster(workers * job.threads) as ray:
        # Not a loop over it: warnings are those of the caller where this one yields.
        with quietly():
            pipeline = _pipeline(ray, job, network, blocks, workers)
        while True:
            with quietly():
                row = next(pipeline, None)
            if row is None:
                return
            found = pickle.loads(row["result"])
            if isinstance(found, tuple):
                error, trace = found
                raise error from TracebackError(trace)
            yield from found


def _pipeline(
    ray: Any, job: DatasetJob, network: bytes, blocks: Sequence[Sequence[Item]], workers: int
) -> Iterator[dict[str, Any]]:
    import ray.data as data

    rows = [{"block": index, "items": pickle.dumps(list(items))} for index, items in enumerate(blocks)]
    # Sent to each machine once, and held for workers that replace others.
    reference = ray.put(network)
    with _quiet_execution(data):
        painted = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Painting,
            batch_size=1,
            fn_constructor_args=(job, [reference]),
            compute=data.ActorPoolStrategy(size=workers),
            num_cpus=job.threads,
            num_gpus=gpus_of_each(ray.cluster_resources(), workers, job.device),
            max_restarts=_MOST_DEATHS,
            max_task_retries=_MOST_DEATHS,
        )
        yield from painted.iter_rows()


@contextmanager
def _quiet_execution(data: Any) -> Iterator[None]:
    """A context in which Ray Data neither draws bars nor says what it does."""
    context, logger = data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, context.print_on_execution_start, logger.level
    context.enable_progress_bars = context.print_on_execution_start = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars, context.print_on_execution_start = before[:2]
        logger.setLevel(before[2])


class _Painting:
    """What Ray Data makes once in each worker, and calls with one block at a time."""

    def __init__(self, job: DatasetJob, network: Sequence[Any]) -> None:
        import ray

        self._painter = BlockPainter(job, ray.get(network[0]))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        results = []
        for block, items in zip(batch["block"], batch["items"], strict=True):
            result: Any
            try:
                result = self._painter.paint(int(block), pickle.loads(items))
            except Exception as error:
                result = sendable(error), traceback.format_exc()
            results.append(pickle.dumps(result))
        return {"result": results}
