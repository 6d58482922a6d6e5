"""`/v1/stylize`: jobs of optimisation."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pystyle.serving._form import Form
from pystyle.serving._job import OVER, Job, JobRequest
from pystyle.serving._job_run import SMALLEST, pictures_of
from pystyle.serving._paint import COLORS, DEFAULT_SIZE
from pystyle.serving._problem import ProblemError
from pystyle.serving._styles import is_address
from pystyle.serving._uploads import read_form
from pystyle.stylization._recipe import STEPS, STRENGTHS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pystyle.serving._service import Service

FIELDS = ("content", "style", "weights", "strength", "size", "steps", "colors")
LARGEST_STRENGTH = 100.0
_LOOK = 0.1
_KEEP_ALIVE = 15.0
"""Seconds after which a line is sent that says nothing, so that nothing in between closes the connection."""


async def start_job(service: "Service", request: "Request") -> "Response":
    """A new job."""
    from starlette.responses import JSONResponse

    service.jobs.check_room()
    with service.slot():
        form = await read_form(request, service.limits)
        form.check(FIELDS, several=("style",))
        job = await service.with_pictures(partial(_new_job, service, form))
    return JSONResponse(job.facts(), 202, {"Location": f"/v1/stylize/{job.folder.name}"})


async def job_state(service: "Service", request: "Request") -> "Response":
    """How far a job is."""
    from starlette.responses import JSONResponse

    return JSONResponse(_job(service, request).facts())


async def job_result(service: "Service", request: "Request") -> "Response":
    """The picture of a job that is over."""
    from starlette.responses import Response

    return Response(_job(service, request).result, media_type="image/png")


async def cancel_job(service: "Service", request: "Request") -> "Response":
    """End a job, and forget it."""
    from starlette.responses import Response

    await asyncio.to_thread(service.jobs.cancel, _job(service, request))
    return Response(status_code=204)


async def job_events(service: "Service", request: "Request") -> "Response":
    """What happens to a job, as it happens (server-sent events)."""
    from starlette.responses import StreamingResponse

    job = _job(service, request)
    if service.num_streams >= service.limits.num_streams:
        raise ProblemError(
            429, "Too many clients follow jobs. Ask for the state instead.", {"Retry-After": "10"}
        )
    return StreamingResponse(_events(service, job), media_type="text/event-stream")


async def _events(service: "Service", job: Job) -> AsyncIterator[bytes]:
    with _stream(service):
        version, silent = -1, 0.0
        while True:
            if job.state in OVER:
                yield _event("end", job)
                return
            if job.version != version:
                version, silent = job.version, 0.0
                yield _event("step", job)
            if service.draining:
                yield _event("drain", job)
                return
            await asyncio.sleep(_LOOK)
            silent += _LOOK
            if silent > _KEEP_ALIVE:
                silent = 0.0
                yield b": still here\n\n"


def _event(name: str, job: Job) -> bytes:
    preview = f"data:image/jpeg;base64,{base64.b64encode(job.preview).decode()}" if job.preview else None
    data = json.dumps({**job.facts(), "preview": preview})
    return f"event: {name}\nid: {job.version}\ndata: {data}\n\n".encode()


@contextmanager
def _stream(service: "Service") -> Iterator[None]:
    service.num_streams += 1
    try:
        yield
    finally:
        service.num_streams -= 1


def _job(service: "Service", request: "Request") -> Job:
    return service.jobs.get(str(request.path_params["job"]))


def _new_job(service: "Service", form: Form) -> Job:
    content = form.file("content")
    styles = [_style(service, style) for style in form.several("style")]
    if not styles:
        raise ProblemError(422, "`style` must be the file of a picture or the address of one, got none.")
    asked = JobRequest(
        size=form.size("size", DEFAULT_SIZE, least=SMALLEST, most=service.limits.picture_pixels),
        num_steps=_steps(form, service.limits.job_steps),
        strength=_strength(form),
        weights=form.weights("weights", len(styles)),
        colors=form.one_of("colors", "style", COLORS),
    )
    # So that what is wrong with the pictures is said now.
    pictures_of(content, styles, asked, service.limits)
    return service.jobs.add(asked, content, styles)


def _style(service: "Service", style: str | bytes) -> bytes:
    if isinstance(style, bytes):
        return style
    if is_address(style):
        return service.styles.read(style)
    raise ProblemError(
        422,
        f"`style` must be the file of a picture, or the address that /v1/styles gave, got {style[:100]!r}. "
        "An optimisation looks at a painting, and knows no learned styles. No path and no address of the web "
        "is opened.",
    )


def _steps(form: Form, most: int) -> int:
    text = form.text("steps") or "standard"
    if text in STEPS:
        return min(STEPS[text], most)
    return form.whole_number("steps", 1, least=1, most=most)


def _strength(form: Form) -> float:
    text = form.text("strength") or "balanced"
    return STRENGTHS.get(text) or form.number("strength", 1.0, least=0.01, most=LARGEST_STRENGTH)
