"""Running a job, so that pictures are painted between its steps and it can be stopped at each."""

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor

from pystyle.checkpoints import Checkpoints
from pystyle.images import resize
from pystyle.runner import Step
from pystyle.serving._job import Job, JobRequest
from pystyle.serving._limits import Limits
from pystyle.serving._pictures import decoded, encoded, sized
from pystyle.serving._problem import ProblemError
from pystyle.stylization import stylize

if TYPE_CHECKING:
    from pystyle.serving._service import Service
    from pystyle.serving._worker import Worker

SMALLEST = 32
"""The short edge of a job's picture and of its styles, in pixels; encoders need some."""
_PREVIEW = 384
_PREVIEW_QUALITY = 80
_CHECKPOINT_SECONDS = 30.0


class DrainedError(Exception):
    """A job that has stopped because the service does, and goes on later."""


def run_job(job: Job, service: "Service", worker: "Worker") -> None:
    """Run a job to its end, or go on from where it was. One that diverges fails, with its last good picture.

    Raises:
        DrainedError: If the service is being shut down; the state of the run is kept.
        Exception: Whatever goes wrong.
    """
    content, styles = pictures_of(job.content, job.styles, job.request, service.limits)
    colors: Any = job.request.colors
    result = stylize(
        content,
        styles,
        edge_size="original",
        strength=job.request.strength,
        style_weights=job.request.weights,
        colors=colors,
        num_steps=job.request.num_steps,
        encoder=service.encoder,
        device=service.device,
        precision=service.precision,
        memory_budget=service.limits.memory_budget,
        callbacks=_Watch(job, service, worker),
        checkpoint=Checkpoints(job.run_folder, seconds=_CHECKPOINT_SECONDS),
        resume=True,
    )
    picture = encoded(result.image, "png", 95)
    if result.failed:
        problem = ProblemError(422, f"The run ended early: {result.stop_reason}")
        job.end("failed", problem.detail, picture=picture, problem=problem.document)
    else:
        job.end("finished", result.stop_reason, picture=picture)


def pictures_of(
    content: bytes, styles: list[bytes], request: JobRequest, limits: Limits
) -> tuple[Tensor, list[Tensor]]:
    """The photograph and the styles of a job, at the size of its picture.

    Raises:
        ProblemError: If one cannot be read, or would be too small or too large.
    """
    photograph = decoded(content, "content", limits)
    photograph = sized(photograph, request.size, "content", smallest=SMALLEST, limits=limits)
    edge = min(photograph.shape[2:])
    images = [decoded(style, "style", limits) for style in styles]
    return photograph, [sized(image, edge, "style", smallest=SMALLEST, limits=limits) for image in images]


class _Watch:
    """Looks at each step of a job.

    Args:
        job: The job.
        service: Its service.
        worker: What paints in between.
    """

    def __init__(self, job: Job, service: "Service", worker: "Worker") -> None:
        self._job, self._service, self._worker = job, service, worker

    def __call__(self, step: Step) -> None:
        """Write down how far the job is, and stop it where it should not go on."""
        job, limits = self._job, self._service.limits
        loss = float(step.terms.total)
        job.step, job.seconds, job.preview = step.index, step.seconds, _preview(step.image)
        job.loss = loss if math.isfinite(loss) else None
        job.version += 1
        if job.is_cancelled:
            step.stop("cancelled", all_levels=True)
        elif self._service.draining:
            # An error, for a run that a callback stops is over and would not go on.
            raise DrainedError
        elif step.seconds > limits.job_seconds:
            step.stop(f"The job has reached its limit of {limits.job_seconds:g} s.", all_levels=True)
        self._worker.paint_waiting()


def _preview(image: Tensor) -> bytes:
    if max(image.shape[2:]) > _PREVIEW:
        image = resize(image, _PREVIEW, edge="long")
    return encoded(image, "jpeg", _PREVIEW_QUALITY)
