from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle import MaskedImage
from pystyle.images import (
    ImageReadError,
    masks_from_segmentation,
    read_image,
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


def test_masks_are_made_smaller_as_their_image_is(tmp_path) -> None:
    write_masks(MASKS, tmp_path / "masks")
    write_image(torch.rand(1, 3, 3, 5), tmp_path / "photo.png")
    for arguments in ({"edge_size": 2}, {"edge_size": 4, "edge": "long"}):
        small = read_masks(tmp_path / "masks", **arguments)
        assert torch.equal(small["left"], read_mask(tmp_path / "masks" / "left.png", **arguments))
        torch.testing.assert_close(small["left"] + small["right"], torch.ones_like(small["left"]))
        # Two of five columns are inside.
        assert float(small["left"].mean()) == pytest.approx(0.4, abs=0.05)
        MaskedImage(read_image(tmp_path / "photo.png", **arguments), small)


LABELS = {
    "0 and 1": (np.array([[0, 1]], dtype=np.uint8), "1/255"),
    "as booleans of 8 bits": (np.array([[1, 1]], dtype=np.uint8), "1/255"),
    "twenty classes": (np.array([[0, 20]], dtype=np.uint8), "20/255"),
    "of 16 bits": (np.array([[0, 3]], dtype=np.uint16), "3/65535"),
}


@pytest.mark.parametrize("name", LABELS)
def test_numbers_of_regions_are_no_mask(tmp_path, name) -> None:
    labels, brightest = LABELS[name]
    Image.fromarray(labels).save(tmp_path / "sky.png")
    message = rf"brightest value is {brightest}\. Is this a label image.*`masks_from_segmentation\("
    for read in (partial(read_mask, tmp_path / "sky.png"), partial(read_masks, tmp_path)):
        with pytest.raises(ImageReadError, match=message):
            read()


def test_the_numbers_of_regions_become_masks_where_the_error_says(tmp_path) -> None:
    Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).save(tmp_path / "labels.png")
    masks = masks_from_segmentation(read_image(tmp_path / "labels.png"))
    assert {name: mask.flatten().tolist() for name, mask in masks.items()} == {
        "#000000": [1, 0, 0],
        "#010101": [0, 1, 0],
        "#020202": [0, 0, 1],
    }


@pytest.mark.parametrize("level", [33, 64, 128])
def test_a_faint_mask_is_still_a_mask(tmp_path, level) -> None:
    Image.fromarray(np.array([[0, level]], dtype=np.uint8)).save(tmp_path / "sky.png")
    torch.testing.assert_close(read_mask(tmp_path / "sky.png").flatten(), torch.tensor([0, level / 255]))


def test_masks_are_written_as_grey_files(tmp_path) -> None:
    write_masks({"soft": LEFT * 0.6, "hard": LEFT.bool()}, tmp_path)
    for name in ("soft", "hard"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.mode == "L"
    with pytest.raises(ValueError, match=r"mask 'flat' must have the shape \(1, 1, height, width\), got"):
        write_masks({"flat": LEFT[0]}, tmp_path)


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


@pytest.mark.parametrize("kind", [int, np.uint8, np.float64, bool], ids=lambda kind: kind.__name__)
def test_colours_of_any_kind_of_number_make_an_image_that_can_be_written(tmp_path, kind) -> None:
    colors = {"left": (kind(1), kind(0), kind(0)), "right": np.array([0, 0, 1], dtype=kind)}
    image = segmentation_from_masks(MASKS, colors)
    assert image.dtype == torch.float32
    write_image(image, tmp_path / "seg.png")
    found = masks_from_segmentation(read_image(tmp_path / "seg.png"), colors)
    assert all(torch.equal(found[name], MASKS[name]) for name in MASKS)


@pytest.mark.parametrize("color", [(255, 0, 0), (-0.1, 0, 0), (1, 0), (1, 0, 0, 1), (float("nan"), 0, 0)])
def test_what_is_no_colour_is_refused(color) -> None:
    colors = {"left": color, "right": (0, 0, 1)}
    message = r"The colour of 'left' in `colors` must be three numbers in \[0, 1\]"
    with pytest.raises(ValueError, match=message):
        segmentation_from_masks(MASKS, colors)
    with pytest.raises(ValueError, match=message):
        masks_from_segmentation(torch.rand(1, 3, 3, 5), colors)
    with pytest.raises(TypeError, match=r"must be a floating tensor .* got torch\.uint8"):
        masks_from_segmentation(torch.zeros(1, 3, 3, 5, dtype=torch.uint8), colors)


def test_the_largest_of_several_soft_masks_gives_the_colour() -> None:
    shares = {"left": [0.4, 0.2, 0.2], "right": [0.35, 0.3, 0.2]}
    masks = {name: torch.tensor(values).reshape(1, 1, 1, 3) for name, values in shares.items()}
    image = segmentation_from_masks(masks, {"left": (1, 0, 0), "right": (0, 1, 0)})
    # What is left, 0.25, 0.5 and 0.6, counts as another region, which is black.
    assert image[0, :, 0].T.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


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
