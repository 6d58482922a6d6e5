"""Attention as a part of networks: its convolutions, and that the style is looked at once."""

import torch
import torch.nn.functional as F

from pystyle.networks import KeysAndValues, PositionAttention


def test_queries_keys_and_values_are_made_by_convolutions_of_their_own():
    torch.manual_seed(0)
    attention = PositionAttention(4, key_channels=6)
    content, key_features, features = torch.rand(2, 6, 3, 5), torch.rand(2, 6, 4, 4), torch.rand(2, 4, 4, 4)

    def flat(layer, x):
        weight = layer.weight[:, :, 0, 0]
        return torch.einsum("oi,bihw->bohw", weight, x).flatten(2) + layer.bias[:, None]

    weights = flat(attention.queries, content).mT @ flat(attention.keys, key_features)
    expected = flat(attention.values, features) @ F.softmax(weights, 2).mT
    found = attention(content, attention.look_at(key_features, features))
    torch.testing.assert_close(found, expected.reshape(2, 4, 3, 5))


def test_it_has_three_convolutions_of_1_x_1():
    assert sum(p.numel() for p in PositionAttention(512).parameters()) == 3 * (512 * 512 + 512)
    wide = PositionAttention(256, key_channels=448)
    assert sum(p.numel() for p in wide.parameters()) == 2 * (448 * 448 + 448) + 256 * 256 + 256


def test_keys_and_values_may_have_lost_positions():
    attention = PositionAttention(4)
    seen = attention.look_at(torch.rand(1, 4, 5, 5), torch.rand(1, 4, 5, 5))
    some = KeysAndValues(seen.keys.flatten(2)[..., ::2], seen.values.flatten(2)[..., ::2])
    assert attention(torch.rand(3, 4, 2, 7), some).shape == (3, 4, 2, 7)


def test_what_comes_out_has_the_type_of_what_comes_in():
    attention = PositionAttention(4).bfloat16()
    features = torch.rand(1, 4, 3, 3).bfloat16()
    assert attention(features, attention.look_at(features, features)).dtype == torch.bfloat16
