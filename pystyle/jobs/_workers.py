"""Several processes that work on one job."""

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import torch
from PIL import Image

from pystyle.jobs._entry import JobEntry
from pystyle.jobs._error import JobError
from pystyle.jobs._folder import JobFolder
from pystyle.jobs._manifest import Manifest
from pystyle.jobs._work import Job, work
from pystyle.runner._signals import exit_on_signals

_LOG = logging.getLogger("pystyle")
_INTERVAL = 0.2
"""Seconds between two looks at the manifest."""


def share(job: Job, manifest: Manifest, *, tell: Callable[[JobEntry], None]) -> None:
    """Have processes do the job; they divide the threads of this one.

    One that dies leaves its image to the others.

    Raises:
        JobError: If all died before the job was done.
        TypeError: If the recipe cannot be sent to a process.
        Exception: What ended a worker.
    """
    data = pickled(job, pickle.dumps)
    context = multiprocessing.get_context("spawn")
    threads = max(torch.get_num_threads() // job.workers, 1)
    processes: list[SpawnProcess] = []
    messages: list[Connection] = []
    try:
        with _ctrl_c_held_back():
            for index in range(job.workers):
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(data, index, threads, sender))
                process.start()
                sender.close()
                processes.append(process)
                messages.append(receiver)
        _watch(job, manifest, processes, messages, tell)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
    endings = ", ".join(str(process.exitcode) for process in processes)
    all_ended(job, manifest, f"Their exit codes are {endings}; -9 often means that memory was short")
    if any(process.exitcode for process in processes):
        _LOG.warning("Some processes died, and others did their work. The exit codes are %s.", endings)


def all_ended(job: Job, manifest: Manifest, hint: str) -> None:
    """Check that processes that have ended have left nothing.

    Raises:
        JobError: If they have; the message says the hint.
    """
    left = [item for item in job.items if manifest.added_since(job.begun_at, item.input) is None]
    if left:
        raise JobError(
            f"All processes ended before the job was done; {len(left)} images are left, the first is "
            f"'{left[0].input}'. {hint}. Start the job again, with fewer workers."
        )


def _watch(
    job: Job,
    manifest: Manifest,
    processes: list[SpawnProcess],
    messages: list[Connection],
    tell: Callable[[JobEntry], None],
) -> None:
    """Tell what is done until all processes have ended."""
    running = True
    while running:
        running = any(process.is_alive() for process in processes)
        for entry in manifest.read():
            if entry.run == job.run:
                tell(entry)
        for message in messages:
            _raise(message)
        if running:
            wait([process.sentinel for process in processes if process.is_alive()], timeout=_INTERVAL)


def _raise(message: Connection) -> None:
    try:
        if not message.poll():
            return
        error, trace = message.recv()
    except EOFError:
        return
    raise error from TracebackError(trace)


class TracebackError(Exception):
    """The traceback of another process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def pickled(job: Job, dumps: Callable[[Job], bytes]) -> bytes:
    """The job as another process is sent it.

    Raises:
        TypeError: If it cannot be sent.
    """
    try:
        return dumps(job)
    except Exception as error:  # Of many kinds: PicklingError, AttributeError, TypeError, ...
        raise TypeError(
            f"`recipe` and `style` must be what another process can be sent, got {error}. Take functions of "
            "a module, not of another function, or `workers=1`."
        ) from error


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """A context whose processes never hear of Ctrl-C; this one does after it, and ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(data: bytes, index: int, threads: int, sender: Connection) -> None:
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with exit_on_signals():
        try:
            job = pickle.loads(data)
            # Pillow has a limit for some formats, which is that of a process; this one is ours.
            Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, job.max_pixels)
            with JobFolder(job.output).joined(job.configuration):
                work(job, index=index, tell=say_nothing)
        except Exception as error:
            sender.send((sendable(error), traceback.format_exc()))


def say_nothing(entry: JobEntry) -> None:
    """What is told in another process."""
    del entry  # The manifest tells it.


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def sendable(error: Exception) -> Exception:
    """The error, or one that says the same if it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
