"""Networks that follow a sound."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from pystyle.functional import mean_std, raw_moments
from pystyle.networks import AnyStyleNetwork, Stylizer, TransformNetwork, instance_normalization, pretrained
from pystyle.video import paint_clip, read_clip, write_clip
from pystyle.video.sound import (
    Curve,
    Sound,
    SoundPainter,
    chroma,
    linear_shares,
    loudness,
    onset_times,
    place_shares,
    sound_painter,
    spectral_centroid,
    switch_shares,
)

RATE = 8000
STYLES = ("rocks", "bouquet")


@pytest.fixture(scope="module")
def masters():
    return pretrained("masters")


@pytest.fixture(scope="module")
def photo():
    """Something with edges, of 64 x 48 pixels."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 64), indexing="ij")
    return torch.stack([x, (6 * x * y).sin().abs(), ((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1).float()])[None]


def tone(frequency, seconds=1.0, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def distance(picture, photo):
    return float((picture - photo).abs().mean())


def test_silence_is_the_content_to_the_last_bit(masters, photo):
    sound = Sound(np.concatenate([np.zeros(RATE), tone(440), np.zeros(RATE)]), RATE)
    paint = sound_painter(sound, masters, STYLES)
    for time in (0, 0.5, 2.5, 9):
        assert paint.controls(time).strength == 0
        assert torch.equal(paint(photo, time), photo)
        # It comes back as it is, and not as the float32 of the network.
        assert torch.equal(paint(photo.double() / 3, time), photo.double() / 3)
    assert distance(paint(photo, 1.5), photo) > 0.02


def test_a_ramp_in_loudness_gives_a_monotone_strength(masters, photo):
    sound = Sound(np.linspace(0, 0.4, 4 * RATE) * tone(440, 4, 1.0), RATE)
    paint = SoundPainter(masters, STYLES, strength=loudness(sound), smooth=0.1)
    strengths = [paint.controls(time).strength for time in np.linspace(0, 3.8, 200)]
    assert (np.diff(strengths) >= 0).all()
    distances = [distance(paint(photo, time), photo) for time in (0, 0.5, 1, 2, 3, 3.8)]
    assert distances == sorted(distances)
    assert distances[0] == 0 < 0.02 < distances[-1]


def test_the_double_loudness_is_a_larger_strength(masters, photo):
    soft, loud = (
        sound_painter(Sound(tone(440, amplitude=amplitude), RATE), masters, STYLES)
        for amplitude in (0.05, 0.1)
    )
    step = loud.controls(0.5).strength - soft.controls(0.5).strength
    assert step == pytest.approx(20 * np.log10(2) / 27, abs=1e-5)
    assert distance(loud(photo, 0.5), photo) > 1.2 * distance(soft(photo, 0.5), photo)


def test_two_tones_give_two_styles(masters, photo):
    sound = Sound(np.concatenate([tone(220), tone(1760)]), RATE)
    paint = sound_painter(sound, masters, STYLES)
    for time, style in ((0.5, "rocks"), (1.5, "bouquet")):
        strength = paint.controls(time).strength
        expected = masters.bind(style)(photo, strength=strength)
        assert torch.equal(paint(photo, time), expected)
    shares = [paint.controls(time).shares[1] for time in np.linspace(0.8, 1.2, 41)]
    assert (np.diff(shares) >= 0).all()
    assert any(0.1 < share < 0.9 for share in shares)


def test_a_place_between_styles_is_the_blend_that_the_network_binds(masters, photo):
    paint = SoundPainter(masters, STYLES, shares=place_shares(Curve([0, 1], [0, 1]), 2))
    expected = masters.bind([("rocks", 0.75), ("bouquet", 0.25)])(photo)
    assert torch.equal(paint(photo, 0.25), expected)


def test_a_centroid_goes_past_the_style_in_the_middle(masters):
    sound = Sound(np.concatenate([tone(220), tone(622), tone(1760)]), RATE)
    paint = sound_painter(sound, masters, ["rocks", "plum", "bouquet"])
    found = np.array([paint.controls(time).shares for time in (0.5, 1.5, 2.5)])
    np.testing.assert_allclose(found, np.eye(3), atol=0.02)


def test_onsets_switch_to_the_other_style_and_fade(masters):
    samples = tone(220, 3)
    for second in (1, 2):
        samples[second * RATE] = 1
    sound = Sound(samples, RATE)
    paint = sound_painter(sound, masters, STYLES, follow="onsets", decay=0.2)
    times = onset_times(sound)
    assert times == pytest.approx([0, 1, 2], abs=0.01)
    for time in times:
        assert paint.controls(time).shares == (0, 1)
        assert paint.controls(time + 0.2).shares[1] == pytest.approx(np.exp(-1), abs=1e-3)
    stays = sound_painter(sound, masters, STYLES, follow="onsets", decay=None)
    assert [stays.controls(time).shares[1] for time in (0.5, 1.5, 2.5)] == [1, 0, 1]


def test_pitches_become_styles_by_fixed_weights(masters):
    sound = Sound(np.concatenate([tone(440), tone(523.25)]), RATE)
    weights = np.zeros((2, 12))
    weights[0, 9] = weights[1, 0] = 1
    paint = SoundPainter(masters, STYLES, shares=linear_shares([chroma(sound)], weights))
    np.testing.assert_allclose([paint.controls(time).shares for time in (0.5, 1.5)], np.eye(2), atol=0.01)


def test_a_picture_depends_on_its_time_alone(masters, photo):
    sound = Sound(np.concatenate([tone(220), tone(1760, amplitude=0.3)]), RATE)
    times = [0.2, 0.95, 1.0, 1.05, 1.7]
    paint = sound_painter(sound, masters, STYLES)
    first = [paint(photo, time) for time in times]
    paint(photo.flip(3), 1.3)
    again = sound_painter(Sound(sound.samples, RATE), masters, STYLES)
    for time, picture in zip(reversed(times), reversed(first), strict=True):
        assert torch.equal(paint(photo, time), picture)
        assert torch.equal(again(photo, Fraction(time)), picture)


def test_smoothing_makes_steps_gentle_and_delays_nothing(masters):
    switch = switch_shares([1.0], 2)
    paint = SoundPainter(masters, STYLES, strength=Curve([0, 2], [0, 1]), shares=switch, smooth=0.4)
    assert [paint.controls(time).shares[1] for time in (0.7, 0.9, 1.0, 1.1, 1.3)] == pytest.approx(
        [0, 0.25, 0.5, 0.75, 1], abs=1e-6
    )
    assert paint.controls(1.0).strength == pytest.approx(0.5)
    assert SoundPainter(masters, STYLES, shares=switch).controls(0.999).shares == (1, 0)


def test_several_frames_of_one_time_are_painted_together(masters, photo):
    paint = SoundPainter(masters, STYLES, strength=0.7)
    frames = torch.cat([photo, photo.flip(3)])
    pictures = paint(frames, 0)
    assert pictures.shape == frames.shape
    torch.testing.assert_close(pictures[1:], paint(frames[1:], 0), atol=1e-4, rtol=0)


def test_a_constant_strength_and_equal_shares_are_the_default(masters, photo):
    paint = SoundPainter(masters, STYLES)
    assert paint.controls(3.0) == (1, (0.5, 0.5))
    assert torch.equal(paint(photo, 3), masters.bind([("rocks", 1), ("bouquet", 1)])(photo))


def test_one_style_is_always_itself(masters, photo):
    paint = sound_painter(Sound(tone(440), RATE), masters, ["rocks"])
    controls = paint.controls(0.5)
    assert controls.shares == (1,)
    assert torch.equal(paint(photo, 0.5), masters.bind("rocks")(photo, strength=controls.strength))


def test_a_sound_that_is_always_as_bright_keeps_its_style(masters):
    paint = sound_painter(Sound(np.zeros(RATE), RATE), masters, STYLES)
    assert paint.controls(0.5) == (0, (1, 0))


def test_styles_may_be_images(photo):
    torch.manual_seed(0)
    network = AnyStyleNetwork(width=2)
    waves, wheat = torch.rand(2, 1, 3, 32, 32)
    shares = place_shares(spectral_centroid(Sound(tone(440), RATE)).scaled(400, 480), 2)
    paint = SoundPainter(network, [waves, [(wheat, 1.0)]], shares=shares)
    share = paint.controls(0.5).shares[1]
    assert share == pytest.approx(0.5, abs=0.1)
    expected = network.bind([(waves, 1 - share), (wheat, share)])(photo)
    torch.testing.assert_close(paint(photo, 0.5), expected, atol=1e-5, rtol=0)


class MixesFeatures(Stylizer):
    """A network for which the strength 0 is a reconstruction: half of the content."""

    stride = 1

    def represent_style(self, style):
        return mean_std(raw_moments(style))

    def forward(self, content, code):
        mean, std = code.unbind(1)
        return instance_normalization(content, std, mean)

    def mixed(self, content, code, strength):
        return strength * self(content, code) + (1 - strength) * content / 2


def test_a_network_that_mixes_features_gives_its_reconstruction_in_silence(photo):
    style = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    paint = SoundPainter(MixesFeatures(), [style], strength=0.0)
    torch.testing.assert_close(paint(photo, 0), photo / 2)


def test_no_graph_is_kept_and_the_network_stays_in_its_mode(photo):
    network = TransformNetwork(width=2, styles=["waves", "wheat"]).train()
    picture = SoundPainter(network, ["waves", "wheat"])(photo, 0)
    assert not picture.requires_grad
    assert network.training


def test_wrong_arguments_are_refused(masters, photo):
    for styles in ([], "rocks"):
        with pytest.raises(ValueError, match="`styles` must be a list of one style at least"):
            SoundPainter(masters, styles)
    with pytest.raises(ValueError, match="`style` must be one of the names"):
        SoundPainter(masters, ["rocks", "waves"])
    with pytest.raises(ValueError, match=r"`strength` must be in \[0, 1\], got values from 0 to 2"):
        SoundPainter(masters, STYLES, strength=Curve([0, 1], [0, 2]))
    with pytest.raises(ValueError, match=r"`strength` must be in \[0, 1\], got 2"):
        SoundPainter(masters, STYLES, strength=2)
    with pytest.raises(ValueError, match="a value for each of the 2 styles at a time, got 3"):
        SoundPainter(masters, STYLES, shares=Curve([0], [[1, 0, 0]]))
    with pytest.raises(ValueError, match="a value for each of the 2 styles at a time, got 1"):
        SoundPainter(masters, STYLES, shares=Curve([0, 1], [1, 1]))
    for shares in ([[0.5, 0.6]], [[-0.5, 1.5]]):
        with pytest.raises(ValueError, match="`shares` must not be negative, and sum to 1"):
            SoundPainter(masters, STYLES, shares=Curve([0], shares))
    with pytest.raises(TypeError, match="`shares` must be a Curve, got a list"):
        SoundPainter(masters, STYLES, shares=[0.5, 0.5])
    with pytest.raises(ValueError, match="`follow` must be 'centroid' or 'onsets', got 'bass'"):
        sound_painter(Sound(tone(440), RATE), masters, STYLES, follow="bass")
    paint = SoundPainter(masters, STYLES, strength=0.0)
    with pytest.raises(ValueError, match="`time` must be finite"):
        paint(photo, float("inf"))
    with pytest.raises(TypeError, match="`frame` must be a tensor of the shape"):
        paint(photo[0], 0)
    with pytest.raises(ValueError, match="`frame` must have sides of at least 16 pixels"):
        paint(photo[:, :, :8], 0)


def test_a_clip_is_painted_as_each_of_its_frames_at_its_time(masters, photo, tmp_path):
    pytest.importorskip("av")
    sound = Sound(np.concatenate([np.zeros(RATE), tone(200), tone(2000)]), RATE)
    paint = sound_painter(sound, masters, STYLES)
    write_clip(tmp_path / "clip.mkv", [photo] * 12, rate=4)
    frames = list(read_clip(tmp_path / "clip.mkv"))
    expected = torch.cat([paint(frame.image, float(frame.time)) for frame in frames])
    # Neighbours that are painted alike, as those of silence, are painted together.
    assert float((paint.paint(frames) - expected).abs().max()) < 1e-4
    assert distance(expected[2], frames[2].image[0]) == 0
    assert distance(expected[6], expected[10]) > 0.02
    paint_clip(tmp_path / "clip.mkv", paint, tmp_path / "out.mkv", batch_size=5, quality=0)
    painted = torch.cat([frame.image for frame in read_clip(tmp_path / "out.mkv")])
    assert float((painted - expected).abs().mean()) < 0.02


def test_the_loudest_are_as_strong_as_is_asked(masters):
    sound = Sound(np.concatenate([tone(440, amplitude=0.05), tone(440, amplitude=0.9)]), RATE)
    whole, half = (sound_painter(sound, masters, STYLES, strength=strength) for strength in (1, 0.5))
    assert whole.controls(1.5).strength == 1
    for time in (0.5, 1.5):
        assert half.controls(time).strength == pytest.approx(whole.controls(time).strength / 2, abs=2e-6)
    with pytest.raises(ValueError, match=r"`strength` must be in \[0, 1\]"):
        sound_painter(sound, masters, STYLES, strength=2)
