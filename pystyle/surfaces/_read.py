"""Reading a mesh with its texture."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pystyle._arguments import path_of
from pystyle.images import from_pil
from pystyle.images._read import DEFAULT_MAX_PIXELS
from pystyle.images._sources import Picture, as_image
from pystyle.surfaces._errors import MeshReadError
from pystyle.surfaces._gltf import check_places
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._trimesh import trimesh_module

READABLE = (".glb", ".gltf", ".obj", ".ply")


def read_mesh(path: str | os.PathLike[str], *, texture: Picture | None = None) -> Mesh:
    """The mesh in a file, with its texture.

    Of a scene all parts are taken where they stand, as one mesh; they must share one texture. Only the base
    colour is read: no normal maps, no roughness, no factors of colours.

    Args:
        path: A file that ends in ".glb", ".gltf", ".obj" (with its ".mtl") or ".ply" (with places ``s`` and
            ``t`` or ``u`` and ``v`` of the corners); ``~`` is the home folder.
        texture: An image to take in the place of the texture of the file, or where it has none.

    Returns:
        The mesh.

    Raises:
        ImportError: trimesh is missing, the extra ``mesh``.
        MeshReadError: The file is missing, damaged or of another format; it has no triangles, too many, no
            places in a texture, no texture, or several; or a glTF file moves its texture, has it at a second
            set of places, or has places that are whole numbers.
        ImageReadError: `texture` cannot be read.

    Example:
        >>> import tempfile
        >>> from pystyle.surfaces import read_mesh, torus, write_mesh
        >>> path = tempfile.mkdtemp() + "/ring.glb"
        >>> write_mesh(torus(16), path)
        >>> read_mesh(path)
        Mesh(153 vertices, 256 faces, a texture of 256 x 512 pixels)
    """
    name = os.fspath(path)
    file = path_of(path)
    if not file.is_file():
        reason = (
            "it is a folder. Name a file in it."
            if file.is_dir()
            else "there is no such file. Check the path."
        )
        raise MeshReadError(f"Cannot read the mesh '{name}': {reason}")
    if file.suffix.lower() not in READABLE:
        raise MeshReadError(
            f"Cannot read the mesh '{name}': its name must end in one of {', '.join(READABLE)}. Export it as "
            "GLB, which holds the texture as well."
        )
    given = None if texture is None else as_image(texture)
    with _named(name):
        scene = trimesh_module().load_scene(file, process=False)
        if file.suffix.lower() in (".glb", ".gltf"):
            check_places(file)
        parts = [part for part in _parts(scene) if len(part.faces)]
        if not parts:
            raise MeshReadError("it has no triangles.")
        vertices, faces, uvs = _joined(parts)
        return Mesh(vertices, faces, uvs, _texture(parts) if given is None else given)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """A context whose errors name the file, whatever the decoder makes of it."""
    loud = logging.getLogger("trimesh")
    level = loud.level
    # It logs what it then raises, with a traceback.
    loud.setLevel(logging.CRITICAL)
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except (MeshReadError, ValueError) as error:
        reason = str(error) or "it is damaged."
        raise MeshReadError(f"Cannot read the mesh '{name}': {reason}") from error
    except Exception as error:  # Decoders raise whatever a damaged file leads them to.
        raise MeshReadError(f"Cannot read the mesh '{name}': it is damaged ({error!r}).") from error
    finally:
        loud.setLevel(level)


def _parts(scene: Any) -> Iterator[Any]:
    """The meshes of a scene, each where it stands."""
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        part = scene.geometry[name]
        if hasattr(part, "faces"):
            part = part.copy()
            part.apply_transform(transform)
            yield part


def _joined(parts: list[Any]) -> tuple[Tensor, Tensor, Tensor]:
    vertices, faces, uvs, before = [], [], [], 0
    for part in parts:
        places = getattr(part.visual, "uv", None)
        if places is None or len(places) != len(part.vertices):
            raise MeshReadError(
                "it does not say where its corners lie in a texture (UVs). Unwrap it in a modelling program, "
                "and export it with UVs and a material."
            )
        vertices.append(np.asarray(part.vertices, dtype=np.float64))
        faces.append(np.asarray(part.faces, dtype=np.int64) + before)
        uvs.append(np.asarray(places, dtype=np.float64)[:, :2])
        before += len(part.vertices)
    joined = [np.concatenate(one) for one in (vertices, faces, uvs)]
    return (
        torch.from_numpy(joined[0]).float(),
        torch.from_numpy(joined[1]),
        torch.from_numpy(joined[2]).float(),
    )


def _texture(parts: list[Any]) -> Tensor:
    textures = [_base_color(part) for part in parts]
    found = [texture for texture in textures if texture is not None]
    if len(found) < len(textures):
        raise MeshReadError("it has no texture, or not on all of its parts. Give an image as `texture`.")
    if any(other.shape != found[0].shape or not torch.equal(other, found[0]) for other in found[1:]):
        raise MeshReadError(
            "its parts have different textures, and one can be painted. Bake them into one in a modelling "
            "program, or save the parts in files of their own."
        )
    return found[0]


def _base_color(part: Any) -> Tensor | None:
    material = getattr(part.visual, "material", None)
    image = getattr(material, "baseColorTexture", None)
    if image is None:
        image = getattr(material, "image", None)
        # Where there is none trimesh makes a grey one, which has not been decoded from anything.
        image = None if getattr(image, "format", None) is None else image
    if not isinstance(image, Image.Image):
        return None
    if image.width * image.height > DEFAULT_MAX_PIXELS:
        raise MeshReadError(
            f"its texture has {image.width} x {image.height} pixels, more than {DEFAULT_MAX_PIXELS:,}. "
            "Give a smaller one as `texture`."
        )
    return from_pil(image)
