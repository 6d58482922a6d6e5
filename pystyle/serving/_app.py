"""The application: which path is answered by what, and what holds for all of them."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from pystyle._version import __version__
from pystyle.serving._job_routes import cancel_job, job_events, job_result, job_state, start_job
from pystyle.serving._keys import check_origin, owner_of
from pystyle.serving._openapi import openapi
from pystyle.serving._page import page
from pystyle.serving._paint import paint
from pystyle.serving._problem import CONTENT_TYPE, ProblemError, problem_of
from pystyle.serving._style_routes import known_styles, upload_style
from pystyle.serving._uploads import discard

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from pystyle.serving._service import Service

_LOG = logging.getLogger("pystyle")
_OPEN = ("/", "/page/{name}", "/healthz", "/openapi.json")
"""What needs no key. The page asks for it, and sends it with what it asks the rest for."""
_STATIC = ("/", "/page/{name}", "/openapi.json")
"""What a service answers that is not open."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Answer = Callable[["Service", "Request"], Awaitable["Response"]]

ROUTES: tuple[tuple[str, str, Answer], ...]
PAGE_ROUTES: tuple[tuple[str, str, Answer], ...] = (("GET", "/", page), ("GET", "/page/{name}", page))


def application(service: "Service") -> "Starlette":
    """The application of a service."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    routes = [
        Route(path, _guarded(service, path, answer), methods=[method])
        for method, path, answer in (*ROUTES, *(PAGE_ROUTES if service.page_files else ()))
    ]

    async def unknown(request: "Request", error: Exception) -> "Response":
        found = cast(HTTPException, error)
        detail = {404: "There is nothing at this path; /openapi.json says what there is."}
        text = detail.get(found.status_code, f"{request.method} cannot be used at this path.")
        return _problem_response(service, "other", ProblemError(found.status_code, text, found.headers or {}))

    return Starlette(routes=routes, lifespan=service.running, exception_handlers={HTTPException: unknown})


def _guarded(service: "Service", path: str, answer: Answer) -> Callable[["Request"], Awaitable["Response"]]:
    """An answer behind what holds for all: keys, origins, the drain, and errors as documents."""
    from starlette.requests import ClientDisconnect
    from starlette.responses import Response

    async def guarded(request: "Request") -> "Response":
        try:
            check_origin(request.headers.get("origin"), request.headers.get("host"))
            if path not in _OPEN:
                owner_of(request.headers.get("authorization"), service.key_digests)
            if path not in _STATIC:
                service.check_open()
            if service.draining and request.method == "POST":
                raise ProblemError(503, "The service is being shut down. Try again.", {"Retry-After": "5"})
            response = await answer(service, request)
        except ClientDisconnect:
            response = Response(status_code=499)  # Nobody reads it.
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                _LOG.error("%s %s failed.", request.method, path, exc_info=error)
            if problem.status != 408:  # That one has had its time.
                await discard(request, service.limits)
            return _problem_response(service, path, problem)
        _finish(service, path, response)
        return response

    return guarded


def _problem_response(service: "Service", path: str, problem: ProblemError) -> "Response":
    from starlette.responses import Response

    response = Response(problem.body, problem.status, problem.headers, CONTENT_TYPE)
    _finish(service, path, response)
    return response


def _finish(service: "Service", path: str, response: "Response") -> None:
    response.headers.update({name: value for name, value in _HEADERS.items() if name not in response.headers})
    labels = [("path", path), ("status", str(response.status_code))]
    service.metrics.count("pystyle_requests_total", labels)


async def _health(service: "Service", request: "Request") -> "Response":
    """Whether requests are taken."""
    from starlette.responses import JSONResponse

    del request
    state = "draining" if service.draining else "ok"
    return JSONResponse({"status": state, "version": __version__}, 503 if service.draining else 200)


async def _metrics(service: "Service", request: "Request") -> "Response":
    """What the service has done, for Prometheus."""
    from starlette.responses import PlainTextResponse

    del request
    gauges = {
        "pystyle_requests": lambda: float(service.num_requests),
        "pystyle_jobs": lambda: float(service.jobs.count),
        "pystyle_styles": lambda: float(len(service.styles)),
    }
    return PlainTextResponse(service.metrics.text(gauges), media_type="text/plain; version=0.0.4")


async def _document(service: "Service", request: "Request") -> "Response":
    """What there is, in the form of OpenAPI."""
    from starlette.responses import JSONResponse

    del request
    return JSONResponse(openapi(service.networks, service.limits, keys=bool(service.key_digests)))


ROUTES = (
    ("POST", "/v1/paint", paint),
    ("GET", "/v1/styles", known_styles),
    ("POST", "/v1/styles", upload_style),
    ("POST", "/v1/stylize", start_job),
    ("GET", "/v1/stylize/{job}", job_state),
    ("GET", "/v1/stylize/{job}/result", job_result),
    ("GET", "/v1/stylize/{job}/events", job_events),
    ("DELETE", "/v1/stylize/{job}", cancel_job),
    ("GET", "/healthz", _health),
    ("GET", "/metrics", _metrics),
    ("GET", "/openapi.json", _document),
)
