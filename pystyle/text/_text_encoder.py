import os

from pystyle.text._folders import weights_folder
from pystyle.text._open_clip import OpenClipEncoder, open_clip_encoder
from pystyle.text._preparation import Fit
from pystyle.text._transformers import TransformersEncoder, transformers_encoder


def text_encoder(
    name: str | os.PathLike[str], *, fit: Fit = "whole"
) -> TransformersEncoder | OpenClipEncoder:
    """The encoder in a folder, or in the cache of the hub, of whichever package wrote it.

    Args:
        name: The folder, or a repository of the hub that was downloaded before.
        fit: What of an image the model sees: all of it, squeezed into its square (``"whole"``), or the square
            in the middle (``"center"``).

    Returns:
        That of :func:`transformers_encoder` if there is a ``config.json``, of :func:`open_clip_encoder` if
        there is only an ``open_clip_config.json``.

    Raises:
        ImportError: If the package of the model is missing.
        OSError: If there is no such folder, or it lacks a file.
        ValueError: If it holds another kind of model.

    Example:
        >>> encoder = text_encoder("openai/clip-vit-base-patch32")  # doctest: +SKIP
    """
    folder = weights_folder(name)
    if (folder / "config.json").is_file():
        return transformers_encoder(folder, fit=fit)
    if (folder / "open_clip_config.json").is_file():
        return open_clip_encoder(folder, fit=fit)
    raise OSError(
        f"`name` must be a folder with config.json or open_clip_config.json, got '{folder}', which has "
        "neither."
    )
