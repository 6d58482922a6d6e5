"""What a training sees is a function of the seed and the step."""

import random

import pytest
import torch
from PIL import Image

from pystyle.images import ImageReadError, write_image
from pystyle.training import ImageFolder, Phase
from pystyle.training._batches import Batches
from pystyle.training._draws import Draws

IMAGES = torch.rand(5, 3, 20, 24, generator=torch.Generator().manual_seed(0))


class Noisy:
    """A dataset that draws from torch's global generator, as the transforms of torchvision do."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return IMAGES[index] * torch.rand(()), index


def test_each_image_comes_once_before_one_comes_twice():
    draws = Draws(IMAGES, (7,), label="contents")
    epochs = [[draws.index(5 * epoch + place) for place in range(5)] for epoch in range(4)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_what_data_draw_depends_on_the_position_and_not_on_what_was_drawn_before():
    draws = Draws(Noisy(), (7,), label="contents")
    first = [draws.image(position, 8) for position in range(6)]
    state = torch.get_rng_state()
    for position in random.Random(0).sample(range(6), 6):
        assert torch.equal(draws.image(position, 8), first[position])
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(Draws(Noisy(), (8,), label="contents").image(0, 8), first[0])


def test_small_images_are_enlarged_to_the_crop():
    assert Draws(IMAGES, (0,), label="contents").image(0, 32).shape == (3, 32, 32)


@pytest.mark.parametrize(
    "item", [Image.new("RGB", (9, 8), (255, 0, 0)), torch.rand(1, 3, 8, 9), (torch.rand(3, 8, 9), 4)]
)
def test_data_may_give_images_of_any_kind(item):
    assert Draws([item], (0,), label="contents").image(0, None).shape == (3, 8, 9)


@pytest.mark.parametrize(
    ("item", "error", "text"),
    [
        (
            IMAGES[0] * 255,
            ValueError,
            r"`contents` must give images of shape \(3, height, width\). .*\[0, 1\]",
        ),
        (torch.zeros(4, 8, 8), (TypeError, ValueError), "`contents` must give images"),
        (3, TypeError, "`contents` must give images"),
    ],
)
def test_what_is_no_image_is_refused(item, error, text):
    with pytest.raises(error, match=text):
        Draws([item], (0,), label="contents").image(0, None)


def test_a_batch_of_different_sizes_needs_crops():
    draws = Draws([IMAGES[0], IMAGES[1, :, :16]], (0,), label="contents")
    with pytest.raises(
        ValueError, match="images of one size, because a batch is one tensor, got 16 x 24 and 20 x 24"
    ):
        draws.batch([0, 1], None)
    assert draws.batch([0, 1], 16).shape == (2, 3, 16, 16)


def batches(**options):
    phases = [Phase(3, crop_size=8, identity=True), Phase(4, crop_size=16, batch_size=2), Phase(2)]
    contents, styles = (Draws(IMAGES, (seed,), label="images") for seed in (1, 2))
    return Batches(contents, styles, **{"num_styles": 0, "phases": phases, "batch_size": 4, **options})


def test_phases_say_what_a_step_sees():
    found = batches()
    assert len(found) == 9
    assert (found[2].contents.shape, found[2].styles) == ((4, 3, 8, 8), None)
    assert (found[3].contents.shape, found[3].styles.shape) == ((2, 3, 16, 16), (2, 3, 16, 16))
    assert found[8].contents.shape == (4, 3, 20, 24)


def test_no_position_is_drawn_twice():
    found = batches()
    positions = [position for step in range(9) for position in found._positions(step)]
    assert positions == list(range(3 * 4 + 4 * 2 + 2 * 4))


def test_processes_share_the_batch():
    whole = batches()
    parts = [batches(rank=rank, num_ranks=2) for rank in range(2)]
    for step in range(9):
        joined = torch.cat([part[step].contents for part in parts])
        assert torch.equal(joined, whole[step].contents)


def test_learned_styles_take_turns():
    phases = [Phase(3)]
    found = Batches(Draws(IMAGES, (0,), label="c"), None, num_styles=3, phases=phases, batch_size=4)
    assert [found[step].styles for step in range(3)] == [[0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2]]


class TestImageFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "deeper").mkdir()
        write_image(torch.rand(1, 3, 40, 60), tmp_path / "b.png")
        write_image(torch.rand(1, 3, 30, 20), tmp_path / "deeper" / "a.jpg")
        (tmp_path / "notes.txt").write_text("no image")
        return tmp_path

    def test_it_finds_the_images_in_the_order_of_their_names(self, folder):
        assert [path.name for path in ImageFolder(folder).paths] == ["b.png", "a.jpg"]

    def test_whole_images_keep_their_sizes(self, folder):
        whole = ImageFolder(folder, crop_size=None, mirror=False)
        assert [tuple(whole[index].shape) for index in range(2)] == [(3, 40, 60), (3, 30, 20)]

    def test_crops_are_of_one_size_and_of_any_place(self, folder):
        torch.manual_seed(0)
        crops = [ImageFolder(folder, crop_size=16)[0] for _ in range(8)]
        assert {tuple(crop.shape) for crop in crops} == {(3, 16, 16)}
        assert len({float(crop.sum()) for crop in crops}) == 8

    def test_in_memory_the_pictures_are_the_same(self, folder):
        for index in range(2):
            crops = []
            for in_memory in (False, True):
                torch.manual_seed(3)
                crops.append(ImageFolder(folder, crop_size=16, in_memory=in_memory)[index])
            assert torch.allclose(*crops, atol=1e-6)

    def test_images_that_are_too_large_are_refused_one_by_one(self, folder):
        found = ImageFolder(folder, crop_size=16, max_pixels=1_000)
        assert found[1].shape == (3, 16, 16)
        with pytest.raises(ImageReadError, match="pass `max_pixels=2400`"):
            found[0]

    def test_it_finds_the_formats_that_can_be_read(self, folder):
        (folder / "b.png").rename(folder / "b.JFIF")
        assert [path.name for path in ImageFolder(folder).paths] == ["b.JFIF", "a.jpg"]

    def test_what_begins_with_a_dot_is_no_picture(self, folder):
        (folder / "._b.png").write_bytes(b"what a Mac keeps beside a picture")
        (folder / ".thumbnails").mkdir()
        write_image(torch.rand(1, 3, 8, 8), folder / ".thumbnails" / "b.png")
        assert [path.name for path in ImageFolder(folder).paths] == ["b.png", "a.jpg"]
        assert len(ImageFolder(folder / ".thumbnails")) == 1

    def test_it_is_read_from_any_folder(self, folder, monkeypatch):
        monkeypatch.chdir(folder)
        photos = ImageFolder(".", crop_size=16)
        monkeypatch.chdir("deeper")
        assert photos[1].shape == (3, 16, 16)

    def test_augmentation_sees_the_crop(self, folder):
        dark = ImageFolder(folder, crop_size=16, augment=lambda crop: crop * 0)
        assert not dark[0].any()

    def test_what_is_no_folder_of_images_is_refused(self, folder, tmp_path):
        with pytest.raises(NotADirectoryError, match="`folder` must be a folder with images"):
            ImageFolder(folder / "none")
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match="must have images in it"):
            ImageFolder(tmp_path / "empty")
        with pytest.raises(ValueError, match="from the smallest to the largest"):
            ImageFolder(folder, scales=(2.0, 1.0))
        with pytest.raises(IndexError, match="has 2 images, got the index 2"):
            ImageFolder(folder)[2]
