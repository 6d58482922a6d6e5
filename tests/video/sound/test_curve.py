import numpy as np
import pytest

from pystyle.video.sound import Curve


def test_a_curve_is_straight_between_its_points_and_level_beyond_them():
    curve = Curve([1, 2, 4], [0, 1, 0.5])
    assert curve.at([0, 1, 1.25, 2, 3, 9]).tolist() == [0, 0, 0.25, 1, 0.75, 0.5]
    assert float(curve.at(1.5)) == 0.5
    assert curve.at([[1, 2], [3, 4]]).shape == (2, 2)


def test_a_curve_may_have_several_values_at_a_time():
    curve = Curve([0, 2], [[0, 1, 4], [2, 1, 0]])
    assert curve.at(0.5).tolist() == [0.5, 1, 3]
    assert curve.at(np.zeros((2, 5))).shape == (2, 5, 3)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 7.0])
def test_a_smoothed_curve_is_the_mean_over_a_window(seconds):
    generator = np.random.default_rng(0)
    curve = Curve(np.cumsum(generator.uniform(0.05, 0.4, 30)), generator.random((30, 2)))
    smoothed = curve.smoothed(seconds)
    # Where its own points are it is exact: here against a million thin strips.
    for time in smoothed.times[[0, 10, 45, 80, -1]]:
        strips = time + seconds * ((np.arange(10**6) + 0.5) / 10**6 - 0.5)
        np.testing.assert_allclose(smoothed.at(time), curve.at(strips).mean(0), atol=1e-9)


def test_smoothing_delays_nothing_and_keeps_what_is_level_and_what_sums_to_one():
    step = Curve([0, 1, np.nextafter(1, 2), 2], [[1, 0], [1, 0], [0, 1], [0, 1]]).smoothed(0.5)
    assert step.at(1)[0] == pytest.approx(0.5)
    np.testing.assert_allclose(step.at([0, 0.7, 1.3, 2]), [[1, 0], [1, 0], [0, 1], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(step.values.sum(1), 1)
    assert step.values.min() >= 0
    level = Curve([0, 1], [0.3, 0.3])
    assert level.smoothed(0) is level
    np.testing.assert_allclose(level.smoothed(3).values, 0.3)
    assert Curve([5], [0.25]).smoothed(1).at(5) == 0.25


def test_a_curve_is_scaled_to_between_0_and_1():
    pitch = Curve([0, 1, 2, 3, 4], [0, 100, 200, 400, 6400], "Hz")
    assert pitch.scaled(100, 300).values.tolist() == [0, 0, 0.5, 1, 1]
    octaves = pitch.scaled(100, 1600, logarithmic=True)
    np.testing.assert_allclose(octaves.values, [0, 0, 0.25, 0.5, 1])
    assert (pitch.unit, octaves.unit) == ("Hz", "")
    assert repr(pitch) == "Curve(0 s to 4 s, in Hz)"
    assert repr(Curve([0], [[1, 2]])) == "Curve(0 s to 0 s, 2 at a time)"


def test_a_curve_cannot_be_changed_from_outside():
    times = np.array([0.0, 1.0])
    curve = Curve(times, times)
    times += 5
    assert curve.times.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        curve.values[0] = 1


def test_what_is_no_curve_is_refused():
    with pytest.raises(ValueError, match="`times` must be a sequence of numbers, each larger than the one"):
        Curve([0, 1, 1], [0, 0, 0])
    with pytest.raises(ValueError, match="`times` must be a sequence"):
        Curve([], [])
    with pytest.raises(ValueError, match=r"a row for each of the 2 times, got the shape \(3,\)"):
        Curve([0, 1], [0, 0, 0])
    with pytest.raises(ValueError, match="`values` must be finite"):
        Curve([0, 1], [0, np.nan])
    with pytest.raises(ValueError, match="`seconds` must not be negative"):
        Curve([0], [0]).smoothed(-1)
    with pytest.raises(ValueError, match=r"`\(least, most\)` must be \(smallest, largest\)"):
        Curve([0], [0]).scaled(1, 1)
    with pytest.raises(ValueError, match="`least` must be positive"):
        Curve([0], [0]).scaled(0, 1, logarithmic=True)
