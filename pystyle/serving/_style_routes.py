"""`/v1/styles`: what can be painted in."""

from functools import partial
from typing import TYPE_CHECKING, Any

from pystyle.serving._keys import owner_of
from pystyle.serving._pictures import decoded
from pystyle.serving._problem import ProblemError
from pystyle.serving._uploads import read_form

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pystyle.serving._service import Service

FIELDS = ("style",)
_SMALLEST = 16


async def known_styles(service: "Service", request: "Request") -> "Response":
    """The networks, and the names of the styles that they have learned; nothing that clients sent."""
    from starlette.responses import JSONResponse

    del request
    networks = [
        {"name": name, "styles": list(network.styles), "smallest": network.smallest}
        for name, network in service.networks.items()
    ]
    return JSONResponse({"networks": networks})


async def upload_style(service: "Service", request: "Request") -> "Response":
    """The address of a style that is kept from now on."""
    from starlette.responses import JSONResponse

    owner = owner_of(request.headers.get("authorization"), service.key_digests)
    with service.slot():
        form = await read_form(request, service.limits)
        form.check(FIELDS)
        kept = await service.with_pictures(partial(_keep, service, form.file("style"), owner))
    return JSONResponse(kept, status_code=201)


def _keep(service: "Service", data: bytes, owner: str) -> dict[str, Any]:
    image = decoded(data, "style", service.limits)
    height, width = image.shape[2:]
    if min(height, width) < _SMALLEST:
        raise ProblemError(
            422, f"`style` must have sides of at least {_SMALLEST} pixels, got {height} x {width}."
        )
    try:
        address = service.styles.add(data, owner)
    except OSError as error:
        raise ProblemError(507, "The style could not be kept: the service has no room for it.") from error
    return {"style": address, "width": width, "height": height}
