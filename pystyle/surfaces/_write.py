"""Writing a mesh with its texture."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pystyle._arguments import path_of
from pystyle.images import to_pil
from pystyle.images._atomic import check_writable, replace_file
from pystyle.surfaces._mesh import Mesh
from pystyle.surfaces._trimesh import trimesh_module

WRITABLE = (".glb", ".obj", ".ply")


def write_mesh(mesh: Mesh, path: str | os.PathLike[str]) -> None:
    """Write a mesh and its texture, as a file that is complete or as it was before.

    Args:
        mesh: The mesh.
        path: A file that ends in ".glb", which holds all; in ".obj", beside which a ".mtl" and a ".png" of
            the same name are written; or in ".ply", beside which a ".png" is written. Names beside have
            underscores for spaces that would be lost in a line of text. ``~`` is the home folder.

    Raises:
        ImportError: trimesh is missing, the extra ``mesh``.
        ValueError: The name ends otherwise.
        OSError: A file cannot be written.

    Example:
        >>> import tempfile
        >>> from pystyle.surfaces import vase, write_mesh
        >>> write_mesh(vase(16), tempfile.mkdtemp() + "/vase.glb")

    Note:
        Textures have 8 bits. The material has no metal and full roughness, so that viewers show its colours,
        and both sides of triangles are seen.
    """
    files = mesh_files(path)
    trimesh = trimesh_module()
    for file in files:
        check_writable(file, kind="mesh" if file == files[-1] else "texture")
    contents = _contents(trimesh, mesh, files[-1])
    # What the mesh refers to is there before the mesh is.
    for file in files:
        replace_file(file, contents[file.name], kind="mesh" if file == files[-1] else "texture")


def mesh_files(path: str | os.PathLike[str]) -> list[Path]:
    """The files that a mesh is written to, the one that was named last.

    Raises:
        ValueError: If no mesh can have this name.
    """
    file = path_of(path)
    suffix = file.suffix.lower()
    if suffix not in WRITABLE:
        raise ValueError(f"`path` must end in one of {', '.join(WRITABLE)}, got '{os.fspath(path)}'.")
    beside = {".glb": (), ".obj": (".png", ".mtl"), ".ply": (".png",)}[suffix]
    return [*(file.with_name(_stem_beside(file) + other) for other in beside), file]


def _stem_beside(file: Path) -> str:
    """The name of the files beside a mesh, as it can stand in a line of its text."""
    # Readers split lines at spaces, and put one between the parts of a name.
    return re.sub(r"^\s|\s{2,}|[^\S ]|[\ud800-\udfff]", "_", file.stem)


def _contents(trimesh: Any, mesh: Mesh, file: Path) -> Mapping[str, bytes]:
    """What goes into each file, by its name."""
    image = to_pil(mesh.texture)
    visual = trimesh.visual
    if file.suffix.lower() == ".glb":
        material = visual.material.PBRMaterial(
            name="painted", baseColorTexture=image, metallicFactor=0.0, roughnessFactor=1.0, doubleSided=True
        )
        return {file.name: bytes(_as_trimesh(trimesh, mesh, material).export(file_type="glb"))}
    stem = _stem_beside(file)
    material = visual.material.SimpleMaterial(image=image, name=stem)
    made = _as_trimesh(trimesh, mesh, material)
    if file.suffix.lower() == ".ply":
        return {file.name: _ply(made, f"{stem}.png"), f"{stem}.png": _png(image)}
    text, others = trimesh.exchange.obj.export_obj(
        made, return_texture=True, mtl_name=f"{stem}.mtl", header=None
    )
    return {
        file.name: text.encode(),
        f"{stem}.mtl": others[f"{stem}.mtl"],
        f"{stem}.png": _png(image),
    }


def _as_trimesh(trimesh: Any, mesh: Mesh, material: Any) -> Any:
    visual = trimesh.visual.TextureVisuals(uv=mesh.uvs.double().cpu().numpy(), material=material)
    return trimesh.Trimesh(
        mesh.vertices.double().cpu().numpy(), mesh.faces.cpu().numpy(), visual=visual, process=False
    )


def _ply(made: Any, texture: str) -> bytes:
    """The file, whose header names the texture, as MeshLab writes and trimesh reads it."""
    first, mark, rest = bytes(made.export(file_type="ply")).partition(b"\n")
    form, end, body = rest.partition(b"\n")
    return b"".join([first, mark, form, end, b"comment TextureFile ", texture.encode(), b"\n", body])


def _png(image: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
