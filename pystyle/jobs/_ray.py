"""Ray, which is imported when a job is to run on it, and its cluster."""

import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

_STATISTICS = "RAY_USAGE_STATS_ENABLED"
"""Ray sends its makers what it is used for, unless this is 0."""


def ray_module() -> Any:
    """The package `ray`.

    Raises:
        ImportError: If it is missing; the message names the extra.
    """
    try:
        with quietly():
            import ray
    except ImportError as error:
        raise ImportError(
            'Jobs on many machines need Ray. Install it with `pip install "pystyle-nst[ray]"`.'
        ) from error
    return ray


@contextmanager
def cluster(num_cpus: int) -> Iterator[Any]:
    """A context with Ray and its cluster: the one that the program or `RAY_ADDRESS` names, or a local one.

    A local one ends with the context, and handlers of signals stay those of the program.

    Args:
        num_cpus: How many CPUs the workers ask for; a local cluster has at least as many.

    Yields:
        The module `ray`.

    Raises:
        ConnectionError: If nothing answers at the address in `RAY_ADDRESS`.
        ValueError: If that is no address.
    """
    ray = ray_module()
    if ray.is_initialized():
        yield ray
        return
    common = {"log_to_driver": False, "logging_level": "error"}
    with quietly(), _handlers_kept():
        if address := os.environ.get("RAY_ADDRESS"):
            _require_answer(address)
            ray.init(**common)
        else:
            # Not "auto": that joins the cluster of any process here, and dies when that one ends.
            cpus = max(num_cpus, os.cpu_count() or 1)
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **common)
    try:
        with _nothing_printed(ray):
            yield ray
    finally:
        with quietly(), _handlers_kept():
            ray.shutdown()


def _require_answer(address: str) -> None:
    """Ray itself would try for minutes, with lines of its own, and say nothing of the variable."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(
            f"The variable RAY_ADDRESS must be like '10.0.0.1:6379' or 'auto', got {address!r} ({error})."
        ) from error
    if host is None or port is None:  # Such as "auto", which Ray looks up.
        return
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError as error:
        raise ConnectionError(
            f"The variable RAY_ADDRESS names a cluster at {address!r}, and nothing answers there ({error}). "
            "Start one there with `ray start --head`, or unset the variable for a cluster on this machine."
        ) from error


@contextmanager
def _nothing_printed(ray: Any) -> Iterator[None]:
    """A context in which deaths of workers, which are dealt with, are not printed.

    Standard output may be JSON, and Ray has no public switch for that.
    """
    worker, name = getattr(getattr(ray, "_private", None), "worker", None), "_worker_logs_enabled"
    before = getattr(worker, name, None)
    if before is None:
        yield
        return
    setattr(worker, name, False)
    try:
        yield
    finally:
        setattr(worker, name, before)


def gpus_of_each(resources: Mapping[str, float], workers: int, device: str | None) -> float:
    """The share of a GPU that each worker asks for: one if there are enough.

    Args:
        resources: What the cluster has.
        workers: How many there are.
        device: Where they compute, if that is said.

    Example:
        >>> gpus_of_each({"GPU": 4.0}, 2, None), gpus_of_each({"GPU": 1.0}, 3, "cuda")
        (1.0, 0.3333)
        >>> gpus_of_each({"GPU": 4.0}, 2, "cpu"), gpus_of_each({"CPU": 8.0}, 2, None)
        (0.0, 0.0)
    """
    if device is not None and device.startswith("cpu"):
        return 0.0
    # Shares of more than one are whole, and Ray counts in ten-thousandths.
    share = min(resources.get("GPU", 0.0) / workers, 1.0)
    return int(share * 10_000) / 10_000


@contextmanager
def quietly() -> Iterator[None]:
    """A context without Ray's warnings about itself, and without its statistics."""
    given = _STATISTICS in os.environ
    os.environ.setdefault(_STATISTICS, "0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if not given:
            os.environ.pop(_STATISTICS, None)


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """A context after which signals do what they did before: Ray takes SIGTERM for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                # None is a handler that Python cannot give back.
                if handler is not None:
                    signal.signal(number, handler)
