"""Reading the body of a request, of which no more is held than the limits allow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING

from pystyle.serving._form import Form
from pystyle.serving._json_form import MEDIA_TYPE, json_form
from pystyle.serving._limits import Limits
from pystyle.serving._problem import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request

MULTIPART = "multipart/form-data"
_TEXT_BYTES = 4096
_NUM_FILES = 9
"""A content, and some styles that are blended."""
_NUM_TEXTS = 32
_DISCARD_SECONDS = 5.0


async def read_form(request: "Request", limits: Limits) -> Form:
    """The form that a client sends, or the same fields as JSON.

    Raises:
        ProblemError: If it is too large or too slow, or no form.
        ClientDisconnect: If the client goes before its end.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (MULTIPART, MEDIA_TYPE):
        raise ProblemError(
            415, f"The body must be of the type {MULTIPART} or {MEDIA_TYPE}, got {kind[:100] or 'no type'!r}."
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.upload_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.seconds), aclosing(_counted(request, limits)) as stream:
            if kind == MULTIPART:
                return await _multipart(request, stream, limits)
            body = b"".join([piece async for piece in stream])
    except TimeoutError as error:
        raise ProblemError(408, f"The upload must be over within {limits.seconds:g} s.") from error
    read = partial(json_form, body, most=_NUM_FILES + _NUM_TEXTS, text_bytes=_TEXT_BYTES)
    # In another thread, for the base64 of large pictures takes a while.
    return await asyncio.to_thread(read)


async def _multipart(request: "Request", stream: AsyncGenerator[bytes, None], limits: Limits) -> Form:
    from starlette.formparsers import MultiPartException, MultiPartParser

    try:
        parser = MultiPartParser(
            request.headers,
            stream,
            max_files=_NUM_FILES,
            max_fields=_NUM_TEXTS,
            max_part_size=_TEXT_BYTES,
        )
        # All stays in memory, where it has its limit, and no disk can be full.
        parser.spool_max_size = limits.upload_bytes + 1
        data = await parser.parse()
    except MultiPartException as error:
        raise ProblemError(400, f"The form cannot be read: {error.message}") from error
    items: list[tuple[str, str | bytes]] = []
    for name, value in data.multi_items():
        items.append((name, value if isinstance(value, str) else await value.read()))
    await data.close()
    return Form(items)


async def discard(request: "Request", limits: Limits) -> None:
    """Read what a client still sends to a request that is refused, so that it comes to read the answer.

    Of what is too much, or too slow, the connection is closed.
    """
    from starlette.requests import ClientDisconnect

    left = limits.upload_bytes
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(_DISCARD_SECONDS), aclosing(request.stream()) as stream:
            async for piece in stream:
                left -= len(piece)
                if left < 0:
                    return


async def _counted(request: "Request", limits: Limits) -> AsyncGenerator[bytes, None]:
    count = 0
    async with aclosing(request.stream()) as stream:
        async for piece in stream:
            count += len(piece)
            if count > limits.upload_bytes:
                raise _too_large(limits)
            yield piece


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError(
        413, f"The body must have at most {limits.upload_bytes} bytes. Send a smaller picture."
    )
