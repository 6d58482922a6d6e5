"""What a glTF file says of the places in its texture, and trimesh passes over."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pystyle.surfaces._errors import MeshReadError

_FLOAT = 5126
"""glTF's number for float32."""
_WAYS_OUT = "Export it with one set of UVs as they are, without a mapping and without compression."


def check_places(file: Path) -> None:
    """Refuse a file whose places in the texture are other than the numbers of its first set.

    Raises:
        MeshReadError: If a texture is moved, turned or scaled, or lies at another set of places; or if the
            places are whole numbers.
    """
    document = _document(file)
    for part in _primitives(document):
        for texture in _textures(document, part):
            moved = texture.get("extensions", {}).get("KHR_texture_transform", {})
            if moved.get("texCoord", texture.get("texCoord", 0)) != 0:
                raise MeshReadError(
                    f"its texture lies at a second set of UVs, and the first is read. {_WAYS_OUT}"
                )
            if (
                any(moved.get("offset", ()))
                or any(factor != 1 for factor in moved.get("scale", ()))
                or moved.get("rotation", 0)
            ):
                raise MeshReadError(
                    "its texture is moved, turned or scaled (KHR_texture_transform), which is not read. "
                    f"Apply the mapping to the UVs in a modelling program. {_WAYS_OUT}"
                )
        places = part.get("attributes", {}).get("TEXCOORD_0")
        if places is not None and document["accessors"][places]["componentType"] != _FLOAT:
            raise MeshReadError(f"its UVs are whole numbers, and floats are read. {_WAYS_OUT}")


def _document(file: Path) -> dict[str, Any]:
    data = file.read_bytes()
    if data[:4] == b"glTF":
        # After twelve bytes of a head come the length of the text, its kind and the text.
        (length,) = struct.unpack("<I", data[12:16])
        data = data[20 : 20 + length]
    found: dict[str, Any] = json.loads(data)
    return found


def _primitives(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for mesh in document.get("meshes", []):
        yield from mesh["primitives"]


def _textures(document: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The base colour of a part, in both of the forms in which a material has one."""
    if "material" in part:
        material = document["materials"][part["material"]]
        older = material.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness", {})
        for colours in (material.get("pbrMetallicRoughness", {}), older):
            yield from (colours[name] for name in ("baseColorTexture", "diffuseTexture") if name in colours)
