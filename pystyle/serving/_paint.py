"""`POST /v1/paint`."""

import asyncio
import time
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, get_args

from pystyle.colors._transfer import in_colors
from pystyle.serving._accept import FORMATS, accepted_type
from pystyle.serving._choices import chosen_network, chosen_styles
from pystyle.serving._form import Form
from pystyle.serving._painting import Painted, PaintTask
from pystyle.serving._pictures import decoded, encoded, sized
from pystyle.serving._uploads import read_form
from pystyle.typing import Colors

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pystyle.serving._service import Service

FIELDS = (
    "content",
    "style",
    "weights",
    "network",
    "strength",
    "size",
    "style_size",
    "colors",
    "quality",
)
COLORS: tuple[Colors, ...] = get_args(Colors)
DEFAULT_SIZE = 512
DEFAULT_QUALITY = 90


async def paint(service: "Service", request: "Request") -> "Response":
    """The picture that a network paints."""
    from starlette.responses import Response

    media_type = accepted_type(request.headers.get("accept"))
    start = time.monotonic()
    with service.slot():
        form = await read_form(request, service.limits)
        form.check(FIELDS, several=("style",))
        colors: Colors = form.one_of("colors", "style", COLORS)
        quality = form.whole_number("quality", DEFAULT_QUALITY, least=1, most=100)
        task = await service.with_pictures(partial(_task, service, form))
        service.worker.submit(task)
        painted = await _unless_closed(request, task.answer)
        format = FORMATS[media_type]
        data = await service.with_pictures(partial(_file, painted, task, colors, format, quality))
        service.metrics.observe("pystyle_request_seconds", time.monotonic() - start)
        return Response(data, media_type=media_type, headers=_headers(painted))


def _task(service: "Service", form: Form) -> PaintTask:
    """What is asked for, with its pictures."""
    limits = service.limits
    name = chosen_network(form, service.networks)
    network = service.networks[name]
    size = form.size("size", DEFAULT_SIZE, least=network.smallest, most=limits.picture_pixels)
    strength = form.number("strength", 1.0, least=0, most=1)
    styles = chosen_styles(form, name, network, service.styles, limits)
    content = decoded(form.file("content"), "content", limits)
    content = sized(content, size, "content", smallest=network.smallest, limits=limits)
    return PaintTask(name, content, styles, strength, time.monotonic() + limits.seconds)


def _file(painted: Painted, task: PaintTask, colors: Colors, format: str, quality: int) -> bytes:
    return encoded(in_colors(painted.image, task.content, colors), format, quality)


def _headers(painted: Painted) -> dict[str, str]:
    durations = {"queue": painted.waited, "paint": painted.painted}
    timing = ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in durations.items())
    return {"Server-Timing": timing, "Vary": "Accept"}


async def _unless_closed(request: "Request", answer: "Future[Painted]") -> Painted:
    """The answer; nobody waits for it, and it is not begun, once the client has closed the connection."""
    from starlette.requests import ClientDisconnect

    waiting = asyncio.wrap_future(answer)
    closed = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((waiting, closed), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ClientDisconnect
        return await waiting
    finally:
        # Before the place in the queue is free: that of asyncio reaches the other one later.
        answer.cancel()
        waiting.cancel()
        closed.cancel()
