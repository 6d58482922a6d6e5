"""The body of a request as JSON: the same fields as those of a form, with pictures in base64."""

import base64
import binascii
import json
from typing import Any

from pystyle.serving._form import Form
from pystyle.serving._problem import ProblemError

MEDIA_TYPE = "application/json"
_PICTURES = ("content", "style")
_BEGINNINGS = ("data:", "/9j/", "iVBORw0KGgo", "UklGR")
"""With what addresses of data begin, and JPEG, PNG and WebP in base64; all else is a name or an address."""


def json_form(body: bytes, *, most: int, text_bytes: int) -> Form:
    """The form in a body of JSON.

    Each field has a text, a number, or several in a list; `null` is a field that is not given. Pictures are
    texts of base64, with or without ``data:image/png;base64,`` before it.

    Args:
        body: What a client has sent.
        most: How many values there may be.
        text_bytes: How long a value that is no picture may be.

    Raises:
        ProblemError: If it is no JSON, or has values of another kind, too many or too long ones.
    """
    try:
        # Pairs, so that a field that is there twice is seen.
        found = json.loads(body, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"The body cannot be read as JSON: {error}.") from error
    if not isinstance(found, list) or not all(isinstance(pair, tuple) for pair in found):
        raise ProblemError(422, "The body must be an object of JSON with the fields of the form.")
    items = [(name, one) for name, value in found for one in _values(name, value)]
    if len(items) > most:
        raise ProblemError(400, f"The form cannot be read: it has {len(items)} values, more than {most}.")
    return Form([(name, _value(name, one, text_bytes)) for name, one in items])


def _values(name: str, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        return [value]
    if name == "weights":
        return [",".join(str(one) for one in value)]
    return value


def _value(name: str, value: Any, text_bytes: int) -> str | bytes:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProblemError(
            422, f"`{name[:100]}` must be a text, a number or a list of these, got {json.dumps(value)[:100]}."
        )
    text = str(value)
    if name == "content" or (name in _PICTURES and text.startswith(_BEGINNINGS)):
        return _picture(name, text)
    if len(text) > text_bytes:
        raise ProblemError(400, f"The form cannot be read: `{name[:100]}` has more than {text_bytes} bytes.")
    return text


def _picture(name: str, text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        # Programs break it into lines of 76 characters, as in mail.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError(
            422,
            f"`{name}` must be the file of a picture in base64, got {text[:40]!r}. No path and no address "
            "is opened.",
        ) from error
