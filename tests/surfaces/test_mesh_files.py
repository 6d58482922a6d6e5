"""Meshes in files, against what trimesh alone finds in them."""

import json
import os
import struct

import numpy as np
import pytest
import torch

from pystyle.images import read_image, to_pil, write_image
from pystyle.surfaces import Camera, Mesh, MeshReadError, read_mesh, render, sphere, torus, vase, write_mesh

trimesh = pytest.importorskip("trimesh")

SUFFIXES = [".glb", ".obj", ".ply"]


def noise(height, width):
    levels = torch.randint(0, 256, (1, 3, height, width), generator=torch.Generator().manual_seed(0))
    return levels.float() / 255


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_mesh_that_is_written_is_read_again(tmp_path, suffix):
    mesh = vase(8, texture=noise(20, 33))
    path = tmp_path / f"vase{suffix}"
    write_mesh(mesh, path)
    found = read_mesh(path)
    assert torch.equal(found.texture, mesh.texture)
    assert len(found.faces) == len(mesh.faces)
    corners = [one.vertices[one.faces].sort(1).values.sum((0, 1)) for one in (mesh, found)]
    assert torch.allclose(*corners, atol=1e-3)
    for azimuth in (0, 90, 200):
        seen = [render(one, Camera(azimuth, 10), 32) for one in (mesh, found)]
        assert (seen[0] - seen[1]).abs().max() < 1e-3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_trimesh_finds_the_colour_of_each_corner_where_the_mesh_has_it(tmp_path, suffix):
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    mesh = Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]), corners[:, :2] * 0.8 + 0.1, noise(4, 4))
    path = tmp_path / f"quad{suffix}"
    write_mesh(mesh, path)
    found = trimesh.load_mesh(path, process=False)
    colours = found.visual.material.to_color(found.visual.uv)[:, :3] / 255
    for vertex, colour in zip(found.vertices, colours, strict=True):
        row, column = (0 if vertex[1] else -1), (-1 if vertex[0] else 0)
        assert colour == pytest.approx(mesh.texture[0, :, row, column].numpy(), abs=1e-6)


def test_a_glb_shows_colours_and_both_sides(tmp_path):
    write_mesh(sphere(8), tmp_path / "ball.glb")
    data = (tmp_path / "ball.glb").read_bytes()
    assert data[:4] == b"glTF"
    (length,) = struct.unpack("<I", data[12:16])
    (material,) = json.loads(data[20 : 20 + length])["materials"]
    assert material["doubleSided"] is True
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    assert material["pbrMetallicRoughness"]["roughnessFactor"] == 1


@pytest.mark.parametrize(("suffix", "others"), [(".glb", []), (".obj", [".mtl", ".png"]), (".ply", [".png"])])
def test_only_files_of_that_name_are_written(tmp_path, suffix, others):
    write_mesh(torus(8), tmp_path / f"ring{suffix}")
    assert sorted(os.listdir(tmp_path)) == sorted(f"ring{one}" for one in [suffix, *others])


@pytest.mark.parametrize("name", ["my vase", "my  vase", "a.b   c\td", " lead", " ", "two\nlines"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_spaces_in_a_name_lose_no_texture(tmp_path, suffix, name):
    mesh = torus(8, texture=noise(4, 4))
    write_mesh(mesh, tmp_path / f"{name}{suffix}")
    assert torch.equal(read_mesh(tmp_path / f"{name}{suffix}").texture, mesh.texture)


@pytest.mark.parametrize(
    ("suffix", "line"), [(".obj", b"mtllib caf_.mtl"), (".ply", b"comment TextureFile caf_.png")]
)
def test_a_name_that_is_no_text_is_written(tmp_path, suffix, line):
    path = tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode())
    write_mesh(torus(8), path)
    assert line in path.read_bytes().splitlines()
    assert (tmp_path / line.split()[-1].decode()).is_file()


def test_the_parts_of_a_scene_are_one_mesh_where_they_stand(tmp_path):
    image = __import__("PIL.Image", fromlist=["Image"]).fromarray(np.full((4, 4, 3), 80, np.uint8))
    scene = trimesh.Scene()
    for shift in (-2.0, 2.0):
        part = trimesh.creation.box()
        part.visual = trimesh.visual.TextureVisuals(uv=part.vertices[:, :2], image=image)
        scene.add_geometry(part, transform=trimesh.transformations.translation_matrix([shift, 0, 0]))
    scene.export(tmp_path / "two.glb")
    found = read_mesh(tmp_path / "two.glb")
    assert len(found.faces) == 24
    assert found.vertices[:, 0].amin() == pytest.approx(-2.5)
    assert found.vertices[:, 0].amax() == pytest.approx(2.5)
    assert torch.allclose(found.texture, torch.tensor(80 / 255))


def _exported(path, *, uv=True, images=(7,)):
    scene = trimesh.Scene()
    for index, level in enumerate(images):
        part = trimesh.creation.box()
        if uv:
            image = None
            if level is not None:
                pixels = np.full((4, 4, 3), level, np.uint8)
                image = __import__("PIL.Image", fromlist=["Image"]).fromarray(pixels)
            material = trimesh.visual.material.PBRMaterial(baseColorTexture=image)
            part.visual = trimesh.visual.TextureVisuals(uv=part.vertices[:, :2], material=material)
        scene.add_geometry(part, node_name=f"part {index}")
    scene.export(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"uv": False}, r"does not say where its corners lie in a texture \(UVs\). Unwrap it"),
        ({"images": (None,)}, "it has no texture, or not on all of its parts. Give an image as `texture`"),
        ({"images": (5, None)}, "not on all of its parts"),
        ({"images": (5, 6)}, "its parts have different textures"),
    ],
)
def test_what_cannot_be_painted_is_refused_with_what_to_do(tmp_path, arguments, message):
    path = tmp_path / "mesh.glb"
    _exported(path, **arguments)
    with pytest.raises(MeshReadError, match=message):
        read_mesh(path)


def _changed(path, change):
    """Write a GLB whose JSON and binary parts are those of another, and changed."""
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    document, binary = json.loads(data[20 : 20 + length]), bytearray(data[28 + length :])
    change(document, binary)
    document["buffers"][0]["byteLength"] = len(binary)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = b"".join(
        struct.pack("<I4s", len(part), kind) + part for part, kind in ((text, b"JSON"), (binary, b"BIN\0"))
    )
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def _texture_of(document):
    return document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]


def _transformed(**values):
    def change(document, _):
        _texture_of(document)["extensions"] = {"KHR_texture_transform": values}

    return change


def _at_a_second_set(document, _):
    _texture_of(document)["texCoord"] = 1
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_1"] = attributes["TEXCOORD_0"]


def _of_whole_numbers(document, binary):
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"]]
    accessor.pop("byteOffset", None)
    accessor |= {"bufferView": len(document["bufferViews"]), "componentType": 5123, "normalized": True}
    places = np.random.default_rng(0).integers(0, 2**16, (accessor["count"], 2), dtype=np.uint16).tobytes()
    view = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(places)}
    document["bufferViews"].append(view)
    binary += places


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _transformed(offset=[0.25, 0]),
            r"moved, turned or scaled \(KHR_texture_transform\).*Apply the mapping",
        ),
        (_transformed(scale=[2, 2]), "KHR_texture_transform"),
        (_transformed(rotation=1.5), "KHR_texture_transform"),
        (_transformed(texCoord=1), "a second set of UVs, and the first is read"),
        (_at_a_second_set, "a second set of UVs, and the first is read"),
        (_of_whole_numbers, "its UVs are whole numbers, and floats are read"),
    ],
)
def test_a_glb_whose_places_in_the_texture_are_others_is_refused(tmp_path, change, message):
    path = tmp_path / "ball.glb"
    write_mesh(sphere(8), path)
    _changed(path, change)
    with pytest.raises(MeshReadError, match=message):
        read_mesh(path)


def test_a_mapping_that_changes_nothing_is_none(tmp_path):
    path = tmp_path / "ball.glb"
    write_mesh(sphere(8), path)
    _changed(path, _transformed(offset=[0, 0], scale=[1, 1], rotation=0))
    assert torch.equal(read_mesh(path).uvs, sphere(8).uvs)


def test_a_mapping_in_a_gltf_is_found_as_well(tmp_path):
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=to_pil(noise(4, 4)))
    part = trimesh.creation.box()
    part.visual = trimesh.visual.TextureVisuals(uv=part.vertices[:, :2], material=material)
    for name, data in part.export(file_type="gltf").items():
        (tmp_path / name).write_bytes(data)
    path = tmp_path / "model.gltf"
    assert torch.equal(read_mesh(path).texture, noise(4, 4))
    document = json.loads(path.read_bytes())
    _transformed(scale=[3, 3])(document, b"")
    path.write_text(json.dumps(document))
    with pytest.raises(MeshReadError, match="KHR_texture_transform"):
        read_mesh(path)


@pytest.mark.parametrize(
    ("suffix", "lost"),
    [(".obj", ".mtl"), (".obj", ".png"), (".obj", "usemtl"), (".ply", ".png"), (".ply", "comment")],
)
def test_a_mesh_whose_texture_is_lost_gets_no_grey_one(tmp_path, suffix, lost):
    path = tmp_path / f"ring{suffix}"
    write_mesh(torus(8), path)
    if lost.startswith("."):
        path.with_suffix(lost).unlink()
    else:
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join(line for line in lines if not line.startswith(lost.encode())))
    with pytest.raises(MeshReadError, match="it has no texture, or not on all of its parts"):
        read_mesh(path)
    assert torch.equal(read_mesh(path, texture=to_pil(noise(4, 4))).texture, noise(4, 4))


def test_a_name_of_an_unknown_home_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_mesh(sphere(8), "~nobody-of-this-name.glb")
    assert os.listdir() == ["~nobody-of-this-name.glb"]
    assert len(read_mesh("~nobody-of-this-name.glb").faces) == 48


def test_an_image_takes_the_place_of_a_texture_that_is_missing(tmp_path):
    _exported(tmp_path / "mesh.glb", images=(5, None))
    write_image(noise(6, 9), tmp_path / "paint.png")
    found = read_mesh(tmp_path / "mesh.glb", texture=tmp_path / "paint.png")
    assert torch.equal(found.texture, read_image(tmp_path / "paint.png"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.glb", None, "'none.glb': there is no such file. Check the path."),
        ("mesh.stl", b"solid", r"must end in one of .glb, .gltf, .obj, .ply. Export it as GLB"),
        ("mesh.glb", b"", "Cannot read the mesh 'mesh.glb'"),
        ("mesh.glb", b"glTF" + bytes(40), "Cannot read the mesh 'mesh.glb'"),
        ("mesh.ply", b"ply\nformat ascii 1.0\nelement vertex 9\n", "Cannot read the mesh 'mesh.ply'"),
        ("mesh.obj", b"v 0 0 0\n", "Cannot read the mesh 'mesh.obj'"),
        ("mesh.gltf", b"{}", "Cannot read the mesh 'mesh.gltf'"),
    ],
)
def test_files_that_are_no_meshes_are_refused_in_a_sentence(tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MeshReadError, match=message):
        read_mesh(name)


def test_a_folder_is_no_mesh(tmp_path):
    with pytest.raises(MeshReadError, match="it is a folder"):
        read_mesh(tmp_path)


@pytest.mark.parametrize("name", ["mesh.gltf", "mesh.stl", "mesh"])
def test_other_names_are_not_written(tmp_path, name):
    with pytest.raises(ValueError, match=r"`path` must end in one of \.glb, \.obj, \.ply"):
        write_mesh(sphere(8), tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_mesh_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "ball.glb"
    path.write_bytes(b"mine")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pystyle.images._atomic.os.fsync", full)
    with pytest.raises(OSError, match=r"ball\.glb.*No space left"):
        write_mesh(sphere(8), path)
    assert path.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["ball.glb"]
    with pytest.raises(OSError, match="does not exist"):
        write_mesh(sphere(8), tmp_path / "none" / "ball.glb")
