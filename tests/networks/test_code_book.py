"""Weights by code books: small files that give ordinary networks."""

import numpy as np
import pytest
import torch

from pystyle.checkpoints import decode, encode
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pretrained
from pystyle.networks._code_book import coded, decoded


def through(weights, bits):
    return decoded(coded({"weight": weights}, bits), {"weight": weights})["weight"]


CONTENT = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))


def masters(width=8):
    torch.manual_seed(0)
    network = TransformNetwork(width=width, styles=["waves", "wheat"])
    torch.nn.init.normal_(network.codes)
    return network.eval()


def test_the_table_is_that_of_k_means_worked_out_by_hand():
    # Four clusters far from each other, each of two numbers, and all rows with the same mean square.
    row = torch.tensor([-9.0, -7.0, -1.5, -0.5, 0.5, 1.5, 7.0, 9.0])
    weights = torch.stack([row, -row, 1000 * row])
    expected = torch.tensor([-8.0, -8.0, -1.0, -1.0, 1.0, 1.0, 8.0, 8.0])
    assert torch.allclose(through(weights, 2), torch.stack([expected, -expected, 1000 * expected]), rtol=1e-3)


@pytest.mark.parametrize(("bits", "most"), [(2, 0.36), (4, 0.105), (6, 0.03), (8, 0.008)])
def test_the_error_of_normal_numbers_is_that_of_the_best_table(bits, most):
    # Max, Quantizing for Minimum Distortion, 1960, table I: mean square errors of 0.1175 and 0.0095 for 4
    # and 16 values; Panter and Dite's 2.72 / values² for many.
    weights = torch.randn(64, 400, generator=torch.Generator().manual_seed(0))
    error = (through(weights, bits) - weights).square().mean().sqrt()
    least = {2: 0.1175, 4: 0.0095, 6: 2.72 / 64**2, 8: 2.72 / 256**2}[bits] ** 0.5
    assert 0.9 * least < error < most


def test_a_layer_with_a_quarter_of_the_weights_has_a_bit_more():
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(64, columns, generator=generator) for name, columns in (("a", 64), ("b", 256))
    }
    # By hand: of 5 parts of weights 4 have half a bit less than the mean of logarithms, so that a has
    # 4 + 0.8 bits, b has 4 - 0.2, and the mean is 4.
    assert coded(weights, 4)["lengths"] == [round(2**4.8), round(2**3.8)]
    assert coded({**weights, "c": torch.randn(64, 16)}, 8)["lengths"][2] == 256


def test_few_numbers_are_kept_as_they_are():
    weights = torch.tensor([0.0, 0.5, -0.5, 2.0]).repeat(3, 400)
    weights[1] = 0
    found = through(weights, 4)
    assert torch.allclose(found, weights, rtol=1e-3)
    assert torch.equal(found[1], weights[1])


def test_indices_take_the_bits_of_huffman_and_no_more():
    weights = torch.randn(64, 1000, generator=torch.Generator().manual_seed(0))
    book = coded({"weight": weights}, 4)
    table, deviations = book["tables"].double(), book["deviations"].double()
    indices = np.searchsorted(
        ((table[1:] + table[:-1]) / 2).numpy(), (weights.double() / deviations[:, None]).numpy().ravel()
    )
    shares = np.bincount(indices, minlength=16) / indices.size
    entropy = -(shares * np.log2(shares)).sum()
    assert entropy <= 8 * book["indices"].numel() / weights.numel() < entropy + 0.1 < 4


@pytest.mark.parametrize("bits", [4, 6])
def test_a_file_is_small_and_gives_the_network(bits, tmp_path):
    network, path = masters(), tmp_path / "net.safetensors"
    network.save(path, bits=bits, card={"licence": "BSD-3-Clause"})
    network.save(tmp_path / "whole.safetensors")
    # What says which weight is where has its bytes, too, and so have tables.
    beside = 9_000
    assert path.stat().st_size < beside + bits / 32 * (tmp_path / "whole.safetensors").stat().st_size
    loaded = Stylizer.load(path)
    assert type(loaded) is TransformNetwork
    assert loaded.card == {"licence": "BSD-3-Clause"}
    assert all(value.dtype == torch.float32 for value in loaded.state_dict().values())
    assert (
        len(loaded.blocks[0].weight.div(loaded.blocks[0].weight.square().mean((1, 2, 3), True)).unique()) > 16
    )
    difference = (loaded.bind("waves")(CONTENT) - network.bind("waves")(CONTENT)).abs().mean()
    assert 0 < difference < {4: 0.05, 6: 0.015}[bits]
    # Saved again it loses nothing more.
    loaded.save(tmp_path / "again.safetensors")
    again = Stylizer.load(tmp_path / "again.safetensors")
    assert torch.equal(again.bind("wheat")(CONTENT), loaded.bind("wheat")(CONTENT))


def test_noise_that_each_network_has_is_not_stored(tmp_path):
    network, path = AnyStyleNetwork(width=2, features="light").eval(), tmp_path / "net.safetensors"
    torch.manual_seed(5)
    network.save(path, bits=6)
    drawn = torch.rand(())
    torch.manual_seed(5)
    assert torch.rand(()) == drawn
    assert path.stat().st_size < network.noise.tile.numel() / 4
    loaded = Stylizer.load(path)
    assert torch.equal(loaded.noise.tile, network.noise.tile)
    # One that was changed is stored.
    network.noise.tile.mul_(2)
    network.save(path, bits=6)
    assert (Stylizer.load(path).noise.tile - network.noise.tile).square().mean().sqrt() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["masters", "any-style", "any-style-light"])
def test_a_shipped_network_with_six_bits_paints_nearly_the_same(name, tmp_path):
    network = pretrained(name)
    network.save(tmp_path / "net.safetensors", bits=6)
    network.save(tmp_path / "whole.safetensors")
    loaded = Stylizer.load(tmp_path / "net.safetensors")
    sizes = [(tmp_path / f"{which}.safetensors").stat().st_size for which in ("net", "whole")]
    assert sizes[0] < 0.2 * sizes[1]
    coarse = torch.rand(2, 3, 6, 7, generator=torch.Generator().manual_seed(1))
    style, content = torch.nn.functional.interpolate(coarse, (96, 120), mode="bicubic").clamp(0, 1)[:, None]
    chosen = network.styles[0] if network.styles else style
    difference = (loaded.bind(chosen)(content) - network.bind(chosen)(content)).abs().mean()
    assert difference < 0.03


def test_a_file_that_was_changed_is_refused(tmp_path):
    network, path = masters(4), tmp_path / "net.safetensors"
    network.save(path, bits=4)
    state = decode(path.read_bytes())
    for key, value in (
        ("names", state["book"]["names"][:-1]),
        ("tables", state["book"]["tables"][:-3]),
        ("lengths", state["book"]["lengths"][:-1]),
        ("packed", state["book"]["packed"][::-1]),
        ("indices", torch.zeros(9, dtype=torch.uint8)),
        ("indices", state["book"]["indices"][:99]),
        ("deviations", torch.ones(3)),
    ):
        path.write_bytes(b"".join(encode({**state, "book": {**state["book"], key: value}})))
        with pytest.raises(ValueError, match=r"`path` must be a file with a network.* Its weights "):
            Stylizer.load(path)


def test_wrong_arguments_are_explained(tmp_path):
    network, path = masters(2), tmp_path / "net.safetensors"
    with pytest.raises(ValueError, match=r"`bits` must be .*got 9"):
        network.save(path, bits=9)
    network.output.bias.data[0] = float("nan")
    with pytest.raises(ValueError, match=r"must be finite for `bits`, but 'output.bias' is not"):
        network.save(path, bits=6)
    assert not path.exists()
