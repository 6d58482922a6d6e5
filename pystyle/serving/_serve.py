import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from pystyle.serving._service import Service

if TYPE_CHECKING:
    from uvicorn import Server

_GRACE = 5.0
"""Seconds beyond those of a request in which answers are still sent."""


def serve(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run a service until SIGTERM or Ctrl-C, which let it answer what it has begun.

    It is for the main thread of a program.

    Jobs of optimisation stop after their step, and go on when a service is started in the same folder.

    Args:
        service: The service.
        host: The address to listen at: ``"127.0.0.1"`` for programs of this machine alone, ``"0.0.0.0"`` or
            ``"::"`` for all.
        port: The port; 0 for any that is free.
        ready: Is told the address when the service answers.

    Raises:
        OSError: If nothing can listen there; the message says why.
        CheckpointError: If another service has the folder.
        KeyboardInterrupt: After Ctrl-C and SIGTERM, once all is answered.

    Example:
        >>> from pystyle.networks import pretrained
        >>> from pystyle.serving import Service, serve
        >>> def main():
        ...     serve(Service({"any-style": pretrained("any-style")}), port=8000)
    """
    with service.opened(), _listening(host, port) as listener:
        name, number = listener.getsockname()[:2]
        address = f"http://{f'[{name}]' if ':' in name else name}:{number}"
        _server(service, lambda: ready(address) if ready else None).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        raise OSError(
            f"The service cannot listen at `host` {host!r} and `port` {port}: {reason}. Choose another "
            "`port`."
        ) from error


def _server(service: Service, ready: Callable[[], None]) -> "Server":
    import uvicorn

    class DrainingServer(uvicorn.Server):
        """A server that tells the service of a signal before it waits for the answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            service.drain()
            super().handle_exit(sig, frame)

    limits = service.limits
    config = uvicorn.Config(
        service.app,
        log_config=None,
        access_log=False,
        server_header=False,
        # What stands before the service knows the addresses of clients; nothing here uses them.
        proxy_headers=False,
        ws="none",
        lifespan="on",
        # Beyond these even the headers of a request are not read.
        limit_concurrency=16 * limits.queue_length + limits.num_streams,
        timeout_graceful_shutdown=int(limits.seconds + _GRACE),
    )
    return DrainingServer(config)
