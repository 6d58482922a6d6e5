"""Noise: its moments, and that it lies beside itself without seams."""

import torch

from pystyle.networks._noise import Noise

SIZE = 2, 128, 300


def test_it_is_the_same_in_each_network_and_for_each_picture():
    found = Noise().white(SIZE)
    assert torch.equal(found, Noise().white(SIZE))
    assert torch.equal(found[0], found[1])


def test_smooth_noise_has_the_variance_1_and_neighbours_that_are_alike():
    noise = Noise(channels=8)
    white, smooth = noise.white(SIZE)[0], noise.smooth(SIZE)[0]
    assert (white.shape, smooth.shape) == ((3, 128, 300), (8, 128, 300))
    for found, alike in ((white, 0.0), (smooth, 2 / 3)):
        assert abs(float(found.mean())) < 0.05
        assert abs(float(found.var()) - 1) < 0.1
        # The kernel 1 2 1 over its length: (1 * 2 + 2 * 1) / (1 + 4 + 1).
        assert abs(float((found[:, :, 1:] * found[:, :, :-1]).mean()) - alike) < 0.05


def test_a_tile_goes_on_in_the_next_without_a_seam():
    noise = Noise()
    for found in (noise.white(SIZE), noise.smooth(SIZE)):
        assert torch.equal(found[..., 128:256], found[..., :128])
    step = noise.smooth(SIZE).diff(dim=3).square().mean((0, 1, 2))
    assert float(step[127]) < 2 * float(step.mean())


def test_a_shift_moves_the_tile():
    noise = Noise()
    moved = noise.smooth(SIZE, (3, 5))
    assert torch.equal(moved[..., 3:, 5:100], noise.smooth(SIZE)[..., :-3, :95])
