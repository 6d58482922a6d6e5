from functools import partial

import pytest
import torch

from pystyle import MaskedImage
from pystyle.images import (
    ImageReadError,
    masks_from_segmentation,
    read_mask,
    read_masks,
    segmentation_from_masks,
    write_image,
    write_masks,
)

LEFT = torch.zeros(1, 1, 3, 5)
LEFT[..., :2] = 1
MASKS = {"left": LEFT, "right": 1 - LEFT}


def test_masks_come_back_from_a_folder(tmp_path) -> None:
    soft = {"left": LEFT * 0.6, "right": 1 - LEFT.bool().float()}
    write_masks(soft, tmp_path / "new")
    (tmp_path / "new" / "notes.txt").write_text("not a mask")
    found = read_masks(tmp_path / "new")
    assert list(found) == ["left", "right"]
    for name, mask in found.items():
        assert torch.equal(mask, soft[name])
    MaskedImage(torch.rand(1, 3, 3, 5), found)


def test_a_mask_that_is_too_large_is_refused_unless_it_is_allowed(tmp_path) -> None:
    write_masks({"left": LEFT}, tmp_path)
    for read in (partial(read_mask, tmp_path / "left.png"), partial(read_masks, tmp_path)):
        with pytest.raises(ImageReadError, match=r"5 x 3 = 15 pixels, more than 14.*`max_pixels=15`"):
            read(max_pixels=14)
        read(max_pixels=15)


def test_boolean_masks_can_be_written(tmp_path) -> None:
    write_masks({"left": LEFT.bool()}, tmp_path)
    assert torch.equal(read_masks(tmp_path)["left"], LEFT)


def test_a_coloured_file_is_no_mask(tmp_path) -> None:
    write_image(segmentation_from_masks(MASKS), tmp_path / "seg.png")
    with pytest.raises(ImageReadError, match=r"coloured.*masks_from_segmentation"):
        read_mask(tmp_path / "seg.png")


def test_folders_without_masks_are_refused(tmp_path) -> None:
    with pytest.raises(ImageReadError, match="not a folder"):
        read_masks(tmp_path / "none")
    with pytest.raises(ImageReadError, match="no image"):
        read_masks(tmp_path)
    write_masks({"left": LEFT}, tmp_path)
    write_image(LEFT.expand(1, 3, -1, -1), tmp_path / "left.bmp")
    with pytest.raises(ImageReadError, match="two files are named 'left'"):
        read_masks(tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden"])
def test_names_that_no_file_can_have_are_refused(tmp_path, name) -> None:
    with pytest.raises(ValueError, match="possible names of files"):
        write_masks({name: LEFT}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_masks_become_a_segmentation_and_come_back() -> None:
    colors = {"left": (0.0, 0.2, 1.0), "right": (1.0, 0.6, 0.0)}
    image = segmentation_from_masks(MASKS, colors)
    assert image[0, :, 0, 1].tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert image[0, :, 2, 4].tolist() == pytest.approx([1.0, 0.6, 0.0])
    found = masks_from_segmentation(image, colors)
    assert all(torch.equal(found[name], MASKS[name]) for name in MASKS)
    unnamed = masks_from_segmentation(image)
    assert list(unnamed) == ["#0033ff", "#ff9900"]
    assert torch.equal(unnamed["#0033ff"], LEFT)


def test_what_belongs_to_no_region_is_black() -> None:
    image = segmentation_from_masks({"left": LEFT})
    assert image[..., 2:].abs().sum() == 0
    assert image[0, :, 0, 0].tolist() == [1, 0, 0]


def test_noisy_colours_belong_to_the_nearest_region() -> None:
    colors = {"left": (1.0, 0.0, 0.0), "right": (0.0, 0.0, 1.0), "absent": (0.0, 1.0, 0.0)}
    noise = 0.3 * torch.rand(1, 3, 3, 5, generator=torch.Generator().manual_seed(0))
    found = masks_from_segmentation((segmentation_from_masks(MASKS, colors) - noise).abs(), colors)
    assert set(found) == {"left", "right"}
    assert torch.equal(found["left"], LEFT)


def test_segmentations_that_say_nothing_are_refused() -> None:
    smooth = torch.linspace(0, 1, 100).reshape(1, 1, 10, 10).expand(1, 3, 10, 10)
    with pytest.raises(ValueError, match=r"at most 32 colours .* got 100"):
        masks_from_segmentation(smooth)
    with pytest.raises(ValueError, match=r"\(1, 3, height, width\)"):
        masks_from_segmentation(smooth[:, :1])
    with pytest.raises(ValueError, match="got none for right"):
        segmentation_from_masks(MASKS, {"left": (1, 0, 0)})
    with pytest.raises(ValueError, match="masks of one size"):
        segmentation_from_masks({"left": LEFT, "right": LEFT[..., 1:]})
    with pytest.raises(ValueError, match="masks of one size, got none"):
        segmentation_from_masks({})
    with pytest.raises(ValueError, match="more than 12 regions"):
        segmentation_from_masks({str(number): LEFT for number in range(13)})
