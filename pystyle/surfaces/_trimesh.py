"""The package trimesh, which is imported when a file is read or written."""

from types import ModuleType


def trimesh_module() -> ModuleType:
    """The package `trimesh`.

    Raises:
        ImportError: If it is missing; the message names the extra.
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError(
            'Reading and writing meshes needs trimesh. Install it with `pip install "pystyle-nst[mesh]"`.'
        ) from error
    module: ModuleType = trimesh
    return module
