import re

import pytest
import torch

from pystyle import MaskedImage

IMAGE = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
LEFT = torch.zeros(1, 1, 4, 6)
LEFT[..., :3] = 1


def test_boolean_masks_become_numbers_of_the_type_of_the_image() -> None:
    masks = MaskedImage(IMAGE.double(), {"left": LEFT.bool()}).masks
    assert masks["left"].dtype == torch.float64
    assert torch.equal(masks["left"], LEFT.double())


def test_soft_edges_that_sum_to_one_do_not_overlap() -> None:
    soft = 0.5 * LEFT + 0.25
    assert set(MaskedImage(IMAGE, {"a": soft, "b": 1 - soft}).masks) == {"a", "b"}


@pytest.mark.parametrize(
    ("masks", "error", "match"),
    [
        ({}, ValueError, "at least one mask"),
        ({"sky": LEFT[..., 1:]}, ValueError, re.escape("(1, 1, 4, 6), got (1, 1, 4, 5)")),
        ({"sky": LEFT[0]}, ValueError, "the size of its image"),
        ({"sky": LEFT.expand(1, 3, 4, 6)}, ValueError, "the size of its image"),
        ({"sky": (255 * LEFT).byte()}, TypeError, "torch.uint8"),
        ({"sky": [[1, 0]]}, TypeError, "list"),
        ({"sky": 255 * LEFT}, ValueError, r"in \[0, 1\]"),
        ({"sky": LEFT / 0}, ValueError, "must be finite"),
        ({"sky": 0 * LEFT}, ValueError, "'sky' is empty"),
        ({"sky": LEFT, "ground": torch.ones(1, 1, 4, 6)}, ValueError, "above 1 at 12 pixels"),
    ],
)
def test_impossible_masks_are_refused(masks, error, match) -> None:
    with pytest.raises(error, match=match):
        MaskedImage(IMAGE, masks)


def test_an_image_that_is_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="`image` must be a tensor"):
        MaskedImage("sky.png", {"sky": LEFT})
