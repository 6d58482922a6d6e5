"""The script that measures textures, at a small size and with a random network."""

import torch

from pystyle.encoders import vgg19


def test_the_texture_itself_is_at_no_distance(script):
    textures, encoder = script("textures"), vgg19(weights=None)
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert set(textures.measures(encoder, image, image).values()) == {0.0}
    assert min(textures.measures(encoder, image, image.flip(1).square()).values()) > 0


def test_the_middle_of_a_picture_is_a_square_of_the_wanted_size(script):
    image = torch.zeros(1, 3, 40, 80)
    image[..., 20:60] = 1
    assert torch.equal(script("textures").middle(image, 20), torch.ones(1, 3, 20, 20))


def test_the_table_says_how_much_smaller_the_measures_became(script):
    line = {
        "texture": "a",
        "method": "gram",
        "edge_size": 32,
        "steps": 5,
        "own_loss_fell": 1500.0,
        "seconds": 2,
    }
    line |= {
        "gram": 2.0,
        "sliced": 1.0,
        "colour": 0.5,
        "noise_gram": 8.0,
        "noise_sliced": 1.0,
        "noise_colour": 1.0,
    }
    assert "| a | gram | 32 | 5 | 1500 | 4 | 1 | 2 | 2 |" in script("textures").report([line])
