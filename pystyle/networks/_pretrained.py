from pathlib import Path

from pystyle.networks._stylizer import Stylizer

_FOLDER = Path(__file__).parent / "weights"


def pretrained_names() -> tuple[str, ...]:
    """The names of the networks that come with this version, for :func:`pretrained`.

    Example:
        >>> isinstance(pretrained_names(), tuple)
        True
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.safetensors")))


def pretrained(name: str) -> Stylizer:
    """A network that comes with the library, ready to paint, without a download.

    Args:
        name: One of :func:`pretrained_names`.

    Returns:
        The network; its :attr:`Stylizer.card` says where it comes from.

    Raises:
        ValueError: If there is none of this name in this version.

    Example:
        >>> pretrained("no such network")
        Traceback (most recent call last):
        ValueError: `name` must be a network that comes with this version, ...
    """
    names = pretrained_names()
    if name not in names:
        known = f"one of {names}" if names else "of which there is none yet"
        raise ValueError(
            f"`name` must be a network that comes with this version, {known}, got {name!r}. `pystyle train` "
            "trains one, and `Stylizer.load` loads it from its file."
        )
    return Stylizer.load(_FOLDER / f"{name}.safetensors")
