"""torch's default type and device do not change what the functions of the papers make of images."""

import pytest
import torch

from pystyle.papers import chen_2018, gatys_2017, huang_2017, johnson_2016, li_fang_2017, ruder_2016

PHOTO = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
STYLE = PHOTO.flip(2).square()

FUNCTIONS = {
    "edges": lambda: chen_2018.edges(PHOTO, low=0.5, high=1.0),
    "smoothed edges": lambda: chen_2018.smoothed_edges(PHOTO),
    "gray": lambda: chen_2018.gray(PHOTO),
    "coral": lambda: huang_2017.coral(STYLE, PHOTO),
    "recoloured": lambda: gatys_2017.recoloured(PHOTO, STYLE, preserve="colors")[1],
    "luminance": lambda: gatys_2017.recoloured(PHOTO, STYLE, preserve="luminance")[1],
    "median": lambda: johnson_2016.median_filter(PHOTO),
}
EXPECTED = {name: function() for name, function in FUNCTIONS.items()}


@pytest.mark.usefixtures("dtype")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_default_type_changes_nothing(name):
    assert torch.equal(FUNCTIONS[name](), EXPECTED[name])


@pytest.mark.usefixtures("no_device")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_default_device_changes_nothing(name):
    assert torch.equal(FUNCTIONS[name](), EXPECTED[name])


@pytest.fixture(scope="module")
def raft(tmp_path_factory):
    """A file of weights for RAFT, with its state."""
    from torchvision.models.optical_flow import raft_small

    with torch.random.fork_rng(devices=[]):
        state = raft_small(weights=None).state_dict()
    path = tmp_path_factory.mktemp("raft") / "raft.pth"
    torch.save(state, path)
    return path, state


@pytest.mark.slow
def test_the_default_type_rounds_no_network_that_is_filled(raft):
    path, state = raft
    level = li_fang_2017.Reconstruction(level=1, weights=None)
    torch.set_default_dtype(torch.bfloat16)
    try:
        flow = ruder_2016.RAFTFlow(path, network="small").network.state_dict()
        network = li_fang_2017.joined([level])
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(flow[name], value) for name, value in state.items())
    decoder = network.decoders[0].state_dict()
    assert all(torch.equal(decoder[name], value) for name, value in level.decoder.state_dict().items())


@pytest.mark.slow
@pytest.mark.usefixtures("no_device")
def test_a_published_network_is_moved_to_the_default_device(raft):
    flow = ruder_2016.RAFTFlow(raft[0], network="small")
    assert {tensor.device.type for tensor in flow.state_dict().values()} == {"meta"}
