"""Names of files that begin with a tilde, and relative ones in a program that moves."""

import os
import pickle
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, Result, optimize_image, stylize
from pystyle.checkpoints import CheckpointFolder, Checkpoints
from pystyle.encoders import SequentialEncoder
from pystyle.encoders._weights import load_weights_file
from pystyle.evaluation import EagerEvaluation, StoredTargets
from pystyle.images import (
    read_flow,
    read_image,
    read_mask,
    read_masks,
    read_metadata,
    write_flow,
    write_image,
    write_masks,
)
from pystyle.jobs import stylize_folder
from pystyle.jobs._recipe import checked
from pystyle.jobs._store import Store
from pystyle.networks import TransformNetwork
from pystyle.runner import CSVLogger, JSONLogger, Preview, TensorBoardLogger
from pystyle.text._folders import weights_folder
from pystyle.training import CropFile, ImageFolder
from pystyle.video import FramePainter, paint_clip, read_clip, write_clip
from pystyle.video._segments import SegmentFolder
from pystyle.video.live import paint_live

IMAGE = torch.full((1, 3, 8, 8), 0.2)
MASK = torch.ones(1, 1, 8, 8)


def image(name):
    write_image(IMAGE, f"{name}.png")
    read_metadata(f"{name}.png")
    return read_image(f"{name}.png")


def mask(name):
    write_image(MASK, f"{name}.png")
    return read_mask(f"{name}.png")


def masks(name):
    write_masks({"sky": MASK}, name)
    return read_masks(name)["sky"]


def flow(name):
    write_flow(torch.zeros(1, 2, 8, 8), f"{name}.flo")
    return read_flow(f"{name}.flo")


def network(name):
    TransformNetwork(width=1).save(f"{name}.safetensors")
    return TransformNetwork.load(f"{name}.safetensors")


def pretrained(name):
    TransformNetwork(width=1).save_pretrained(name)
    return TransformNetwork.from_pretrained(name)


def weights(name):
    torch.save({"bias": torch.ones(1)}, f"{name}.pth")
    return load_weights_file(f"{name}.pth")


def checkpoints(name):
    CheckpointFolder(name).write(1, {"value": 1})
    return CheckpointFolder(Checkpoints(name).folder).newest()


def targets(name):
    criterion = Criterion(SequentialEncoder({"same": nn.Identity()}), {"style": GramLoss("same")})
    StoredTargets(EagerEvaluation(), name).bind(criterion, {"style": IMAGE})
    return os.listdir(name)


def image_folder(name):
    os.mkdir(name)
    write_image(IMAGE, f"{name}/one.png")
    return ImageFolder(name, crop_size=8)[0]


def crops(name):
    CropFile.write(f"{name}.npy", IMAGE, count=1, crop_size=8)
    return CropFile(f"{name}.npy")[0]


def frames(name):
    write_clip(name, [IMAGE], rate=1, format="folder")
    return next(iter(read_clip(name)))


def segments(name):
    os.mkdir(name)
    SegmentFolder(name).write(0, {"value": 1})
    return next(SegmentFolder(name).read())


def text_model(name):
    os.mkdir(name)
    return weights_folder(name)


WAYS = [image, mask, masks, flow, network, pretrained, weights, checkpoints, targets, image_folder, crops]
WAYS += [frames, segments, text_model]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_begins_with_the_tilde_of_nobody_is_written_and_read(way, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert way("~nobody-has-this-name") is not None
    assert all(name.startswith("~nobody-has-this-name") for name in os.listdir(tmp_path))


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_image(IMAGE, tmp_path / "one.png")
    assert torch.equal(read_image("~/one.png"), read_image(tmp_path / "one.png"))
    assert Checkpoints("~/run").folder == tmp_path / "run"


def test_a_run_stays_where_it_began_when_the_program_moves(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    encoder = SequentialEncoder({"same": nn.Identity()})
    criterion = Criterion(encoder, {"content": ContentLoss("same"), "style": GramLoss("same")})
    kept = (CSVLogger("terms.csv"), JSONLogger("terms.jsonl"), TensorBoardLogger("board"))
    optimize_image(
        criterion,
        {"content": IMAGE, "style": IMAGE.square()},
        num_steps=2,
        callbacks=[lambda _: os.chdir(there), *kept, Preview("picture.png", every=1)],
        checkpoint=Checkpoints("run", steps=1),
        evaluation=(evaluation := StoredTargets(EagerEvaluation(), "targets")),
    )
    evaluation.bind(criterion, {"content": IMAGE, "style": IMAGE.sqrt()})
    assert os.listdir(there) == []
    assert {"terms.csv", "terms.jsonl", "board", "picture.png", "run", "targets"} == set(os.listdir(here))
    assert len(list((here / "targets").glob("*.safetensors"))) == 2


@pytest.fixture
def there(tmp_path, monkeypatch):
    """Another folder than the current one, to which programs move."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "there"


def test_the_pictures_of_a_folder_stay_together_when_the_program_moves(there):
    here, seen = Path.cwd(), []
    Path("photos").mkdir()
    for name in ("a", "b"):
        write_image(IMAGE, f"photos/{name}.png")

    def recipe(content, style, targets=None):
        del style
        os.chdir(there)
        seen.append(targets)
        return Result(content, {}, "finished", 0.0)

    report = stylize_folder("photos", IMAGE, "pictures", targets="targets", recipe=recipe)
    assert [entry.output for entry in report.painted] == ["a.png", "b.png"]
    assert report.output == here / "pictures"
    assert seen == [here / "targets"] * 2
    assert os.listdir(there) == []
    assert {"a.png", "b.png", "manifest.jsonl"} <= set(os.listdir(here / "pictures"))


def test_targets_of_a_recipe_stay_where_they_were_named_when_the_program_moves(there):
    here = Path.cwd()
    Path("photos").mkdir()
    for name in ("a", "b"):
        write_image(IMAGE, f"photos/{name}.png")
    encoder = SequentialEncoder({"relu1": nn.ReLU(), "relu2": nn.ReLU()})
    options = {"style_layers": ["relu1"], "content_layer": "relu2", "edge_size": 8, "num_steps": 1}
    recipe = partial(stylize, encoder=encoder, targets="targets", **options)
    stylize_folder("photos", IMAGE.square(), "pictures", recipe=recipe, callbacks=[lambda _: os.chdir(there)])
    assert os.listdir(there) == []
    assert set(os.listdir(here)) == {"photos", "pictures", "targets"}


def test_targets_of_a_recipe_are_those_of_the_process_that_sends_it_to_others():
    sent = pickle.loads(pickle.dumps(checked(partial(stylize, targets="targets"))))
    assert sent.keywords["targets"] == Path.cwd() / "targets"


class Mover(FramePainter):
    """Gives frames as they are, from another folder."""

    def __init__(self, place):
        self.place = str(place)

    def begin(self):
        os.chdir(self.place)

    def paint(self, frames):
        return torch.cat([frame.image for frame in frames])


def write_moved(clip, mover, output):
    def frames():
        mover.begin()
        yield from clip

    write_clip(output, frames(), rate=1)


@pytest.mark.parametrize("name", ["out.gif", "out"])
@pytest.mark.parametrize("paint", [paint_clip, paint_live, write_moved], ids=["whole", "live", "written"])
def test_a_clip_is_written_where_it_was_named_when_the_program_moves(paint, name, there):
    pytest.importorskip("av")
    here = Path.cwd()
    write_clip("clip", [IMAGE], rate=1)
    paint(read_clip("clip"), Mover(there), output=name)
    assert os.listdir(there) == []
    assert set(os.listdir(here)) == {"clip", name}
    assert len(list(read_clip(here / name))) == 1


def test_the_parts_of_a_clip_lie_where_they_were_named_when_the_program_moves(there):
    pytest.importorskip("av")
    here = Path.cwd()
    write_clip("clip", [IMAGE], rate=1)
    paint_clip("clip", Mover(there), "out", checkpoint="parts")
    assert os.listdir(there) == []
    assert set(os.listdir(here)) == {"clip", "out", "parts"}


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(
    "write",
    [
        lambda path: pytest.importorskip("av") and write_clip(path, [IMAGE], rate=1, format="mp4"),
        lambda path: write_clip(path, [IMAGE], rate=1, format="folder"),
        lambda path: CropFile.write(path, IMAGE, count=1, crop_size=8),
        lambda path: TransformNetwork(width=1).save(path),
        lambda path: write_flow(torch.zeros(1, 2, 8, 8), path),
        lambda path: Store(path.parent, label="`output`").write(path.name, b"data"),
    ],
    ids=["clip", "frames", "crops", "network", "flow", "store"],
)
def test_what_is_private_stays_private_when_it_is_replaced(write, tmp_path, request):
    place = tmp_path / "private"
    if "frames" in request.node.name:
        place.mkdir(0o700)
    else:
        place.touch(0o600)
    write(place)
    assert place.stat().st_mode & 0o077 == 0
    assert place.is_dir() or place.stat().st_size


@pytest.mark.parametrize(("name", "kind"), [("clip", "folder"), ("clip.mp4", "mp4"), ("clip.gif", "gif")])
def test_a_clip_is_read_where_it_was_opened(name, kind, tmp_path, monkeypatch):
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    write_clip(name, [IMAGE], rate=1, format=kind)
    clip = read_clip(name)
    monkeypatch.chdir(Path(tmp_path.anchor))
    assert len(list(clip)) == 1
    assert clip.name == name
