from typing import Any

from torch import nn

from pystyle.encoders._encoder import Encoder
from pystyle.encoders._named import named_encoder
from pystyle.encoders._no_encoder import NoEncoder


def given_encoder(encoder: Any) -> Encoder:
    """The encoder that is meant: itself, or that of :func:`~pystyle.encoders.named_encoder` by its name.

    None is one without layers, for losses that look at the image itself.

    Raises:
        TypeError: If it is a module that is no encoder, or something else.
        ValueError: If there is no such name.
    """
    if isinstance(encoder, Encoder):
        return encoder
    if encoder is None:
        return NoEncoder()
    if isinstance(encoder, str):
        try:
            return named_encoder(encoder)
        except ValueError as error:
            raise ValueError(str(error).replace("`name`", "`encoder`")) from error
    if isinstance(encoder, nn.Module):
        raise TypeError(
            f"`encoder` must be an encoder, got a module, {type(encoder).__name__}. Say which of its "
            "submodules are layers: `ModuleEncoder(module, ['...'])`."
        )
    if callable(encoder):
        name = getattr(encoder, "__name__", "function")
        raise TypeError(f"`encoder` must be an encoder, got {name} itself. Call it: `{name}()`.")
    raise TypeError(f"`encoder` must be an encoder or the name of one, got a {type(encoder).__name__}.")
