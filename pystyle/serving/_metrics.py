"""Counts and durations in the text format of Prometheus."""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the buckets of durations."""

_HELP = {
    "pystyle_requests_total": "Answers by path and status.",
    "pystyle_pictures_total": "Pictures that networks have painted.",
    "pystyle_batches_total": "Passes of networks; a pass paints one or several pictures.",
    "pystyle_jobs_total": "Jobs of optimisation by how they ended.",
    "pystyle_request_seconds": "From the first byte of a request with pictures to its answer.",
    "pystyle_paint_seconds": "One pass of a network.",
    "pystyle_requests": "Requests with pictures that are in work.",
    "pystyle_jobs": "Jobs of optimisation that wait or run.",
    "pystyle_styles": "Uploaded styles that are kept.",
}

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """What a service has done, for Prometheus. Nothing here tells clients apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
        self._durations: dict[str, list[int]] = {}
        self._sums: dict[str, float] = defaultdict(float)

    def count(self, name: str, labels: Sequence[tuple[str, str]] = (), *, by: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name][tuple(labels)] += by

    def observe(self, name: str, seconds: float) -> None:
        """Add a duration."""
        with self._lock:
            buckets = self._durations.setdefault(name, [0] * (len(_SECONDS) + 1))
            buckets[sum(seconds > bound for bound in _SECONDS)] += 1
            self._sums[name] += seconds

    def mean(self, name: str) -> float:
        """The mean of the durations so far, in seconds; 0 if there is none."""
        with self._lock:
            count = sum(self._durations.get(name, []))
            return self._sums[name] / count if count else 0.0

    def text(self, gauges: dict[str, Callable[[], float]]) -> str:
        """All of it, with numbers of now."""
        now = {name: value() for name, value in gauges.items()}
        lines: list[str] = []
        with self._lock:
            for name, counts in sorted(self._counts.items()):
                lines += _heading(name, "counter")
                lines += [f"{name}{_labelled(labels)} {value:g}" for labels, value in sorted(counts.items())]
            for name, buckets in sorted(self._durations.items()):
                lines += [*_heading(name, "histogram"), *_histogram(name, buckets, self._sums[name])]
        for name, value in now.items():
            lines += [*_heading(name, "gauge"), f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _heading(name: str, kind: str) -> list[str]:
    return [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} {kind}"]


def _labelled(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{value}"' for key, value in labels) + "}"


def _histogram(name: str, buckets: Sequence[int], total: float) -> list[str]:
    lines, below = [], 0
    for bound, count in zip((*_SECONDS, "+Inf"), buckets, strict=True):
        below += count
        lines.append(f'{name}_bucket{{le="{bound}"}} {below}')
    return [*lines, f"{name}_sum {total:g}", f"{name}_count {below}"]
