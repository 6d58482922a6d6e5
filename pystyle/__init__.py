"""pystyle: neural style transfer for researchers.

An encoder turns an image into features, losses say what those features should look like, a
criterion composes them, an optimizer moves the image, and a runner drives the loop. Every piece
is a small class that can be replaced without touching the others.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from pystyle._version import __version__ as __version__

if TYPE_CHECKING:
    from pystyle._public import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        # torch reads the environment when it is imported. The command line has a say in that, so that
        # the names below, which need torch, are imported when one of them is first used.
        if not name.startswith("_") and importlib.util.find_spec(f"pystyle.{name}") is not None:
            return importlib.import_module(f"pystyle.{name}")
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module 'pystyle' has no attribute {name!r}")
        public = importlib.import_module("pystyle._public")
        if name != "__all__" and name not in public.__all__:
            raise AttributeError(f"module 'pystyle' has no attribute {name!r}")
        value = globals()[name] = getattr(public, name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *importlib.import_module("pystyle._public").__all__})
