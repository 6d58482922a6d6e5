"""What goes wrong with a request, as a problem document (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus

CONTENT_TYPE = "application/problem+json"

_TITLES = {413: "Content Too Large", 422: "Unprocessable Content", 499: "Client Closed Request"}
"""Those that the versions of Python name differently, or not at all."""


class ProblemError(Exception):
    """A request that cannot be answered.

    Args:
        status: The status of HTTP.
        detail: What is wrong, in a sentence.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] = {}) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers)

    @property
    def document(self) -> dict[str, object]:
        """The document, as JSON has it."""
        title = _TITLES.get(self.status) or HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}

    @property
    def body(self) -> bytes:
        """The document in bytes."""
        return json.dumps(self.document).encode()


def problem_of(error: Exception) -> ProblemError:
    """The problem that an error of the library is: what a client has sent, or a fault of the service."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, MemoryError):
        return ProblemError(413, str(error) or "The picture takes more memory than was free.")
    return ProblemError(500, "The service failed. Its log has the reason.")
