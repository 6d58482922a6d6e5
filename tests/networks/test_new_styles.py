"""A network learns a further style by its scales and shifts alone."""

import pytest
import torch

from pystyle import Criterion, GramLoss
from pystyle.encoders import vgg11
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, pruned
from pystyle.training import train

PHOTOS, PAINTING = torch.rand(2, 3, 32, 32), torch.rand(1, 3, 32, 32)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = TransformNetwork(width=2, styles=["waves", "wheat"])
    with torch.no_grad():
        network.codes.add_(torch.randn(network.codes.shape))
    return network


def trained(new):
    criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu1_1")})
    return train(new, criterion, contents=PHOTOS, styles=PAINTING, num_steps=3, batch_size=2).network


def test_it_begins_between_those_that_are_known(network):
    new = network.for_new_styles(["stars"])
    assert torch.allclose(new.codes[0], network.codes.mean(0))
    assert all(weight.requires_grad for weight in network.parameters())


def test_training_changes_nothing_else(network):
    new = network.for_new_styles(["stars"])
    before = {name: weight.clone() for name, weight in new.state_dict().items()}
    after = trained(new).state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["codes"]


def test_the_joined_network_paints_all_styles_as_before(network):
    new = trained(network.for_new_styles(["stars"]))
    joined = network.with_styles_of(new)
    assert joined.styles == ("waves", "wheat", "stars")
    for name in network.styles:
        assert torch.equal(joined.bind(name)(PHOTOS), network.bind(name)(PHOTOS))
    # The trained one has its channels last, and adds up in another order.
    assert torch.allclose(joined.bind("stars")(PHOTOS), new.bind("stars")(PHOTOS), atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_card_and_the_mode_come_along(network, training):
    network.card = {"licence": "CC0"}
    new = network.train(training).for_new_styles(["stars"])
    for made in (new, network.with_styles_of(new)):
        assert made.card == {"licence": "CC0"}
        assert made.card is not network.card
        assert made.training is training


def test_a_network_of_float64_keeps_its_weights(network):
    network = network.double()
    with torch.no_grad():
        network.codes.add_(1e-12)
    joined = network.with_styles_of(network.for_new_styles(["stars"]))
    assert torch.equal(joined.codes[:2], network.codes)


def test_the_joined_network_is_saved_like_any_other(network, tmp_path):
    joined = network.with_styles_of(network.for_new_styles(["stars"]))
    joined.save(tmp_path / "joined.safetensors")
    loaded = TransformNetwork.load(tmp_path / "joined.safetensors")
    assert torch.equal(loaded.bind("stars")(PHOTOS), joined.bind("stars")(PHOTOS))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: TransformNetwork(width=2, styles=["stars"]), "has other weights"),
        (lambda: TransformNetwork(width=3, styles=["stars"]), "has other weights"),
        (lambda: AnyStyleNetwork(width=2), "has other weights"),
    ],
)
def test_another_network_is_refused(network, other, message):
    with pytest.raises(ValueError, match=message):
        network.with_styles_of(other())


def test_a_name_that_is_there_already_is_refused(network):
    with pytest.raises(ValueError, match="`styles` must be different names"):
        network.with_styles_of(network.for_new_styles(["waves"]))


@pytest.mark.parametrize(
    "make",
    [
        lambda network, _: network.for_new_styles(["stars"]),
        lambda network, _: network.with_styles_of(network.for_new_styles(["stars"])),
        lambda network, _: pruned(network, 0.5),
        lambda _, path: Stylizer.load(path),
    ],
    ids=["for_new_styles", "with_styles_of", "pruned", "load"],
)
def test_a_network_whose_weights_are_known_draws_none(network, make, tmp_path):
    network.save(tmp_path / "network.safetensors")
    before = torch.get_rng_state()
    make(network, tmp_path / "network.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    # A new one draws its weights.
    first, second = (TransformNetwork(width=2).output.weight for _ in range(2))
    assert not torch.equal(first, second)
