"""Pruned networks are small, and paint the same where what was cut was dead."""

import pytest
import torch

from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pruned

CONTENT = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))
# Of each layer of a network of width 4: its own channels, and those that are dead.
WIDTHS = (4, 8, 16, 16, 16, 16, 16, 16, 8, 4)
DEAD = (1, 3, 5, 0, 2, 4, 6, 8, 3, 2)


def network_with_dead_channels(shift=0.0):
    torch.manual_seed(0)
    network = TransformNetwork(width=4, styles=["waves", "wheat"])
    with torch.no_grad():
        network.codes[:, 0].uniform_(0.5, 1.5)
        network.codes[:, 1].uniform_(-0.5, 0.5)
        # What each norm belongs to: the blocks are added up in the third layer.
        layers = [0, 1, 2, *(layer for inside in (3, 4, 5, 6, 7) for layer in (inside, 2)), 8, 9]
        at = 0
        for layer in layers:
            dead = slice(at, at + DEAD[layer])
            network.codes[:, 0, dead] = 0
            network.codes[:, 1, dead] = shift
            at += WIDTHS[layer]
        assert at == network.codes.shape[2]
    return network.eval()


@pytest.mark.parametrize("shift", [0.0, 0.7, -0.3])
def test_channels_that_are_dead_are_cut_out_and_the_picture_stays(shift):
    network = network_with_dead_channels(shift)
    share = sum(DEAD) / sum(WIDTHS)
    small = pruned(network, share)
    assert small.width == tuple(width - dead for width, dead in zip(WIDTHS, DEAD, strict=True))
    assert small.down[0].weight.shape == (3, 3, 9, 9)
    assert small.blocks[2].weight.shape == (14, 11, 3, 3)
    for style in ("waves", [("waves", 1.0), ("wheat", 2.0)]):
        difference = (small.bind(style)(CONTENT) - network.bind(style)(CONTENT)).abs().max()
        assert difference < 1e-4


def test_what_matters_is_seen_in_the_picture():
    # The same number of channels, but not the dead ones: it is another picture.
    network = network_with_dead_channels()
    share = sum(DEAD) / sum(WIDTHS)
    with torch.no_grad():
        other = network_with_dead_channels()
        other.codes[:, 0] = torch.where(other.codes[:, 0] == 0, 1.0, other.codes[:, 0])
    style = "waves"
    difference = (pruned(other, share).bind(style)(CONTENT) - other.bind(style)(CONTENT)).abs().max()
    assert difference > 0.01
    assert sum(pruned(network, share).width) == sum(pruned(other, share).width)


def test_the_channels_with_the_least_scales_go():
    torch.manual_seed(0)
    network = TransformNetwork(width=4)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.fill_(1.0)
        # Of the first layer the second channel; all others are alike.
        network.codes[:, 0, 1] = 0.1
    small = pruned(network, 1 / sum(WIDTHS))
    assert small.width == (3, *WIDTHS[1:])
    assert torch.equal(small.codes[0, 0, :3], torch.ones(3))
    assert torch.equal(small.down[0].bias, network.down[0].bias[[0, 2, 3]])


def test_each_layer_keeps_a_quarter():
    torch.manual_seed(0)
    small = pruned(TransformNetwork(width=4), 0.99)
    assert small.width == tuple(width // 4 for width in WIDTHS)
    assert small.bind("style")(CONTENT).shape == CONTENT.shape


def test_nothing_may_go_and_the_original_stays_as_it_was():
    network = network_with_dead_channels()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    same = pruned(network, 0)
    assert torch.equal(same.bind("wheat")(CONTENT), network.bind("wheat")(CONTENT))
    pruned(network, 0.5)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_pruned_network_is_a_network_like_others(tmp_path):
    network = network_with_dead_channels()
    network.card = {"licence": "BSD-3-Clause"}
    small = pruned(network, 0.4)
    small.save(tmp_path / "small.safetensors")
    loaded = Stylizer.load(tmp_path / "small.safetensors")
    assert loaded.width == small.width
    assert loaded.card == network.card
    assert torch.equal(loaded.bind("wheat")(CONTENT), small.bind("wheat")(CONTENT))
    more = small.with_styles_of(small.for_new_styles(["stars"]))
    assert more.styles == ("waves", "wheat", "stars")
    assert more.width == small.width
    assert sum(pruned(small, 0.2).width) < sum(small.width)


def test_wrong_arguments_are_explained():
    with pytest.raises(TypeError, match="`network` must be a TransformNetwork, got a AnyStyleNetwork"):
        pruned(AnyStyleNetwork(width=2, features="light"), 0.3)
    with pytest.raises(ValueError, match=r"`share` must be in \[0, 1\), got 1"):
        pruned(TransformNetwork(width=2), 1)
    with pytest.raises(ValueError, match=r"`width` must be one number, or one of each of 10 layers.*got 3"):
        TransformNetwork(width=(4, 8, 16))
    with pytest.raises(ValueError, match=r"`width\[1\]` must be at least 1, got 0"):
        TransformNetwork(width=(4, 0, *WIDTHS[2:]))
