"""How threads wait for each other, which is decided before torch is imported."""

import os
from collections.abc import MutableMapping

_WAIT_POLICY = "OMP_WAIT_POLICY"
_CHOICES = (_WAIT_POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
_BUSY = 0.5
"""Processes that run, or wait to, for each core."""


def choose_wait_policy(environ: MutableMapping[str, str]) -> None:
    """Have the threads of torch sleep while they wait, if the machine is busy and nobody chose otherwise.

    Between two operations they spin, which is faster where each has a core of its own, and takes the time of
    the one that they wait for where it has not; `docs/troubleshooting.md` has figures. A load that comes
    later is not seen.

    Args:
        environ: The environment of the process, before torch is imported.
    """
    if any(name in environ for name in _CHOICES) or not hasattr(os, "getloadavg"):
        return
    try:
        load = os.getloadavg()[0]
    except OSError:  # The system does not tell.
        return
    if load >= _BUSY * _cores():
        environ[_WAIT_POLICY] = "passive"


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
