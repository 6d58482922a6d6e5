"""A web server on this machine, for the downloads of weights."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CONTENT = bytes(range(256)) * 64
HALF = len(CONTENT) // 2
FLIPPED = CONTENT[:HALF] + bytes([CONTENT[HALF] ^ 1]) + CONTENT[HALF + 1 :]


class WeightsServer(ThreadingHTTPServer):
    """Serves one file in ways that are right and wrong, and counts the requests by path."""

    content = CONTENT
    sha256 = hashlib.sha256(CONTENT).hexdigest()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hits: list[str] = []
        self.gate = threading.Event()

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.server_address[1]}/{path}"


class _Handler(BaseHTTPRequestHandler):
    server: WeightsServer

    def do_GET(self) -> None:
        # What follows the mode is the name of a file.
        mode = self.path.strip("/").partition("/")[0]
        self.server.hits.append(mode)
        # A client that gives up or is killed is part of the tests.
        with contextlib.suppress(ConnectionError):
            getattr(self, f"_{mode}")()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _head(self, length: int | None = len(CONTENT)) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _redirect(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _right(self) -> None:
        self._head()
        self.wfile.write(CONTENT)

    def _right_of_unknown_length(self) -> None:
        self._head(None)
        self.wfile.write(CONTENT)

    def _closes_early(self) -> None:
        self._head()
        self.wfile.write(CONTENT[:HALF])

    def _closes_early_of_unknown_length(self) -> None:
        self._head(None)
        self.wfile.write(CONTENT[:HALF])

    def _announces_less(self) -> None:
        self._head(len(CONTENT) - 1)
        self.wfile.write(CONTENT)

    def _announces_nonsense(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "many")
        self.end_headers()
        self.wfile.write(CONTENT)

    def _flipped(self) -> None:
        self._head()
        self.wfile.write(FLIPPED)

    def _longer(self) -> None:
        self._head(None)
        self.wfile.write(CONTENT + b"more")

    def _missing(self) -> None:
        self.send_error(404)

    def _broken(self) -> None:
        self.send_error(500)

    def _no_http(self) -> None:
        self.wfile.write(b"I speak another protocol\r\n\r\n")

    def _hangs(self) -> None:
        self.server.gate.wait(20)

    def _hangs_at_half(self) -> None:
        self._head()
        self.wfile.write(CONTENT[:HALF])
        self.wfile.flush()
        self.server.gate.wait(20)
        self.wfile.write(CONTENT[HALF:])

    def _to_right(self) -> None:
        self._redirect("/right")

    def _to_flipped(self) -> None:
        self._redirect("/flipped")

    def _to_plain_http(self) -> None:
        self._redirect(self.server.url("right"))

    def _to_ftp(self) -> None:
        self._redirect("ftp://127.0.0.1/right")


@pytest.fixture
def weights_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("PYSTYLE_OFFLINE", raising=False)
    with WeightsServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()
