from fractions import Fraction

import numpy as np
import pytest

from pystyle.video.sound import Curve, Sound, linear_shares, picture_times, place_shares, switch_shares


def test_a_place_among_three_styles_goes_past_the_one_in_the_middle():
    shares = place_shares(Curve([0, 10], [0, 1]), 3)
    assert shares.at([0, 2.5, 5, 7.5, 10]).tolist() == [
        [1, 0, 0],
        [0.5, 0.5, 0],
        [0, 1, 0],
        [0, 0.5, 0.5],
        [0, 0, 1],
    ]


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_shares_of_a_place_are_exact_between_its_points_too(count):
    place = Curve(np.arange(9), np.random.default_rng(count).random(9))
    times = np.linspace(0, 8, 1001)
    shares = place_shares(place, count).at(times)
    # Only neighbours share, and the mean of their places is the place.
    assert ((shares > 1e-9).sum(1) <= 2).all()
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(shares @ np.linspace(0, 1, count), place.at(times), atol=1e-9)


def test_styles_take_turns_at_switches():
    times = [1, 2, 3.5]
    shares = switch_shares(times, 3).at([0, 0.999, 1, 1.999, 2, 3, 3.5, 9])
    assert shares.argmax(1).tolist() == [0, 0, 1, 1, 2, 2, 0, 0]
    np.testing.assert_allclose(shares.max(1), 1, atol=1e-9)


def test_switches_that_fade_go_back_to_the_first_style():
    shares = switch_shares([1, 2, 3], 3, decay=0.25)
    assert shares.at([0, 0.999, 1, 2, 3, 9]).tolist() == [
        [1, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
    ]
    since = np.linspace(0, 0.9, 50)
    found = shares.at(2 + since)
    np.testing.assert_allclose(found[:, 2], np.exp(-since / 0.25), atol=1e-3)
    np.testing.assert_allclose(found[:, 0], 1 - found[:, 2])
    assert not found[:, 1].any()


def test_without_a_switch_the_first_style_stays():
    for decay in (None, 0.2):
        assert switch_shares([], 2, decay=decay).at([0, 5]).tolist() == [[1, 0], [1, 0]]


def test_switches_may_come_before_the_time_0():
    assert switch_shares([-1, 1], 2).at([-2, -0.5, 2]).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert switch_shares([-1], 2, decay=0.1).at([-2, -1, 2]).tolist() == [[1, 0], [0, 1], [1, 0]]


def test_features_become_shares_by_fixed_weights():
    both = Curve([0, 1], [[0.5, 0.25], [0, 0]])
    third = Curve([0, 1], [1, 0])
    shares = linear_shares([both, third], [[2, 0, 0], [0, 4, -1], [0, 0, 1], [0, -1, 0]])
    # 1, 1 - 1, 1 and -1/4, which counts as 0; nothing is heard at the end.
    assert shares.at([0, 1]).tolist() == [[0.5, 0, 0.5, 0], [0.25] * 4]


def test_features_with_points_of_their_own_are_met_at_all_of_them():
    shares = linear_shares([Curve([0, 2], [1, 1]), Curve([1, 3], [0, 2])], np.eye(2))
    assert shares.times.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(shares.values[:, 1], [0, 0, 1 / 2, 2 / 3])


def test_shares_of_something_else_are_refused():
    flat = Curve([0], [0])
    with pytest.raises(ValueError, match="`count` must be at least 2"):
        place_shares(flat, 1)
    with pytest.raises(ValueError, match=r"`place` must be in \[0, 1\], got values from 0 to 2. Bring it"):
        place_shares(Curve([0, 1], [0, 2]), 2)
    with pytest.raises(ValueError, match="`place` must have one value at a time, got 3"):
        place_shares(Curve([0], [[0, 0, 0]]), 2)
    with pytest.raises(TypeError, match="`place` must be a Curve, got a float"):
        place_shares(0.5, 2)
    with pytest.raises(ValueError, match="`times` must be a sequence of numbers, each larger"):
        switch_shares([1, 1], 2)
    with pytest.raises(ValueError, match="`decay` must be positive"):
        switch_shares([1], 2, decay=0)
    with pytest.raises(ValueError, match="`features` must have at least one curve"):
        linear_shares([], [[1], [1]])
    with pytest.raises(ValueError, match=r"each style, .* of 1 finite numbers.* got the shape \(2, 2\)"):
        linear_shares([flat], np.eye(2))
    with pytest.raises(ValueError, match="at least two"):
        linear_shares([flat], [[1]])


@pytest.mark.parametrize(
    ("samples", "rate", "frames", "count"),
    [(48000, 48000, 25, 25), (48001, 48000, 25, 26), (44100 * 6, 44100, 10, 60), (1, 8000, 25, 1)],
)
def test_a_still_is_shown_as_long_as_the_sound_is_heard(samples, rate, frames, count):
    times = picture_times(Sound(np.zeros(samples), rate), frames)
    assert times == tuple(Fraction(index, frames) for index in range(count))


def test_rates_of_television_are_exact():
    sound = Sound(np.zeros(48000 * 60), 48000)
    for rate in (29.97, Fraction(30000, 1001), 30000 / 1001):
        times = picture_times(sound, rate)
        assert len(times) == 1799
        assert times[-1] < 60 <= times[-1] + 1 / Fraction(rate).limit_denominator(1001)
    assert times[1] == Fraction(1001, 30000)


def test_a_still_is_shown_before_a_sound_that_starts_late():
    assert picture_times(Sound(np.zeros(4), 4, start=0.5), 2) == (0, Fraction(1, 2), 1)
    with pytest.raises(ValueError, match="`rate` must be positive"):
        picture_times(Sound(np.zeros(4), 4), 0)
