"""What is heard, against answers by hand, and by formulas of the test's own."""

import numpy as np
import pytest

from pystyle.video.sound import (
    PITCHES,
    Sound,
    chroma,
    loudness,
    onset_times,
    onsets,
    spectral_centroid,
    spectral_flux,
    tempo,
)

RATE = 8000


def tone(frequency, seconds=1.0, amplitude=0.5, rate=RATE):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def clicks(times, seconds, rate=RATE):
    samples = np.zeros(round(seconds * rate))
    samples[np.round(np.asarray(times) * rate).astype(int)] = 0.9
    return samples


def noise(seconds, rate=RATE):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))


SILENCE = Sound(np.zeros(RATE), RATE)


def test_silence_is_zero_in_every_curve():
    for curve in (
        loudness(SILENCE),
        onsets(SILENCE),
        spectral_flux(SILENCE),
        spectral_centroid(SILENCE),
        chroma(SILENCE),
        tempo(SILENCE),
    ):
        assert not curve.values.any()
    assert onset_times(SILENCE).size == 0


@pytest.mark.parametrize("samples", [1, 2, 7, 50])
def test_a_sound_of_a_few_samples_has_all_curves(samples):
    sound = Sound(np.full(samples, 0.5), RATE, start=3)
    for curve in (loudness(sound), spectral_centroid(sound), chroma(sound), tempo(sound), onsets(sound)):
        assert np.isfinite(curve.at([3, 4])).all()


def test_the_loudness_of_a_tone_is_worked_out_by_hand():
    # The mean square of a sine is half of its squared amplitude.
    level = 20 * np.log10(0.1 / np.sqrt(2))
    curve = loudness(Sound(tone(440, amplitude=0.1), RATE), floor=-50, ceiling=-10)
    assert float(curve.at(0.5)) == pytest.approx((level + 50) / 40, abs=1e-6)
    assert loudness(Sound(tone(440, amplitude=0.1), RATE)).at(0.5) == pytest.approx((level + 41) / 27)


@pytest.mark.parametrize("amplitude", [0.02, 0.05, 0.1])
def test_the_double_amplitude_is_a_stated_step_louder(amplitude):
    single, double = (
        loudness(Sound(tone(440, amplitude=factor * amplitude), RATE)).at(0.5) for factor in (1, 2)
    )
    assert double - single == pytest.approx(20 * np.log10(2) / 27, abs=1e-6)


def test_loudness_follows_the_formula_everywhere():
    sound = Sound(noise(0.3), RATE, start=2)
    curve = loudness(sound, floor=-60, ceiling=0, window=0.02, hop=0.005)
    assert set(np.diff(curve.times).round(9)) == {0.005}
    for time in (2.05, 2.1, 2.25):
        centre = round((time - 2) * RATE)
        window = sound.samples[centre - 80 : centre + 80].astype(np.float64)
        expected = 1 + 20 * np.log10(np.sqrt((window**2).mean())) / 60
        assert float(curve.at(time)) == pytest.approx(expected, abs=1e-9)
    assert curve.at([1.98, 2.32]).tolist() == [0, 0]
    assert curve.times[0] <= 1.99
    assert curve.times[-1] >= 2.31


def test_a_ramp_of_the_amplitude_gives_a_monotone_loudness():
    samples = np.linspace(0, 1, 4 * RATE) * tone(440, 4)
    values = loudness(Sound(samples, RATE)).at(np.linspace(0, 3.9, 100))
    assert (np.diff(values) >= 0).all()
    assert values[0] < 0.1 < 0.9 < values[-1]


def test_long_sounds_are_heard_as_short_ones():
    # Ten minutes, which are looked at in several parts.
    second = np.sin(np.arange(500) * 0.7) * np.linspace(0, 1, 500)
    curve = loudness(Sound(np.tile(second, 600), 500), floor=-60, ceiling=0)
    times = np.arange(100) / 100
    expected = curve.at(10 + times)
    for later in range(11, 590, 17):
        np.testing.assert_allclose(curve.at(later + times), expected, atol=1e-9)


@pytest.mark.parametrize("frequency", [200, 440, 1003, 3000])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_centroid_of_a_tone_is_its_frequency_within_a_bin(frequency, rate):
    curve = spectral_centroid(Sound(tone(frequency, rate=rate), rate))
    assert curve.unit == "Hz"
    np.testing.assert_allclose(curve.at(np.linspace(0.1, 0.9, 20)), frequency, atol=1 / 0.05)


def test_the_centroid_follows_the_formula():
    sound = Sound(noise(0.5), RATE)
    window = sound.samples[2000 - 200 : 2000 + 200] * np.sin(np.pi * (np.arange(400) + 0.5) / 400) ** 2
    magnitudes = np.abs(np.fft.rfft(window))
    expected = (magnitudes * np.fft.rfftfreq(400, 1 / RATE)).sum() / magnitudes.sum()
    assert float(spectral_centroid(sound).at(0.25)) == pytest.approx(expected, rel=1e-6)


def test_the_centroid_of_two_equal_tones_is_between_them():
    sound = Sound(tone(500) + tone(1500), RATE)
    assert float(spectral_centroid(sound).at(0.5)) == pytest.approx(1000, abs=20)


def test_the_centroid_goes_straight_through_silence():
    samples = np.concatenate([tone(400), np.zeros(RATE), tone(1600)])
    values = spectral_centroid(Sound(samples, RATE)).at(np.linspace(1.05, 1.95, 50))
    assert (np.diff(values) > 0).all()
    assert float(spectral_centroid(Sound(samples, RATE)).at(1.5)) == pytest.approx(1000, rel=0.15)


def test_what_is_below_the_floor_is_silence_for_the_centroid():
    sound = Sound(np.concatenate([tone(400), tone(1600, amplitude=1e-4)]), RATE)
    assert float(spectral_centroid(sound).at(1.8)) < 600
    assert float(spectral_centroid(sound, floor=-100).at(1.8)) == pytest.approx(1600, abs=20)


@pytest.mark.parametrize("octave", [1, 2, 4])
def test_a_chord_has_its_three_pitches(octave):
    c, e, g = 261.63, 329.63, 392.0
    samples = sum(tone(octave * frequency, amplitude=0.2) for frequency in (c, e, g))
    values = dict(zip(PITCHES, chroma(Sound(samples, RATE)).at(0.5), strict=True))
    assert all(values[name] > 0.8 for name in ("C", "E", "G"))
    assert all(value < 0.01 for name, value in values.items() if name not in ("C", "E", "G"))
    assert max(values.values()) == 1


def test_each_pitch_of_the_scale_is_itself():
    scale = np.concatenate([tone(440 * 2 ** ((index - 9) / 12)) for index in range(12)])
    found = chroma(Sound(scale, RATE)).at(np.arange(12) + 0.5)
    np.testing.assert_allclose(found, np.eye(12), atol=0.01)


def test_another_tuning_moves_the_pitches():
    sound = Sound(tone(440), RATE)
    assert PITCHES[chroma(sound, tuning=415.3).at(0.5).argmax()] == "A#"


def test_chroma_follows_the_formula():
    sound = Sound(noise(1.0), RATE)
    window = sound.samples[4000 - 1600 : 4000 + 1600] * np.sin(np.pi * (np.arange(3200) + 0.5) / 3200) ** 2
    powers = np.abs(np.fft.rfft(window)) ** 2
    sums = np.zeros(12)
    for power, frequency in zip(powers, np.fft.rfftfreq(3200, 1 / RATE), strict=True):
        if 110 <= frequency <= 3520:
            # Number 69 is the A of MIDI, and number 60 a C.
            sums[round(69 + 12 * np.log2(frequency / 440)) % 12] += power
    np.testing.assert_allclose(chroma(sound).at(0.5), sums / sums.max(), rtol=1e-6)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_clicks_are_onsets_at_their_times(rate):
    times = [0.0, 0.313, 0.4, 0.8765, 1.5, 1.99]
    sound = Sound(clicks(times, 2.0, rate), rate, start=10)
    np.testing.assert_allclose(onset_times(sound), np.add(10, times), atol=1e-3)


def test_tones_that_set_in_are_onsets_and_those_that_end_are_none():
    samples = np.zeros(3 * RATE)
    for begin, frequency in ((0.5, 440), (1.2, 700), (2.0, 1500)):
        samples[round(begin * RATE) :][: round(0.4 * RATE)] += tone(frequency, 0.4)
    np.testing.assert_allclose(onset_times(Sound(samples, RATE)), [0.5, 1.2, 2.0], atol=0.01)


def test_a_note_that_follows_another_is_an_onset():
    samples = np.concatenate([tone(440, 0.5), tone(554.37, 0.5), tone(659.26, 0.5)])
    np.testing.assert_allclose(onset_times(Sound(samples, RATE)), [0, 0.5, 1], atol=0.03)


def test_a_steady_noise_begins_once():
    assert onset_times(Sound(noise(10.0, 44100), 44100)) == pytest.approx([0], abs=0.01)


def test_onsets_are_the_same_for_a_softer_sound():
    times = [0.5, 1.0, 1.25]
    for amplitude in (1, 0.3, 0.1):
        np.testing.assert_allclose(onset_times(Sound(amplitude * clicks(times, 2), RATE)), times, atol=1e-3)


def test_a_higher_threshold_finds_fewer():
    samples = clicks([0.5, 1.5], 2)
    samples[round(1.0 * RATE)] = 0.002
    found = [len(onset_times(Sound(samples, RATE), threshold=value)) for value in (0.1, 1.6, 1e3)]
    assert found == [3, 2, 0]


def test_the_curve_of_onsets_jumps_to_1_and_decays():
    curve = onsets(Sound(clicks([0.5, 1.0], 2), RATE), decay=0.1)
    assert curve.at([0, 0.499, 0.5, 1.0, 1.99]).tolist() == [0, 0, 1, 1, 0]
    since = np.linspace(0, 0.45, 37)
    np.testing.assert_allclose(curve.at(0.5 + since), np.exp(-since / 0.1), atol=1e-3)


def test_the_flux_follows_the_formula():
    sound = Sound(np.concatenate([noise(0.3), 3 * noise(0.3)]), RATE)
    flux = spectral_flux(sound)
    length, hop = round(2048 / 44100 * RATE), 80
    hann = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    # The nearest frequencies to the semitones from 30 Hz on, without those that are met twice.
    pitches = [440 * 2 ** (semitone / 12) for semitone in range(-46, 64)]
    corners = sorted({round(pitch * length / RATE) for pitch in pitches if pitch <= frequency[-1]})

    def levels(time):
        first = round(time * RATE) - length // 2
        magnitudes = (
            512 * np.abs(np.fft.rfft(sound.samples[first : first + length] * hann)) / (hann.sum() / 2)
        )
        found = []
        for low, middle, high in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
            band = sum(
                magnitudes[index]
                * ((index - low) / (middle - low) if index <= middle else (high - index) / (high - middle))
                for index in range(low, high + 1)
            )
            found.append(np.log10(1 + band))
        return np.array(found)

    for time in (0.1, 0.29, 0.3, 0.5):
        expected = np.maximum(levels(time) - levels(time - hop / RATE), 0).sum()
        assert float(flux.at(time)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("beats", [60, 90, 120, 128, 150])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_clicks_have_their_tempo(beats, rate):
    sound = Sound(clicks(np.arange(0, 10, 60 / beats), 10, rate), rate, start=5)
    curve = tempo(sound)
    assert curve.unit == "beats per minute"
    np.testing.assert_allclose(curve.at([5, 10, 15]), beats, rtol=0.005)


def test_a_hundred_and_twenty_clicks_a_minute_are_exactly_that():
    assert float(tempo(Sound(clicks(np.arange(0, 10, 0.5), 10), RATE)).at(5)) == pytest.approx(120, abs=0.01)


def test_the_tempo_is_the_one_that_is_near():
    sound = Sound(clicks(np.arange(0, 10, 0.25), 10), RATE)
    assert float(tempo(sound).at(5)) == pytest.approx(120, abs=0.5)
    assert float(tempo(sound, near=240).at(5)) == pytest.approx(240, abs=1)


def test_the_tempo_changes_with_the_sound():
    times = [*np.arange(0, 20, 0.5), *np.arange(20, 40, 0.4)]
    found = tempo(Sound(clicks(times, 40), RATE)).at([5, 35])
    np.testing.assert_allclose(found, [120, 150], rtol=0.005)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"`\(floor, ceiling\)` must be \(smallest, largest\)"):
        loudness(SILENCE, floor=0, ceiling=0)
    with pytest.raises(ValueError, match=r"`window` must be at least one sample, 0.000125 .*, got 1e-05"):
        loudness(SILENCE, window=1e-5)
    with pytest.raises(ValueError, match="`hop` must be positive"):
        spectral_centroid(SILENCE, hop=0)
    with pytest.raises(ValueError, match="`threshold` must be positive"):
        onset_times(SILENCE, threshold=0)
    with pytest.raises(ValueError, match="`decay` must be positive"):
        onsets(SILENCE, decay=0)
    with pytest.raises(ValueError, match="`near` must be positive"):
        tempo(SILENCE, near=0)
    with pytest.raises(ValueError, match=r"`\(least, most\)` must be"):
        chroma(SILENCE, least=440, most=440)
