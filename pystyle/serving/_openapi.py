"""What there is, in the form of OpenAPI 3.1: for clients, which can be generated from it."""

from collections.abc import Mapping
from typing import Any

from pystyle._version import __version__
from pystyle.networks import Stylizer
from pystyle.serving._accept import FORMATS
from pystyle.serving._limits import Limits
from pystyle.serving._openapi_fields import job_form, paint_form, style_form
from pystyle.serving._problem import CONTENT_TYPE, ProblemError

Document = dict[str, Any]

_JOB: Document = {
    "id": "9f" * 32,
    "state": "running",
    "step": 12,
    "num_steps": 40,
    "loss": 1.83,
    "seconds": 9.4,
    "stop_reason": None,
    "problem": None,
}
_ADDRESS = "3c" * 32


def openapi(networks: Mapping[str, Stylizer], limits: Limits, *, keys: bool) -> Document:
    """The document of a service.

    Args:
        networks: Its networks.
        limits: Its limits.
        keys: Whether it needs a key.
    """
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "pystyle",
            "version": __version__,
            "description": "Neural style transfer. Every error is a problem document (RFC 9457).",
        },
        "paths": {
            "/v1/paint": {"post": _paint(networks, limits)},
            "/v1/styles": {"get": _known(networks), "post": _upload()},
            "/v1/stylize": {"post": _start(limits)},
            "/v1/stylize/{job}": {"get": _state(), "delete": _cancel()},
            "/v1/stylize/{job}/result": {"get": _result()},
            "/v1/stylize/{job}/events": {"get": _events()},
            "/healthz": {"get": _open(_operation("Whether requests are taken", _health(), 503))},
            "/metrics": {"get": _operation("Counts and durations for Prometheus", _text("text/plain"))},
            "/openapi.json": {"get": _open(_operation("This document", _json({"openapi": "3.1.0"})))},
        },
    }
    if keys:
        document["components"] = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
        document["security"] = [{"key": []}]
    return document


def _paint(networks: Mapping[str, Stylizer], limits: Limits) -> Document:
    picture = {"200": {"description": "The picture, as `Accept` wants it", "content": _pictures(FORMATS)}}
    operation = _operation("Paint a photograph", picture, 400, 404, 406, 408, 413, 415, 422, 429, 503)
    return {**operation, "requestBody": paint_form(networks, limits)}


def _known(networks: Mapping[str, Stylizer]) -> Document:
    example = {
        "networks": [
            {"name": name, "styles": list(network.styles), "smallest": network.smallest}
            for name, network in networks.items()
        ]
    }
    return _operation("The networks, and the styles that they have learned", _json(example))


def _upload() -> Document:
    kept = _json({"style": _ADDRESS, "width": 800, "height": 600}, "201", "The address of the style")
    operation = _operation("Upload a style once", kept, 400, 408, 413, 415, 422, 429, 503, 507)
    return {**operation, "requestBody": style_form()}


def _start(limits: Limits) -> Document:
    begun = _json({**_JOB, "state": "waiting", "step": 0, "loss": None, "seconds": 0.0}, "202", "The job")
    begun["202"]["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Its state"}}
    operation = _operation("Optimise a picture", begun, 400, 404, 408, 413, 415, 422, 429, 503, 507)
    return {**operation, "requestBody": job_form(limits)}


def _state() -> Document:
    return _of_job(_operation("How far a job is", _json(_JOB), 404))


def _cancel() -> Document:
    return _of_job(_operation("End a job, and forget it", {"204": {"description": "It ends"}}, 404))


def _result() -> Document:
    picture = {"200": {"description": "The picture", "content": _pictures(["image/png"])}}
    return _of_job(_operation("The picture of a job that is over", picture, 404, 409))


def _events() -> Document:
    text = f'event: step\nid: 13\ndata: {{"id": "{_JOB["id"]}", "state": "running", "step": 12, ...}}\n\n'
    return _of_job(_operation("Follow a job", _text("text/event-stream", text), 404, 429))


def _health() -> Document:
    return _json({"status": "ok", "version": __version__})


def _operation(summary: str, answers: Document, *problems: int) -> Document:
    found = {str(status): _problem(status) for status in (401, 403, *problems)}
    return {"summary": summary, "responses": {**answers, **found}}


def _open(operation: Document) -> Document:
    """An operation that needs no key."""
    operation["responses"].pop("401")
    return {**operation, "security": []}


def _of_job(operation: Document) -> Document:
    schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    job = {"name": "job", "in": "path", "required": True, "schema": schema, "example": _JOB["id"]}
    return {**operation, "parameters": [job]}


def _json(example: Document, status: str = "200", description: str = "The answer") -> Document:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {status: {"description": description, "content": content}}


def _text(media_type: str, example: str = "pystyle_pictures_total 3\n") -> Document:
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {"200": {"description": "The answer", "content": content}}


def _pictures(media_types: Any) -> Document:
    return {name: {"schema": {"type": "string", "contentMediaType": name}} for name in media_types}


def _problem(status: int) -> Document:
    document = ProblemError(status, "What is wrong, in a sentence.").document
    content = {CONTENT_TYPE: {"schema": {"type": "object"}, "example": document}}
    return {"description": str(document["title"]), "content": content}
