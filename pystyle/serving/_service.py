import asyncio
import math
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch

from pystyle._arguments import path_of
from pystyle.checkpoints._lock import locked
from pystyle.encoders import Encoder
from pystyle.networks import Stylizer
from pystyle.serving._jobs import Jobs
from pystyle.serving._keys import digests_of
from pystyle.serving._limits import Limits
from pystyle.serving._metrics import Metrics
from pystyle.serving._page import page_files
from pystyle.serving._painting import Painting
from pystyle.serving._problem import ProblemError
from pystyle.serving._starlette import check_packages
from pystyle.serving._styles import StyleFolder
from pystyle.serving._worker import Worker
from pystyle.typing import PrecisionChoice

T = TypeVar("T")

if TYPE_CHECKING:
    from starlette.applications import Starlette


class Service:
    """A service that paints: networks at once, optimisations as jobs, over HTTP.

    It is one process with one thread that computes. :func:`serve` runs it; :attr:`app` is the application for
    another server of the protocol ASGI, with one worker.

    Args:
        networks: The networks by name. The first that learns no names paints in uploaded styles unless a
            client names another.
        limits: What it takes at most.
        folder: Where uploaded styles and jobs are kept, so that they outlive a restart; of the service alone.
            If not given, a temporary one.
        api_keys: Who may use it; anyone if there are none.
        encoder: Of optimisations; that of :func:`~pystyle.stylize` if not given.
        precision: Of networks and encoder; see :meth:`~pystyle.networks.Stylizer.bind`.
        page: Whether there is a page for people at ``/``.

    Attributes:
        device: Where it computes: that of the first network.
        draining: Whether it takes no further requests.
        page_files: The files of the page by name; none without it.
        metrics: What it has done.

    Raises:
        ImportError: If the packages of the extra `serve` are missing.
        ValueError: If there is no network, or a key is too short.

    Example:
        >>> from pystyle.networks import AnyStyleNetwork
        >>> try:
        ...     service = Service({"small": AnyStyleNetwork(width=2)})
        ... except ImportError as error:  # Without the extra.
        ...     print(error)
    """

    def __init__(
        self,
        networks: Mapping[str, Stylizer],
        *,
        limits: Limits = Limits(),  # noqa: B008, for it is frozen.
        folder: str | PathLike[str] | None = None,
        api_keys: Sequence[str] = (),
        encoder: Encoder | None = None,
        precision: PrecisionChoice = "float32",
        page: bool = True,
    ) -> None:
        check_packages()
        if not networks:
            raise ValueError("`networks` must have at least one network, got none.")
        self.networks = dict(networks)
        first = next(next(iter(self.networks.values())).parameters(), None)
        self.device = torch.device("cpu") if first is None else first.device
        self.limits = limits
        self.folder = None if folder is None else path_of(folder).absolute()
        self.key_digests = digests_of(api_keys)
        self.encoder, self.precision = encoder, precision
        self.draining = False
        self.page_files = page_files() if page else {}
        self.metrics = Metrics()
        self.num_requests = self.num_streams = 0
        self._is_open = False

    @property
    def app(self) -> "Starlette":
        """A new application of ASGI, which opens the folder and begins to work when it is started."""
        from pystyle.serving._app import application

        return application(self)

    def drain(self) -> None:
        """Take no further requests, and stop jobs where they can go on. A signal handler may call it."""
        # An attribute and no lock: the thread that it interrupts may hold one.
        self.draining = True

    def check_open(self) -> None:
        """Check that the service has its folder, and works.

        Raises:
            ProblemError: If nothing has opened it, or it is closed.
        """
        if not self._is_open:
            raise ProblemError(
                503,
                "The application was not started. An application that it is mounted in must be made with "
                "`lifespan=service.running`.",
            )

    @asynccontextmanager
    async def running(self, app: object) -> AsyncIterator[None]:
        """The context in which the application answers; it opens the service, unless that is open."""
        del app
        with nullcontext() if self._is_open else self.opened():
            yield

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The context in which the service has its folder, and works.

        Raises:
            CheckpointError: If another service has the folder.
            OSError: If the folder cannot be used.
        """
        with ExitStack() as stack:
            folder = self.folder
            if folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pystyle-")))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(locked(folder))
            self.styles = StyleFolder(folder / "styles", most=self.limits.num_styles)
            self.jobs = Jobs(self, folder / "jobs")
            painting = Painting(self.networks, precision=self.precision, metrics=self.metrics)
            self.worker = Worker(painting, limits=self.limits, long_work=self.jobs)
            self._pictures = stack.enter_context(ThreadPoolExecutor(1, "pystyle-pictures"))
            self.worker.start()
            self._is_open, self.draining = True, False
            try:
                yield
            finally:
                self.drain()
                self.worker.stop()
                self._is_open = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place in the queue, from the first byte of a request to its answer.

        Raises:
            ProblemError: If there is none.
        """
        if self.num_requests >= self.limits.queue_length:
            seconds = math.ceil(self.metrics.mean("pystyle_paint_seconds") * self.num_requests) or 1
            raise ProblemError(
                429,
                f"{self.limits.queue_length} requests are in work, and no more are taken. Try again in "
                f"{seconds} s.",
                {"Retry-After": str(seconds)},
            )
        self.num_requests += 1
        try:
            yield
        finally:
            self.num_requests -= 1

    async def with_pictures(self, function: Callable[[], T]) -> T:
        """Call a function in the thread that reads and writes pictures: one at a time is in memory."""
        return await asyncio.get_running_loop().run_in_executor(self._pictures, function)
