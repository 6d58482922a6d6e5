"""`~` is the home folder at every entry that takes the name of a file or a folder."""

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, optimize_image
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.evaluation import EagerEvaluation, StoredTargets
from pystyle.images import write_image
from pystyle.networks import AnyStyleNetwork, Stylizer
from pystyle.runner import CSVLogger, JSONLogger, Preview
from pystyle.training import ImageFolder, train

IMAGE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def criterion():
    encoder = SequentialEncoder({"conv": nn.Conv2d(3, 4, 3, padding=1)})
    return Criterion(encoder, {"content": ContentLoss("conv"), "style": GramLoss("conv")})


def run(**options):
    style = IMAGE.flip(2) ** 2
    optimize_image(criterion(), {"content": IMAGE, "style": style}, num_steps=1, **options)


def trained(**options):
    network = AnyStyleNetwork(width=1)
    train(network, criterion(), contents=IMAGE, styles=IMAGE, num_steps=1, batch_size=1, **options)


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    "write",
    [
        lambda: run(checkpoint="~/found"),
        lambda: run(checkpoint=Checkpoints("~/found")),
        lambda: CheckpointFolder("~/found").path.mkdir(),
        lambda: run(callbacks=[CSVLogger("~/found")]),
        lambda: run(callbacks=[JSONLogger("~/found")]),
        lambda: run(callbacks=[Preview("~/found.png", every=1)]),
        lambda: run(evaluation=StoredTargets(EagerEvaluation(), "~/found")),
        lambda: AnyStyleNetwork(width=1).save("~/found.safetensors"),
        lambda: trained(checkpoint="~/found"),
    ],
)
def test_what_is_written_to_the_home_folder_is_there(home, write):
    write()
    assert [path.stem for path in home.iterdir()] == ["found"]
    assert not list((home.parent / "here").iterdir())


def test_what_is_read_from_the_home_folder_is_found(home):
    AnyStyleNetwork(width=1).save(home / "network.safetensors")
    assert Stylizer.load("~/network.safetensors").width == 1
    write_image(IMAGE, home / "photo.png")
    assert ImageFolder("~", crop_size=None).paths == [home / "photo.png"]
    weights = {
        name.removeprefix("stages."): value for name, value in vgg11(weights=None).state_dict().items()
    }
    torch.save({name: value for name, value in weights.items() if name.startswith("conv")}, home / "w.pth")
    loaded = vgg11(weights="~/w.pth").state_dict()
    assert torch.equal(loaded["stages.conv2_1.weight"], weights["conv2_1.weight"])
