"""Small networks behind a service, and pictures for it."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from pystyle.images import read_image, write_image
from pystyle.networks import Stylizer
from pystyle.serving import Service

if TYPE_CHECKING:
    from starlette.testclient import TestClient

if any(find_spec(name) is None for name in ("starlette", "uvicorn", "python_multipart", "httpx2")):
    # What skips here ends pytest with a traceback where it is given this folder.
    collect_ignore_glob = ["test_*.py"]


class Tint(Stylizer):
    """Paints the mean of the content and of the mean colour of the style. A test can hold it."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.entered, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def represent_style(self, style: Tensor) -> Tensor:
        return style.mean((2, 3), keepdim=True)

    def forward(self, content: Tensor, code: Tensor) -> Tensor:
        self.batches.append(len(content))
        self.entered.set()
        assert self.gate.wait(30)
        return (content + code) / 2


class Named(Tint):
    """Has learned two styles: black and white."""

    def __init__(self) -> None:
        super().__init__()
        self.styles = ("black", "white")

    def named_code(self, name: str) -> Tensor:
        return torch.full((1, 3, 1, 1), float(self.styles.index(name)))


@pytest.fixture
def tint() -> Tint:
    return Tint()


@pytest.fixture
def make(tint: Tint) -> Callable[..., Service]:
    """A function that makes a service with other arguments."""

    def service(*, networks=None, **arguments) -> Service:
        return Service(networks or {"tint": tint, "named": Named()}, **arguments)

    return service


@pytest.fixture
def service(make) -> Service:
    return make()


@pytest.fixture
def client(service) -> "Iterator[TestClient]":
    from starlette.testclient import TestClient

    with TestClient(service.app) as found:
        yield found


@pytest.fixture
def flat() -> Callable[..., bytes]:
    """A function that gives the PNG file of a picture of one grey level in 255."""

    def picture(level: int, height: int = 20, width: int = 30) -> bytes:
        stream = io.BytesIO()
        write_image(torch.full((1, 3, height, width), level / 255), stream)
        return stream.getvalue()

    return picture


@pytest.fixture
def levels() -> Callable[[bytes], Tensor]:
    """A function that gives the levels in 255 of the pixels of a file."""
    return lambda data: (255 * read_image(io.BytesIO(data))).round().to(torch.int)


@pytest.fixture
def listening() -> Callable[[Service], object]:
    """A context with a real server on the loopback, which gives its port; any that is free without one."""
    import uvicorn

    @contextmanager
    def running(service: Service, port: int = 0) -> Iterator[int]:
        with socket.create_server(("127.0.0.1", port)) as listener:
            server = uvicorn.Server(
                uvicorn.Config(service.app, log_config=None, lifespan="on", timeout_graceful_shutdown=10)
            )
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                service.drain()
                server.should_exit = True
                thread.join(30)
                assert not thread.is_alive()

    return running
