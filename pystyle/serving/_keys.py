"""Who may use a service, and from where."""

import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from pystyle.serving._problem import ProblemError

NOBODY = ""
"""Whose styles are those of a service without keys."""


def digests_of(api_keys: Sequence[str]) -> tuple[bytes, ...]:
    """What is kept of keys.

    Raises:
        ValueError: If one is too short to be a secret, or cannot stand in a header.
    """
    for key in api_keys:
        if len(key) < 16 or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(
                "Each of `api_keys` must have at least 16 printable ASCII characters and no space, got one "
                f"of {len(key)}. `python -c 'import secrets; print(secrets.token_urlsafe())'` makes one."
            )
    return tuple(hashlib.sha256(key.encode()).digest() for key in api_keys)


def owner_of(authorization: str | None, digests: Sequence[bytes]) -> str:
    """Who has sent a header `Authorization`.

    Raises:
        ProblemError: If there are keys, and this is none of them.
    """
    if not digests:
        return NOBODY
    scheme, _, key = (authorization or "").partition(" ")
    given = hashlib.sha256(key.strip().encode()).digest()
    # All of them, so that the time says nothing.
    known = [hmac.compare_digest(given, digest) for digest in digests]
    if scheme.lower() != "bearer" or not any(known):
        raise ProblemError(
            401,
            "This service needs a key. Send it in the header `Authorization: Bearer KEY`.",
            {"WWW-Authenticate": "Bearer"},
        )
    return given.hex()


def check_origin(origin: str | None, host: str | None) -> None:
    """Refuse what a browser sends for a page of another site: CORS is off, and forms would not ask.

    Raises:
        ProblemError: If the page is of another site.
    """
    if origin is not None and (urlsplit(origin).netloc or "none") != host:
        raise ProblemError(403, "Pages of other sites cannot use this service.")
