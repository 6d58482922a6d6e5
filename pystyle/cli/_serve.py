"""`pystyle serve`."""

import argparse
import re
from pathlib import Path
from typing import Any

from pystyle.checkpoints import CheckpointError
from pystyle.cli._announce import say
from pystyle.cli._encoders import chosen_device
from pystyle.cli._errors import CommandError, UsageError
from pystyle.cli._named_network import named_network
from pystyle.cli._serve_options import add_arguments
from pystyle.cli._text_files import read_text
from pystyle.networks import Stylizer, pretrained_names
from pystyle.serving import Limits, Service, serve

__all__ = ["DESCRIPTION", "SUMMARY", "add_arguments", "run"]

SUMMARY = "answer over HTTP: paint with networks at once, optimise as jobs"
DESCRIPTION = (
    "Answer programs over HTTP, and people with a page: networks paint at once, optimisations are jobs that "
    "can be followed. SIGTERM and Ctrl-C end it when all is answered."
)


def run(options: argparse.Namespace) -> int:
    """Carry the command out and return the exit code."""
    try:
        service = Service(
            _networks(options),
            limits=_limits(options),
            folder=options.folder,
            api_keys=_keys(options.api_keys),
            precision=options.precision,
            page=not options.no_page,
        )
    except ValueError as error:
        raise UsageError(str(error).replace("`api_keys`", "`--api-keys`")) from error

    def ready(address: str) -> None:
        if not options.quiet:
            say(f"Serving at {address}. Ctrl-C ends it.")

    try:
        serve(service, host=options.host, port=options.port, ready=ready)
    except KeyboardInterrupt:
        return 0  # That is how it ends, and all was answered.
    except (CheckpointError, OSError) as error:
        raise CommandError(re.sub("`(host|port)`", r"`--\1`", str(error))) from error
    return 0


def _networks(options: argparse.Namespace) -> dict[str, Stylizer]:
    device = chosen_device(options)
    networks: dict[str, Stylizer] = {}
    for given in options.network or pretrained_names():
        name = Path(given).stem
        if name in networks:
            raise UsageError(f"Each `--network` must have a name of its own, got {name!r} twice.")
        networks[name] = named_network(given, "--network", device)
    return networks


def _limits(options: argparse.Namespace) -> Limits:
    """The limits that are given."""
    names = {
        "upload_bytes": options.max_upload,
        "upload_pixels": options.max_pixels,
        "picture_pixels": options.max_picture,
        "queue_length": options.queue_length,
        "batch_size": options.batch_size,
        "num_jobs": options.max_jobs,
        "job_seconds": options.job_seconds,
        "memory_budget": None if options.memory is None else round(options.memory * 2**30),
    }
    given: dict[str, Any] = {name: value for name, value in names.items() if value is not None}
    return Limits(**given)


def _keys(path: str | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = read_text(Path(path)).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"`--api-keys` must be a file that can be read, got '{path}': {reason}.") from error
    keys = [line.strip() for line in lines if line.strip()]
    if not keys:
        # Without a key anybody could use the service, which is not what was asked for.
        raise UsageError(f"`--api-keys` must be a file with one key a line, got none in '{path}'.")
    return keys
