"""The jobs of optimisation of a service, one after the other."""

import logging
import re
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pystyle.serving._job import OVER, Job, JobRequest
from pystyle.serving._job_run import DrainedError, run_job
from pystyle.serving._problem import ProblemError, problem_of

if TYPE_CHECKING:
    from pystyle.serving._service import Service
    from pystyle.serving._worker import Worker

_LOG = logging.getLogger("pystyle")


class Jobs:
    """Jobs that wait, run, or are over and not forgotten yet. What a restart finds goes on.

    Args:
        service: The service.
        folder: Where they are kept; it is made.

    Raises:
        OSError: If the folder cannot be made, or read.
    """

    def __init__(self, service: "Service", folder: Path) -> None:
        self._service, self._folder = service, folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._jobs = {job.folder.name: job for job in _found(folder)}

    @property
    def count(self) -> int:
        """How many wait or run."""
        with self._lock:
            return sum(job.state not in OVER for job in self._jobs.values())

    def check_room(self) -> None:
        """Refuse a further job if there are too many.

        Raises:
            ProblemError: If there are.
        """
        most = self._service.limits.num_jobs
        if self.count >= most:
            raise ProblemError(
                429,
                f"{most} jobs wait or run; no more are taken. Try again later.",
                {"Retry-After": "30"},
            )

    def add(self, request: JobRequest, content: bytes, styles: Sequence[bytes]) -> Job:
        """A new job, which waits.

        Raises:
            ProblemError: If there are too many, or no room on the disk.
        """
        self.check_room()
        try:
            job = Job.new(self._folder, request, content, styles)
        except OSError as error:
            raise ProblemError(507, "The job could not be kept: the service has no room for it.") from error
        with self._lock:
            self._jobs[job.folder.name] = job
        return job

    def get(self, name: str) -> Job:
        """The job of this id.

        Raises:
            ProblemError: If there is none.
        """
        with self._lock:
            job = self._jobs.get(name)
        if job is None or job.is_cancelled:
            raise ProblemError(404, "There is no job of this id, or no more.")
        return job

    def cancel(self, job: Job) -> None:
        """End a job, and forget it with its pictures."""
        job.is_cancelled = True
        with self._lock:
            if job.state != "running":  # Otherwise it is removed after its step.
                self._remove(job)

    def run_one(self, worker: "Worker") -> bool:
        """Run the job that waits for the longest time; whether there was one."""
        self._forget_old()
        if self._service.draining:
            return False
        with self._lock:
            waiting = [job for job in self._jobs.values() if job.state == "waiting"]
            if not waiting:
                return False
            job = min(waiting, key=lambda job: job.request.created)
            job.state = "running"
            job.version += 1
        try:
            self._run(job, worker)
        except DrainedError:
            job.state = "waiting"
        return True

    def _run(self, job: Job, worker: "Worker") -> None:
        try:
            run_job(job, self._service, worker)
        except DrainedError:
            raise
        except Exception as error:
            problem = _problem_of(error)
            if problem.status == 500:
                _LOG.error("A job failed.", exc_info=error)
            try:
                job.end("failed", problem.detail, problem=problem.document)
            except OSError as full:
                _LOG.error("The end of a job could not be written: %s", full)
                job.state, job.problem, job.ended = "failed", problem.document, time.time()
        with self._lock:
            if job.is_cancelled:
                self._remove(job)
        self._service.metrics.count("pystyle_jobs_total", [("state", job.state)])

    def _forget_old(self) -> None:
        limits = self._service.limits
        oldest = time.time() - limits.kept_seconds
        with self._lock:
            over = sorted((job.ended, name) for name, job in self._jobs.items() if job.ended is not None)
            for ended, name in over:
                if ended < oldest or len(over) > limits.num_results:
                    self._remove(self._jobs[name])
                    over = over[1:]

    def _remove(self, job: Job) -> None:
        """Forget a job, under the lock."""
        self._jobs.pop(job.folder.name, None)
        job.state = "cancelled" if job.is_cancelled else job.state
        job.version += 1
        job.remove()


def _found(folder: Path) -> list[Job]:
    """The jobs in a folder. What was being written or removed when a process ended is removed."""
    jobs = []
    for path in folder.iterdir():
        try:
            if re.fullmatch("[0-9a-f]{64}", path.name) is None:
                raise ValueError(f"{path.name!r} is no id.")
            jobs.append(Job.found(path))
        except (OSError, ValueError, TypeError) as error:
            _LOG.warning("A damaged job is removed: %s", error)
            shutil.rmtree(path, ignore_errors=True)
    return jobs


def _problem_of(error: Exception) -> ProblemError:
    """What arguments and pictures of a client make impossible is said to it; all else is a fault."""
    return ProblemError(422, str(error)) if isinstance(error, ValueError) else problem_of(error)
