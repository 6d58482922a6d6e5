"""The bytes behind an address. Free of torch.

Redirects are followed as long as they stay with http and never leave https: where only the first digits of
a hash are known, the encrypted connection is what stands against an exchange of the file.
"""

import http.client
from collections.abc import Iterator
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

_CHUNK = 1 << 20


class FetchError(Exception):
    """The reason for which an address did not give the announced bytes."""


def fetch_chunks(url: str, *, size: int | None, timeout: float) -> Iterator[bytes]:
    """The content of the address piece by piece, ending in an error if its length is wrong."""
    try:
        request = Request(url, headers={"User-Agent": "pystyle"})
        with build_opener(_SafeRedirects).open(request, timeout=timeout) as response:
            yield from _counted(response, size)
    except HTTPError as error:
        error.close()
        raise FetchError(str(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        # URLError, timeouts, resets and TLS failures are all kinds of OSError.
        raise FetchError(f"{type(error).__name__}: {error}") from error


def _counted(response: http.client.HTTPResponse, size: int | None) -> Iterator[bytes]:
    announced = response.headers.get("Content-Length")
    expected = int(announced) if announced is not None else size
    if size is not None and expected != size:
        raise FetchError(f"the file must have {size} bytes, the server announced {expected}")
    received = 0
    while chunk := response.read(_CHUNK):
        received += len(chunk)
        if expected is not None and received > expected:
            raise FetchError(f"the file must have {expected} bytes, the server sent more")
        yield chunk
    if expected is not None and received != expected:
        raise FetchError(f"the file must have {expected} bytes, the connection ended after {received}")


class _SafeRedirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        allowed = ("https",) if urlsplit(req.full_url).scheme == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in allowed:
            fp.close()
            raise FetchError(f"a redirect to {newurl!r} was refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
