"""The page for people at `/`: files that come with the package, and the headers that go with them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from pystyle.serving._problem import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pystyle.serving._service import Service

_INDEX = "index.html"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Pictures that are chosen, painted and previewed are blobs and data; nothing comes from another site.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    # To be kept, and asked for anew: a newer service has other files under the same names.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Args:
        data: Its bytes.
        media_type: What it is.
    """

    data: bytes
    media_type: str

    @property
    def tag(self) -> str:
        """What its bytes are known by (`ETag`)."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:32]}"'


def page_files() -> Mapping[str, PageFile]:
    """The files of the page by name; they are read once, so that no request opens a path.

    Raises:
        OSError: If one cannot be read.
    """
    found = {}
    for path in files("pystyle.serving").joinpath("page").iterdir():
        kind = _MEDIA_TYPES.get(f".{path.name.rpartition('.')[2]}")
        if kind is not None:
            found[path.name] = PageFile(path.read_bytes(), f"{kind}; charset=utf-8")
    return found


async def page(service: "Service", request: "Request") -> "Response":
    """The page, or one of its files; nothing but its headers if the browser has it already.

    Raises:
        ProblemError: If there is no such file.
    """
    from starlette.responses import Response

    file = service.page_files.get(request.path_params.get("name", _INDEX))
    if file is None:
        raise ProblemError(404, "There is no such file of the page.")
    headers = {**_HEADERS, "ETag": file.tag}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers={**headers, "Content-Type": file.media_type})
