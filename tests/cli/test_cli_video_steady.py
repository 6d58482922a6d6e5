"""What `pystyle video` leaves of the frames, also steadied: outside of masks, in silence, in their order."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from pystyle.checkpoints import decode, encode
from pystyle.cli import main
from pystyle.cli._video_masks import MovingMask
from pystyle.cli._video_painter import ClipPainter
from pystyle.cli._video_steady import steadied
from pystyle.images import read_image, write_image
from pystyle.networks import TransformNetwork
from pystyle.video import Frame, SteadyPainter, read_clip, write_clip
from pystyle.video.sound import Curve, SoundPainter

cv2 = pytest.importorskip("cv2")

HEIGHT, WIDTH = 24, 32
LEFT = torch.zeros(1, 3, HEIGHT, WIDTH)
LEFT[..., : WIDTH // 2] = 1


@pytest.fixture(autouse=True)
def network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    network = TransformNetwork(width=1, styles=["waves", "wheat"])
    torch.nn.init.normal_(network.codes)
    network.save("named.safetensors")
    return network


def scene(count, flicker=0.0):
    """A scene that stands still, every second frame of it a little darker."""
    still = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)).lerp(LEFT, 0.2)
    return [still * (1 - flicker * (index % 2)) for index in range(count)]


def frames_of(images):
    return [Frame(image, Fraction(index)) for index, image in enumerate(images)]


def folder_of(name, images):
    """A folder of frames, named as many programs name them."""
    Path(name).mkdir()
    for index, image in enumerate(images, 1):
        write_image(image, f"{name}/frame{index}.png")


def video(content, *arguments):
    """The pictures of a command that writes a folder of frames."""
    options = ["--network", "named.safetensors", "--size", "original", "--device", "cpu", "--quiet"]
    options += ["--precision", "float32", "-o", "painted"]
    assert main(["video", content, *arguments, *options]) == 0
    return [read_image(path) for path in sorted(Path("painted").iterdir())]


def outside(image, mask):
    return image[(mask == 0).expand_as(image)]


@pytest.mark.parametrize("colors", ["style", "content", "luminance"])
def test_outside_of_a_mask_that_moves_frames_stay_to_the_last_bit(colors):
    masks = [LEFT, LEFT, 1 - LEFT, 1 - LEFT]
    folder_of("in", scene(4, flicker=0.06))
    folder_of("masks", masks)
    options = ["--mask", "masks", "--colors", colors]
    frames = list(read_clip("in"))
    found = video("in", "wheat", *options, "--steady")
    for picture, frame, mask in zip(found, frames, masks, strict=True):
        assert torch.equal(outside(picture, mask), outside(frame.image, mask))
        assert (picture - frame.image).abs().max() > 0.05


def test_each_region_is_that_of_its_steady_painter(network):
    folder_of("in", scene(4, flicker=0.06))
    write_image(LEFT, "left.png")
    write_image(1 - LEFT, "right.png")
    found = video("in", "waves", "wheat", "--mask", "left.png", "right.png", "--steady")
    frames = list(read_clip("in"))
    waves, wheat = (SteadyPainter(network.bind(name)).paint(frames).split(1) for name in network.styles)
    for index, picture in enumerate(found):
        expected = torch.where(LEFT > 0, waves[index], wheat[index])
        assert (picture - expected).abs().max() <= 0.51 / 255


def test_frames_of_the_strength_zero_stay_to_the_last_bit():
    Path("keys.toml").write_text(
        "".join(
            f"[[keyframe]]\ntime = {time}\nstrength = {strength}\n"
            for time, strength in ((0, 1), (2, 0), (4, 0))
        )
    )
    folder_of("in", scene(6, flicker=0.06))
    found = video("in", "wheat", "--keyframes", "keys.toml", "--steady", "--rate", "1")
    frames = list(read_clip("in"))
    equal = [torch.equal(picture, frame.image) for picture, frame in zip(found, frames, strict=True)]
    assert equal == [False, False, True, True, True, True]


def test_a_lower_strength_mixes_the_steady_picture_with_the_frame_as_it_is(network):
    frames = frames_of(scene(3, flicker=0.06))
    found = steadied(SoundPainter(network, ["wheat"], strength=0.25)).paint(frames)
    steady = SteadyPainter(network.bind("wheat")).paint(frames)
    expected = 0.75 * torch.cat([frame.image for frame in frames]) + 0.25 * steady
    assert torch.allclose(found, expected, atol=1e-6)


class MixesFeatures(TransformNetwork):
    """At a low strength it makes something else of the frame."""

    def mixed(self, content, code, strength):
        return self(content, code) * strength


def test_a_network_that_mixes_features_is_steadied_as_a_whole():
    torch.manual_seed(0)
    painter = SoundPainter(MixesFeatures(width=1), ["style"], strength=0.5)
    frames = frames_of(scene(3, flicker=0.06))
    assert torch.equal(steadied(painter).paint(frames), SteadyPainter(painter).paint(frames))


def parts_of(network):
    """Two regions that move, one of which is silent in between."""
    folder_of("masks", [LEFT, 1 - LEFT, 1 - LEFT, LEFT, LEFT])
    folder_of("others", [1 - LEFT, LEFT, LEFT, 1 - LEFT, 1 - LEFT])

    def painter():
        loud = Curve([0, 1, 2, 3, 4], np.array([1.0, 1.0, 0.0, 0.5, 1.0]))
        painters = [
            steadied(SoundPainter(network, ["waves"], strength=loud)),
            steadied(SoundPainter(network, ["wheat"])),
        ]
        folders = [read_clip(name, rate=1) for name in ("masks", "others")]
        masks = [MovingMask(folder, (HEIGHT, WIDTH), numbered=True) for folder in folders]
        return ClipPainter(painters, masks, "style")

    return painter


def test_a_painter_goes_on_from_the_state_of_another_one_and_begins_anew(network):
    frames = frames_of(scene(5))
    painter = parts_of(network)
    first = painter()
    together = first.paint(frames)
    first.begin()
    whole = torch.cat([first.paint([frame]) for frame in frames])
    assert torch.allclose(whole, together, atol=1e-5)
    for end in range(1, 5):
        before, after = painter(), painter()
        start = [before.paint([frame]) for frame in frames[:end]]
        after.load_state_dict(decode(b"".join(bytes(part) for part in encode(before.state_dict()))))
        rest = [after.paint([frame]) for frame in frames[end:]]
        assert torch.equal(torch.cat([*start, *rest]), whole)


def test_the_masks_of_a_folder_are_those_of_the_frames_one_for_one():
    durations = [Fraction(1, 10), Fraction(1, 2), Fraction(1, 10), Fraction(3, 10)]
    frames, time = [], Fraction(0)
    for image, duration in zip(scene(4), durations, strict=True):
        frames.append(Frame(image, time, duration))
        time += duration
    write_clip("clip.png", frames)
    masks = [LEFT, 1 - LEFT, LEFT, 1 - LEFT]
    folder_of("masks", masks)
    found = video("clip.png", "wheat", "--mask", "masks")
    for picture, frame, mask in zip(found, read_clip("clip.png"), masks, strict=True):
        assert torch.equal(outside(picture, mask), outside(frame.image, mask))
        assert not torch.equal(outside(picture, 1 - mask), outside(frame.image, 1 - mask))


def test_frames_and_masks_of_a_folder_come_in_the_order_of_their_numbers():
    count = 11
    folder_of("in", [torch.full((1, 3, HEIGHT, WIDTH), (20 + 10 * index) / 255) for index in range(count)])
    folder_of("masks", [LEFT] * (count - 1) + [1 - LEFT])
    found = video("in", "wheat", "--mask", "masks")
    assert [round(float(picture[0, 0, 0, -1]) * 255) for picture in found[:-1]] == [
        20 + 10 * index for index in range(count - 1)
    ]
    assert round(float(found[-1][0, 0, 0, 0]) * 255) == 20 + 10 * (count - 1)


def test_frames_may_have_as_many_pixels_as_the_option_says(capsys):
    folder_of("in", scene(2))
    folder_of("masks", [LEFT] * 2)
    command = ["video", "in", "wheat", "--network", "named.safetensors", "--quiet", "-o", "painted"]
    assert main([*command, "--max-pixels", "700"]) == 1
    assert "it has 32 x 24 = 768 pixels, more than 700." in capsys.readouterr().err
    write_clip("clip.gif", scene(2), rate=5)
    command[1] = "clip.gif"
    assert main([*command, "--max-pixels", "700"]) == 1
    assert "Cannot read the clip 'clip.gif': it has 32 x 24 = 768 pixels" in capsys.readouterr().err
