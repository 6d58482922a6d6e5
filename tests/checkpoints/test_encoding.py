"""States as bytes: what goes in comes out, and what was changed on the way is refused."""

import hashlib
import io
import json
import math
import pickle

import pytest
import torch

from pystyle.checkpoints import CheckpointError, decode, encode

STATE = {
    "step": 12,
    "name": "relu1_1 ü",
    "nothing": None,
    "flag": True,
    "numbers": [0.1, 1e-300, -3, math.inf],
    "betas": (0.9, 0.99),
    "nested": {0: {"exp_avg": torch.arange(6.0).reshape(2, 3)}, "empty": {}, "list": [], "pair": ()},
    "finite": torch.ones((), dtype=torch.bool),
    "generator": torch.Generator().manual_seed(3).get_state(),
    "none of them": torch.zeros(0, 4),
}


def bytes_of(state) -> bytes:
    return b"".join(encode(state))


def test_a_state_comes_back_as_it_was():
    found = decode(bytes_of(STATE))
    assert list(found) == list(STATE)
    assert {name: found[name] for name in ("step", "name", "nothing", "flag", "numbers", "betas")} == {
        name: STATE[name] for name in ("step", "name", "nothing", "flag", "numbers", "betas")
    }
    assert found["flag"] is True
    assert found["nested"]["empty"] == {}
    assert (found["nested"]["list"], found["nested"]["pair"]) == ([], ())
    assert torch.equal(found["nested"][0]["exp_avg"], torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))
    assert found["finite"].shape == ()
    assert found["none of them"].shape == (0, 4)
    drawn = torch.rand(3, generator=torch.Generator().set_state(found["generator"]))
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize(
    "state",
    [
        {"a.b": torch.tensor(1.0), "a": {"b": torch.tensor(2.0), "b'": torch.tensor(3.0)}},
        {"a": {0: torch.tensor(1.0), "0": torch.tensor(2.0)}},
        {"a": [torch.tensor(1.0)], "a.0": torch.tensor(2.0)},
        {"a.b'": torch.tensor(1.0), "a.b": torch.tensor(2.0), "a": {"b": torch.tensor(3.0)}},
    ],
)
def test_tensors_whose_places_read_the_same_are_told_apart(state):
    def numbers(value):
        if isinstance(value, torch.Tensor):
            return float(value)
        return {
            key: numbers(item)
            for key, item in (value if isinstance(value, dict) else dict(enumerate(value))).items()
        }

    assert numbers(decode(bytes_of(state))) == numbers(state)


def test_every_bit_of_a_number_comes_back():
    numbers = [0.1 + 0.2, 2.0**-1074, math.pi * 1e200, -0.0]
    found = decode(bytes_of({"numbers": numbers, "none": math.nan}))
    assert [number.hex() for number in found["numbers"]] == [number.hex() for number in numbers]
    assert math.isnan(found["none"])


@pytest.mark.parametrize(
    "name",
    [
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "complex64",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
    ],
)
def test_every_type_comes_back_bit_by_bit(name):
    dtype = getattr(torch, name)
    bits = torch.randint(0, 2, (5, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    tensor = (bits * 251).view(dtype)
    found = decode(bytes_of({"a": torch.ones(3, dtype=torch.uint8), "b": tensor}))["b"]
    assert found.dtype == dtype
    assert torch.equal(found.view(torch.uint8), tensor.view(torch.uint8))


def test_views_come_back_with_their_values_and_share_no_memory():
    base = torch.arange(12.0).reshape(3, 4)
    data = bytearray(bytes_of({"transposed": base.T, "expanded": torch.ones(1, 1).expand(3, 2)}))
    found = decode(data)
    data[:] = bytes(len(data))
    assert torch.equal(found["transposed"], base.T)
    assert torch.equal(found["expanded"], torch.ones(3, 2))


def test_safetensors_can_read_it(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    state = {"small": torch.tensor([True]), "image": torch.rand(1, 3, 5, 7), "half": torch.rand(3).bfloat16()}
    (tmp_path / "state.safetensors").write_bytes(bytes_of(state))
    found = safetensors.load_file(tmp_path / "state.safetensors")
    assert all(torch.equal(found[f"state.{name}"], tensor) for name, tensor in state.items())


def test_each_flipped_bit_is_found():
    data = bytes_of({"image": torch.rand(3), "betas": (0.9, 0.99)})
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(CheckpointError):
            decode(damaged)


def test_each_cut_is_found():
    data = bytes_of({"image": torch.rand(3)})
    for length in range(len(data)):
        with pytest.raises(CheckpointError):
            decode(data[:length])
    with pytest.raises(CheckpointError, match="SHA-256"):
        decode(data + b"\0")


class Marker:
    def __reduce__(self):
        return (pytest.fail, ("The pickle was run.",))


def test_what_could_run_code_is_no_checkpoint(tmp_path):
    torch.save({"state": torch.zeros(1)}, tmp_path / "file.pt")
    archive = io.BytesIO()
    pickle.dump(Marker(), archive)
    for data in (archive.getvalue(), (tmp_path / "file.pt").read_bytes(), b"", b"\x80"):
        with pytest.raises(CheckpointError, match="It is no checkpoint"):
            decode(data)


def test_another_file_of_safetensors_is_no_checkpoint():
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    with pytest.raises(CheckpointError, match="It is no checkpoint"):
        decode(len(header).to_bytes(8, "little") + header + bytes(4))


@pytest.mark.parametrize("digest", ["\ud800", 5, None, ["0" * 64]])
def test_a_digest_that_is_none_makes_no_checkpoint(digest):
    metadata = {"format": "pystyle checkpoint 1", "sha256": digest, "state": "{}"}
    header = json.dumps({"__metadata__": metadata}).encode()
    with pytest.raises(CheckpointError, match="It is no checkpoint"):
        decode(len(header).to_bytes(8, "little") + header)


def test_a_format_of_another_version_is_named():
    header = json.dumps({"__metadata__": {"format": "pystyle checkpoint 7", "sha256": "", "state": ""}})
    with pytest.raises(CheckpointError, match="format 'pystyle checkpoint 7', and this version reads"):
        decode(len(header).to_bytes(8, "little") + header.encode())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": [object()]}, r"cannot hold a object, which is at `state\.a\.0`"),
        ({"a": {(1, 2): 3}}, r"cannot hold the key \(1, 2\), which is in `state\.a`"),
        (
            {"a": torch.zeros(1, dtype=torch.complex128)},
            r"tensor of torch\.complex128, which is at `state\.a`",
        ),
    ],
)
def test_what_a_checkpoint_cannot_hold_is_named(state, message):
    with pytest.raises(TypeError, match=message):
        encode(state)


def signed(table, tree) -> bytes:
    """A file whose SHA-256 is right, whatever is in it: anybody can compute one."""
    metadata = {"format": "pystyle checkpoint 1", "sha256": "0" * 64, "state": tree}
    header = json.dumps({"__metadata__": metadata, **table}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(16)
    digest = hashlib.sha256(data).hexdigest()
    return data.replace(b"0" * 64, digest.encode(), 1)


GOOD = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


def test_a_file_that_was_written_by_hand_is_read():
    found = decode(signed({"a": GOOD}, '{"dict": [["image", {"tensor": "a"}]]}'))
    assert torch.equal(found["image"], torch.zeros(4))


@pytest.mark.parametrize(
    ("entry", "tree"),
    [
        ({**GOOD, "data_offsets": [0, 17]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": [-4, 12]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": [8, 4]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": ["0", "16"]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": [0.0, 16.0]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": [0, 15]}, '{"dict": []}'),
        ({**GOOD, "data_offsets": 0}, '{"dict": []}'),
        ({**GOOD, "shape": [5]}, '{"dict": []}'),
        ({**GOOD, "shape": [2**70]}, '{"dict": []}'),
        ({**GOOD, "shape": "many"}, '{"dict": []}'),
        ({**GOOD, "dtype": "F128"}, '{"dict": []}'),
        ({**GOOD, "dtype": ["F32"]}, '{"dict": []}'),
        ({}, '{"dict": []}'),
        ([], '{"dict": []}'),
        (GOOD, '{"dict": [["a", {"tensor": "b"}]]}'),
        (GOOD, '{"dict": [["a", {"call": ["os.system", "true"]}]]}'),
        (GOOD, '{"dict": [["a"]]}'),
        (GOOD, '{"dict": [[["a"], 1]]}'),
        (GOOD, '{"dict": 3}'),
        (GOOD, '{"dict": [], "list": []}'),
        (GOOD, '{"list": []}'),
        (GOOD, "[]"),
        (GOOD, "not JSON"),
        (GOOD, None),
        (GOOD, 5),
        (GOOD, '{"list": [' * 100_000),
    ],
)
def test_parts_that_do_not_fit_are_refused_however_they_came_there(entry, tree):
    with pytest.raises(CheckpointError, match="Its parts do not fit each other"):
        decode(signed({"a": entry}, tree))
