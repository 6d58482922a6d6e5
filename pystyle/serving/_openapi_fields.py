"""The forms of the service, in the form of OpenAPI 3.1."""

from collections.abc import Mapping
from typing import Any

from pystyle.networks import Stylizer
from pystyle.serving._form import ORIGINAL_SIZE
from pystyle.serving._job_run import SMALLEST
from pystyle.serving._json_form import MEDIA_TYPE
from pystyle.serving._limits import Limits
from pystyle.serving._paint import COLORS, DEFAULT_QUALITY, DEFAULT_SIZE
from pystyle.serving._uploads import MULTIPART
from pystyle.stylization._recipe import STEPS, STRENGTHS

Document = dict[str, Any]

_FILE = {"type": "string", "contentMediaType": "image/*"}
_ADDRESS = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def paint_form(networks: Mapping[str, Stylizer], limits: Limits) -> Document:
    """The form of `/v1/paint`."""
    learned = [style for network in networks.values() for style in network.styles]
    kinds: list[Document] = [_FILE, _ADDRESS, *([{"type": "string", "enum": learned}] if learned else [])]
    smallest = min(network.smallest for network in networks.values())
    fields = {
        **_pictures(kinds),
        "network": {"type": "string", "enum": list(networks)},
        "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
        "size": _size(smallest, limits, "Short edge of the picture in pixels, or that of the photograph"),
        "style_size": _size(smallest, limits, "Short edge at which the style is looked at"),
        "colors": _colors(),
        "quality": {"type": "integer", "minimum": 1, "maximum": 100, "default": DEFAULT_QUALITY},
    }
    example = {"style": learned[:1] or ["3c" * 32], "size": 512, "strength": 0.8}
    return _form(fields, ["content"], example)


def style_form() -> Document:
    """The form of `/v1/styles`."""
    return _form({"style": _FILE}, ["style"], {})


def job_form(limits: Limits) -> Document:
    """The form of `/v1/stylize`."""
    steps = {"type": "integer", "minimum": 1, "maximum": limits.job_steps}
    strength = {"type": "number", "minimum": 0.01, "maximum": 100}
    fields = {
        **_pictures([_FILE, _ADDRESS]),
        "strength": {"anyOf": [strength, {"enum": list(STRENGTHS)}], "default": "balanced"},
        "size": _size(SMALLEST, limits, "Short edge of the picture in pixels, or that of the photograph"),
        "steps": {"anyOf": [steps, {"enum": list(STEPS)}], "default": "standard"},
        "colors": _colors(),
    }
    return _form(fields, ["content", "style"], {"style": ["3c" * 32], "size": 512, "steps": "draft"})


def _pictures(kinds: list[Document]) -> Document:
    return {
        "content": {**_FILE, "description": "The photograph: JPEG, PNG or WebP"},
        "style": {"type": "array", "items": {"anyOf": kinds}, "description": "Several are blended"},
        "weights": {"type": "string", "description": "One number for each style", "examples": ["0.7,0.3"]},
    }


def _size(smallest: int, limits: Limits, description: str) -> Document:
    pixels = {"type": "integer", "minimum": smallest, "maximum": limits.picture_pixels}
    kinds = [pixels, {"const": ORIGINAL_SIZE}]
    return {"anyOf": kinds, "default": DEFAULT_SIZE, "description": description}


def _colors() -> Document:
    return {"type": "string", "enum": list(COLORS), "default": COLORS[0]}


def _form(fields: Document, required: list[str], example: Document) -> Document:
    schema = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    in_json = {**schema, "properties": {name: _in_json(name, field) for name, field in fields.items()}}
    pictures = {name: "iVBORw0KGgo..." for name in required if name not in example}
    content = {
        MULTIPART: {"schema": schema, "example": example},
        MEDIA_TYPE: {"schema": in_json, "example": {**pictures, **example}},
    }
    return {"required": True, "content": content}


def _in_json(name: str, field: Document) -> Document:
    """The same field in a body of JSON: pictures are base64, and weights may be numbers."""
    if field.get("contentMediaType") == "image/*":
        return {**field, "contentEncoding": "base64"}
    if name == "style":
        kinds = [_in_json("", kind) for kind in field["items"]["anyOf"]]
        several = {**field, "items": {"anyOf": kinds}}
        return {"anyOf": [*kinds, several], "description": field["description"]}
    if name == "weights":
        return {"anyOf": [field, {"type": "array", "items": {"type": "number", "minimum": 0}}]}
    return field
