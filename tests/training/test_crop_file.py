"""Crops in one file, drawn as a training draws them."""

import copy
import errno
import pickle
from functools import partial

import numpy as np
import pytest
import torch

from pystyle import ContentLoss, Criterion
from pystyle.encoders import vgg11
from pystyle.networks import TransformNetwork
from pystyle.training import CropFile, train
from pystyle.training._draws import Draws

IMAGES = torch.rand(5, 3, 20, 24, generator=torch.Generator().manual_seed(0))


def test_it_has_the_crops_that_a_training_draws_as_bytes(tmp_path):
    crops = CropFile.write(tmp_path / "c.npy", IMAGES, count=7, crop_size=16, seed=3)
    draws = Draws(IMAGES, (3, 0), label="images")
    assert len(crops) == 7
    for index in range(7):
        expected = (draws.image(index, 16) * 255).round() / 255
        assert torch.equal(crops[index], expected)


def test_the_file_is_one_of_numpy_and_as_large_as_its_bytes(tmp_path):
    CropFile.write(tmp_path / "c.npy", IMAGES, count=4, crop_size=16)
    array = np.load(tmp_path / "c.npy")
    assert array.shape == (4, 3, 16, 16)
    assert array.dtype == np.uint8
    assert (tmp_path / "c.npy").stat().st_size - array.nbytes in range(64, 256)


def test_a_crop_is_its_own_and_not_a_view_of_the_file(tmp_path):
    crops = CropFile.write(tmp_path / "c.npy", IMAGES, count=2, crop_size=16)
    before = crops[0]
    crops[0].zero_()
    assert torch.equal(crops[0], before)


def test_a_process_gets_the_path_and_not_the_crops(tmp_path):
    crops = CropFile.write(tmp_path / "c.npy", IMAGES, count=5, crop_size=16)
    sent = pickle.dumps(crops)
    assert len(sent) < 500
    assert torch.equal(pickle.loads(sent)[4], crops[4])


def test_copies_map_the_file_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CropFile.write("c.npy", IMAGES, count=2, crop_size=16)
    crops = CropFile("c.npy")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert torch.equal(copy.deepcopy(crops)[1], crops[1])
    assert torch.equal(pickle.loads(pickle.dumps(crops))[1], crops[1])


def test_an_archive_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "c.npz", crops=np.zeros((2, 3, 4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"`CropFile\.write` has written, got .* It is an archive of arrays"):
        CropFile(tmp_path / "c.npz")


def test_trainings_know_it_by_its_crops_and_not_by_its_place(tmp_path):
    crops = CropFile.write(tmp_path / "c.npy", IMAGES, count=4, crop_size=16)
    (tmp_path / "c.npy").rename(tmp_path / "moved.npy")
    criterion = Criterion(vgg11(weights=None), {"content": ContentLoss("relu1_1")})

    def trained(contents, num_steps=2):
        torch.manual_seed(0)
        return train(
            TransformNetwork(width=1),
            criterion,
            contents=contents,
            styles=IMAGES[:1],
            num_steps=num_steps,
            batch_size=2,
            optimizer=partial(torch.optim.Adam, lr=1e-3),
            checkpoint=tmp_path / "state",
            resume=True,
        )

    assert trained(crops).stop_reason == "finished"
    assert trained(CropFile(tmp_path / "moved.npy")).stop_reason == "finished"
    others = CropFile.write(tmp_path / "others.npy", IMAGES, count=4, crop_size=16, seed=1)
    with pytest.raises(ValueError, match="contents"):
        trained(others)


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, monkeypatch):
    CropFile.write(tmp_path / "c.npy", IMAGES, count=2, crop_size=16)

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        CropFile.write(tmp_path / "c.npy", IMAGES, count=9, crop_size=16)
    assert len(CropFile(tmp_path / "c.npy")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["c.npy"]


def test_data_that_fail_leave_nothing_behind(tmp_path):
    bad = [IMAGES[0], IMAGES[1] * 3 - 1]
    with pytest.raises(ValueError, match="`images` must give images"):
        CropFile.write(tmp_path / "c.npy", bad, count=2, crop_size=16)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"crops", b"\x93NUMPY\x01\x00"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "c.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"`path` must be a file that `CropFile\.write` has written, got"):
        CropFile(tmp_path / "c.npy")


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 3, 8, 8), np.float32), np.zeros((2, 8, 8, 3), np.uint8), np.array([{}], dtype=object)],
    ids=["floats", "channels-last", "objects"],
)
def test_arrays_of_another_kind_are_refused(tmp_path, array):
    np.save(tmp_path / "c.npy", array, allow_pickle=True)
    with pytest.raises(ValueError, match=r"`path` must be a file that `CropFile\.write` has written, got"):
        CropFile(tmp_path / "c.npy")


@pytest.mark.parametrize(
    ("options", "text"),
    [({"count": 0}, "`count` must"), ({"crop_size": 0}, "`crop_size` must"), ({"seed": -1}, "`seed`")],
)
def test_impossible_numbers_are_refused(tmp_path, options, text):
    with pytest.raises(ValueError, match=text):
        CropFile.write(tmp_path / "c.npy", IMAGES, **{"count": 2, "crop_size": 16, **options})
    with pytest.raises(ValueError, match="at least one image"):
        CropFile.write(tmp_path / "c.npy", [], count=2, crop_size=16)
