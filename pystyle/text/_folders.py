"""Where weights lie: in a folder, or in the cache of the hub on this machine. Nothing is downloaded."""

import os
from pathlib import Path

from pystyle._arguments import path_of


def weights_folder(name: str | os.PathLike[str]) -> Path:
    """The folder of a model: itself, or that of a repository in the cache of the hub.

    Raises:
        ImportError: If it is no folder, and `huggingface_hub` is not installed.
        OSError: If there is neither.
    """
    folder = path_of(name)
    if folder.is_dir():
        return folder
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"`name` must be a folder, got '{os.fspath(name)}'. To look it up in the cache of the hub, "
            'install huggingface_hub with `pip install "pystyle-nst[text]"`.'
        ) from error
    try:
        return Path(huggingface_hub.snapshot_download(os.fspath(name), local_files_only=True))
    except (OSError, ValueError) as error:
        raise OSError(
            f"`name` must be a folder with a model, or a repository of the hub that this machine has in its "
            f"cache, got '{os.fspath(name)}'. Nothing is downloaded here; `hf download {os.fspath(name)}` "
            "does it."
        ) from error
