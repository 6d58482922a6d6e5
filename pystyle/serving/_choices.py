"""Which network and which styles a client has chosen."""

from collections.abc import Callable, Mapping
from functools import partial

from torch import Tensor

from pystyle.networks import Stylizer
from pystyle.serving._form import Form
from pystyle.serving._limits import Limits
from pystyle.serving._painting import UsedStyle
from pystyle.serving._pictures import decoded, sized
from pystyle.serving._problem import ProblemError
from pystyle.serving._styles import StyleFolder, is_address


def chosen_network(form: Form, networks: Mapping[str, Stylizer]) -> str:
    """The name of the network that a client names, or that can paint in its styles.

    Raises:
        ProblemError: If there is none.
    """
    name = form.text("network")
    if name is not None:
        if name not in networks:
            raise ProblemError(422, f"`network` must be one of {', '.join(networks)}, got {name[:100]!r}.")
        return name
    names = [style for style in form.several("style") if isinstance(style, str) and not is_address(style)]
    for name, network in networks.items():
        if set(names) <= set(network.styles) if names else not network.styles:
            return name
    if not names:
        return next(iter(networks))
    raise ProblemError(422, f"`style` {names[0][:100]!r} {_what_is_known(networks)}")


def chosen_styles(
    form: Form, name: str, network: Stylizer, folder: StyleFolder, limits: Limits
) -> list[UsedStyle]:
    """The styles that a client has chosen for a network; pictures that come with the request are read.

    Raises:
        ProblemError: If the network has no such style, or a picture cannot be read.
    """
    given = form.several("style")
    if not given and len(network.styles) == 1:
        given = list(network.styles)
    if not given:
        known = f"one of {', '.join(network.styles)}" if network.styles else "a picture"
        raise ProblemError(422, f"`style` must be {known} for the network {name}, got none.")
    size = form.size("style_size", 512, least=network.smallest, most=limits.picture_pixels)
    weights = form.weights("weights", len(given))
    styles = []
    for style, weight in zip(given, weights, strict=True):
        if network.styles:
            if style not in network.styles:
                got = f"{style[:100]!r}" if isinstance(style, str) else "a picture"
                known = ", ".join(network.styles)
                raise ProblemError(422, f"`style` must be one of {known} for the network {name}, got {got}.")
            styles.append(UsedStyle(str(style), weight))
        elif isinstance(style, bytes):
            image = read_style(style, size, network.smallest, limits)
            styles.append(UsedStyle(partial(_itself, image), weight))
        elif is_address(style):
            # What is there when it is asked for is held: others may push it out of the folder.
            read: Callable[[], Tensor] = partial(
                read_style, folder.read(style), size, network.smallest, limits
            )
            styles.append(UsedStyle(read, weight, key=(style, size)))
        else:
            raise ProblemError(422, f"`style` {style[:100]!r} {_what_is_known({name: network})}")
    return styles


def read_style(data: bytes, size: int | str, smallest: int, limits: Limits) -> Tensor:
    """The picture of a style at the size at which it is looked at.

    Raises:
        ProblemError: If it cannot be read, or would be too small or too large.
    """
    return sized(decoded(data, "style", limits), size, "style", smallest=smallest, limits=limits)


def _itself(image: Tensor) -> Tensor:
    return image


def _what_is_known(networks: Mapping[str, Stylizer]) -> str:
    names = [style for network in networks.values() for style in network.styles]
    learned = f"the learned styles {', '.join(names)}, " if names else ""
    return (
        f"is none of {learned}the file of a picture, or the address that /v1/styles gave. No path and no "
        "address of the web is opened."
    )
