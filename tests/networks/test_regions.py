"""Features of regions that are transformed by themselves."""

import pytest
import torch

from pystyle.networks import by_region


def test_each_region_is_transformed_as_a_list_of_its_positions():
    features = torch.arange(24.0).reshape(2, 2, 2, 3)
    masks = {
        "left": torch.tensor([[[[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]]]),
        "right": torch.tensor([[[[0.0, 0.0, 1.0], [0.0, 0.0, 0.2]]]]),
    }
    seen = []

    def flipped(vectors):
        seen.append(vectors)
        return vectors.flip(3)

    before = features.clone()
    result = by_region(features, masks, {"left": flipped, "right": lambda vectors: -vectors})
    assert torch.equal(seen[0], torch.tensor([[[[0.0, 3.0, 4.0]], [[6.0, 9.0, 10.0]]]]))
    expected = torch.tensor([[4.0, 1.0, -2.0], [3.0, 0.0, 5.0]])
    assert torch.equal(result[0, 0], expected)
    assert torch.equal(result[1, 1], torch.tensor([[22.0, 19.0, -20.0], [21.0, 18.0, 23.0]]))
    assert torch.equal(features, before)


def test_masks_come_to_the_size_of_the_features_and_belong_to_their_image():
    features = torch.ones(2, 1, 2, 2)
    masks = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    masks[0, 0, :2] = True
    masks[1, 0, :, 2:] = True
    result = by_region(features, {"sky": masks}, {"sky": lambda vectors: 5 * vectors})
    assert torch.equal(result[:, 0], torch.tensor([[[5.0, 5.0], [1.0, 1.0]], [[1.0, 5.0], [1.0, 5.0]]]))


def test_a_region_without_positions_is_left_and_one_without_a_mask_is_named():
    features = torch.ones(1, 1, 2, 2)
    masks = {"sky": torch.zeros(1, 1, 2, 2)}
    assert torch.equal(by_region(features, masks, {"sky": lambda _: 1 / 0}), features)
    with pytest.raises(ValueError, match=r"must have one of the region 'sea', got those of \('sky',\)"):
        by_region(features, masks, {"sea": lambda vectors: vectors})


def test_gradients_pass():
    features = torch.ones(1, 1, 2, 2, requires_grad=True)
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    by_region(features, {"sky": mask}, {"sky": lambda vectors: 3 * vectors}).sum().backward()
    assert torch.equal(features.grad[0, 0], torch.tensor([[3.0, 1.0], [1.0, 1.0]]))
