"""Masks that nobody meant so: transparent ones, of another size by one, empty or full, of bytes."""

import numpy as np
import pytest
import torch
from PIL import Image

from pystyle import Criterion, GramLoss, MaskedImage, Pyramid, optimize_image, stylize
from pystyle.images import read_mask, read_masks

INSIDE = np.zeros((8, 10), dtype=bool)
INSIDE[2:6, :5] = True
WANTED = torch.from_numpy(INSIDE).float()[None, None]


def save(path, *channels):
    Image.fromarray(np.stack([np.broadcast_to(c, INSIDE.shape) for c in channels], 2).astype(np.uint8)).save(
        path
    )
    return path


def image(seed, height=8, width=10):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


WHITE = np.where(INSIDE, 255, 0)
DRAWINGS = {
    "white on black, opaque": (WHITE, WHITE, WHITE, 255),
    "white on transparent black": (WHITE, WHITE, WHITE, WHITE),
    "white, and the region is where it is opaque": (255, 255, 255, WHITE),
    "grey and opacity": (255, WHITE),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_what_is_transparent_in_a_mask_is_outside(name, tmp_path):
    path = save(tmp_path / "sky.png", *DRAWINGS[name])
    assert torch.equal(read_mask(path), WANTED)
    assert torch.equal(read_masks(tmp_path)["sky"], WANTED)


def test_opacity_of_one_half_is_half_inside(tmp_path):
    path = save(tmp_path / "sky.png", 255, 255, 255, np.where(INSIDE, 128, 0))
    torch.testing.assert_close(read_mask(path), WANTED * 128 / 255)


@pytest.mark.parametrize("change", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_a_mask_of_another_size_by_one_pixel_is_refused_with_both_sizes(change):
    height, width = 8 + change[0], 10 + change[1]
    with pytest.raises(ValueError, match=rf"\(1, 1, 8, 10\), got \(1, 1, {height}, {width}\)\. Resize it"):
        MaskedImage(image(0), {"sky": torch.ones(1, 1, height, width)})


@pytest.mark.parametrize(
    ("mask", "kind", "message"),
    [
        (
            torch.from_numpy(WHITE).byte()[None, None],
            TypeError,
            r"got torch\.uint8\. Read files with `read_masks`",
        ),
        (WANTED.int(), TypeError, r"got torch\.int32"),
        (WANTED.expand(1, 4, 8, 10), ValueError, r"got \(1, 4, 8, 10\)"),
        (WANTED[0, 0], ValueError, r"got \(8, 10\)"),
        (0 * WANTED, ValueError, "'sky' is empty: no pixel is inside"),
        (WANTED * torch.nan, ValueError, "must be finite"),
        (1.5 * WANTED, ValueError, r"must be in \[0, 1\]"),
    ],
    ids=["bytes", "integers", "RGBA", "no batch", "empty", "NaN", "above 1"],
)
def test_tensors_that_are_no_masks_are_refused(mask, kind, message):
    with pytest.raises(kind, match=message):
        MaskedImage(image(0), {"sky": mask})


def test_masks_that_overlap_are_refused_with_the_number_of_pixels():
    with pytest.raises(ValueError, match="sum above 1 at 20 pixels"):
        MaskedImage(image(0), {"sky": WANTED, "all": torch.ones(1, 1, 8, 10)})


@pytest.mark.parametrize("kind", ["expanded", "transposed", "boolean", "wants a gradient"])
def test_masks_of_every_kind_of_memory_give_the_same_picture_and_are_left_alone(small_vgg, kind):
    rows = torch.arange(8.0).gt(3).float().reshape(1, 1, 8, 1)
    given = {
        "expanded": rows.expand(1, 1, 8, 10),
        "transposed": rows.expand(1, 1, 8, 10).mT.contiguous().mT,
        "boolean": rows.expand(1, 1, 8, 10) > 0,
        "wants a gradient": rows.repeat(1, 1, 1, 10).requires_grad_(),
    }[kind]
    before = given.detach().clone()

    def picture(mask):
        content = MaskedImage(image(0), {"sky": mask})
        return stylize(content, {"sky": image(1)}, encoder=small_vgg(), edge_size=8, num_steps=3).image

    assert torch.equal(picture(given), picture(rows.repeat(1, 1, 1, 10)))
    assert torch.equal(given.detach(), before)


@pytest.mark.slow
def test_a_mask_that_vanishes_in_a_smaller_level_is_named_and_no_nan(small_vgg):
    dot = torch.zeros(1, 1, 40, 40)
    dot[..., 20, 20] = 1
    content = MaskedImage(image(0, 40, 40), {"dot": dot})
    criterion = Criterion(small_vgg(), {"style": GramLoss("relu2_1").within("dot")})
    references = {"content": content, "style": MaskedImage(image(1, 40, 40), {"dot": dot})}
    for run in (optimize_image, Pyramid([10, 40], num_steps=2).optimize):
        message, result = "", None
        try:
            result = run(criterion, references)
        except ValueError as error:
            message = str(error)
        assert result is None or bool(result.image.isfinite().all())
        assert result is not None or "'dot'" in message
