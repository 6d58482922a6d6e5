"""Steadied painting: known pans, cuts, things that move, and runs that go on."""

import pytest
import torch
from torch.nn.functional import interpolate

from pystyle.checkpoints import decode, describe, encode
from pystyle.functional import warp
from pystyle.metrics import warping_error
from pystyle.networks import TransformNetwork
from pystyle.video import DISFlow, Frame, FramePainter, SteadyPainter, paint_clip, write_clip

pytest.importorskip("cv2")


def texture(height, width, seed=0, grid=6):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // grid + 2, width // grid + 2, generator=generator)
    return interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def pan(count, right=3, down=1, height=96, width=128):
    """Frames whose content moves to the right and down by whole pixels."""
    scene = texture(height + down * count, width + right * count)
    corners = [(down * (count - index), right * (count - index)) for index in range(count)]
    return [scene[..., y : y + height, x : x + width] for y, x in corners]


def constant_flow(image, right, down):
    return torch.tensor([float(right), float(down)]).view(1, 2, 1, 1).expand(1, 2, *image.shape[2:])


def noisy(images, generator):
    return (0.2 + 0.6 * images + 0.06 * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def brighter(images, generator):
    return 0.3 + 0.4 * images + 0.2 * torch.rand(len(images), 1, 1, 1, generator=generator)


def flickering(kind):
    generator = torch.Generator().manual_seed(7)
    return lambda images: kind(images, generator)


def painted(painter, images):
    return torch.cat([painter.paint([Frame(image, time)]) for time, image in enumerate(images)])


@pytest.mark.parametrize("kind", [noisy, brighter])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 1)])
def test_the_warping_error_of_flicker_is_divided_by_three_at_least(kind, right, down):
    frames = pan(12, right, down)
    flows = [constant_flow(frames[0], -right, -down)] * 11
    before = warping_error(flickering(kind)(torch.cat(frames)).split(1), flows)
    after = warping_error(painted(SteadyPainter(flickering(kind)), frames).split(1), flows)
    assert after < before / 3


def test_what_is_steady_already_is_left_as_it_is():
    frames = pan(8)
    pictures = painted(SteadyPainter(lambda images: 0.2 + 0.5 * images, flow=DISFlow()), frames)
    expected = 0.2 + 0.5 * torch.cat(frames)
    assert (pictures - expected)[..., 8:-8, 8:-8].abs().mean() < 0.005
    assert (pictures[1:] - expected[:-1])[..., 8:-8, 8:-8].abs().mean() > 0.05


def test_the_second_picture_is_a_blend_with_the_first_moved_along_the_flow():
    first, second = pan(2, 4, 2)
    paint = flickering(noisy)
    pictures = [paint(first), paint(second)]
    queue = iter(pictures)

    def flow(image, _):
        sign = -1 if torch.equal(image, second) else 1
        return constant_flow(image, 4 * sign, 2 * sign)

    steady = painted(SteadyPainter(lambda _: next(queue), flow=flow, strength=0.5), [first, second])
    expected = 0.5 * pictures[1] + 0.5 * warp(pictures[0], constant_flow(first, -4, -2))
    assert torch.equal(steady[:1], pictures[0])
    assert (steady[1:] - expected)[..., 8:-8, 8:-8].abs().max() < 1e-3


def test_nothing_of_the_scene_before_is_left_after_a_cut():
    frames = [*pan(4), *(texture(96, 128, seed=9, grid=9),) * 3]
    queue = iter(flickering(noisy)(torch.cat(frames)).split(1))
    pictures = list(queue)
    queue = iter(pictures)
    steady = painted(SteadyPainter(lambda _: next(queue)), frames)
    assert torch.equal(steady[4:5], pictures[4])
    assert not torch.equal(steady[3:4], pictures[3])
    assert not torch.equal(steady[5:6], pictures[5])


def test_a_cut_between_pale_scenes_is_one_as_well():
    frames = [0.4 + 0.2 * texture(96, 128, seed=seed, grid=8) for seed in (1, 2)]
    assert (frames[0] - frames[1]).abs().mean() < 0.1
    pictures = [texture(96, 128, seed=seed) for seed in (3, 4)]
    queue = iter(pictures)
    assert torch.equal(painted(SteadyPainter(lambda _: next(queue)), frames), torch.cat(pictures))


@pytest.mark.parametrize(("before", "after"), [(0.0, 1.0), (0.0, 0.3), (0.8, 0.5)])
def test_a_cut_between_frames_without_texture_is_one_as_well(before, after):
    paint = flickering(brighter)
    frames = torch.full((1, 3, 48, 64), before), torch.full((1, 3, 48, 64), after)
    pictures = [paint(frame) for frame in frames]
    queue = iter(pictures)
    assert torch.equal(painted(SteadyPainter(lambda _: next(queue)), frames), torch.cat(pictures))


def test_a_cut_from_black_leaves_no_trace_where_the_scene_is_dark():
    scene = texture(96, 128)
    scene[..., 64:] *= 0.05
    frames = [torch.zeros(1, 3, 96, 128), scene]
    queue = iter([torch.full((1, 3, 96, 128), 0.5), torch.full((1, 3, 96, 128), 0.6)])
    assert torch.equal(
        painted(SteadyPainter(lambda _: next(queue)), frames)[1:].unique(), torch.tensor([0.6])
    )


def test_something_that_moves_leaves_no_ghost():
    background, thing = texture(96, 160, grid=8) * 0.4, 0.6 + 0.4 * texture(24, 24, seed=5, grid=5)
    frames = []
    for index in range(12):
        frame = background.clone()
        frame[..., 36:60, 8 + 10 * index : 32 + 10 * index] = thing
        frames.append(frame)
    steady = painted(SteadyPainter(lambda images: images), frames)
    errors = (steady - torch.cat(frames)).abs()
    # Where it was one frame before, and two: there the frame itself has changed by half of the range. The
    # pixels at its border are a blend of both wherever it stops between two of them.
    behind = torch.stack([errors[i, :, 36:60, 8 + 10 * (i - 2) : 6 + 10 * i] for i in range(3, 12)])
    assert (frames[8] - frames[6])[0, :, 36:60, 68:86].abs().mean() > 0.4
    assert behind.mean() < 0.01
    assert behind.max() < 0.15


def test_where_the_flows_there_and_back_disagree_the_picture_is_that_of_the_painter():
    grey = torch.full((1, 3, 64, 64), 0.5)
    first = grey.clone()

    def flow(image, _):
        found = torch.zeros(1, 2, 64, 64)
        if image is not first:
            found[..., :24] = 3.0
        return found

    queue = iter([0.4 + 0 * grey, 0.5 + 0 * grey])
    painter = SteadyPainter(lambda _: next(queue), flow=flow, strength=0.5)
    painter.paint([Frame(grey, 0)])
    first = painter.state_dict()["frame"]
    steady = painter.paint([Frame(grey, 1)])
    assert torch.equal(steady[..., :20], torch.full_like(steady[..., :20], 0.5))
    assert steady[..., 32:].max() < 0.46


def test_what_is_sharp_and_moved_between_pixels_stays_in_range():
    grey = torch.full((1, 3, 64, 64), 0.5)
    stripes = (torch.arange(64) // 3 % 2).float().expand(1, 3, 64, 64)

    def flow(image, _):
        return constant_flow(image, 0.4, 0) if image is not first else constant_flow(image, -0.4, 0)

    painter = SteadyPainter(lambda images: stripes[: len(images)], flow=flow)
    painter.paint([Frame(grey, 0)])
    first = painter.state_dict()["frame"]
    picture = painter.paint([Frame(grey, 1)])
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert not torch.equal(picture, stripes)


def test_frames_and_pictures_may_lie_in_memory_that_is_used_again():
    frames = pan(4)
    expected = painted(SteadyPainter(lambda images: 1 - images), frames)
    frame, picture = torch.empty(1, 3, 96, 128), torch.empty(1, 3, 96, 128)
    painter = SteadyPainter(lambda images: picture.copy_(1 - images))
    for time, image in enumerate(frames):
        found = painter.paint([Frame(frame.copy_(image), time)])
        assert torch.equal(found, expected[time : time + 1])


def test_another_picture_of_the_same_scene_is_followed_at_once():
    still = texture(64, 64)
    queue = iter([0.1 + 0 * still, 0.1 + 0 * still, 0.8 + 0 * still])
    steady = painted(SteadyPainter(lambda _: next(queue)), [still] * 3)
    assert steady[2].min() > 0.79


class Counting(FramePainter):
    """Noise whose state is a number of frames."""

    def __init__(self):
        self._count = 0
        self.begun = 0

    def paint(self, frames):
        pictures = []
        for frame in frames:
            pictures.append(noisy(frame.image, torch.Generator().manual_seed(self._count)))
            self._count += 1
        return torch.cat(pictures)

    def begin(self):
        self._count = 0
        self.begun += 1

    def state_dict(self):
        return {"count": self._count}

    def load_state_dict(self, state):
        self._count = state["count"]


def test_a_painter_goes_on_from_the_state_of_another_one_bit_for_bit():
    frames = pan(10)
    expected = painted(SteadyPainter(Counting()), frames)
    first, second = SteadyPainter(Counting()), SteadyPainter(Counting())
    start = painted(first, frames[:5])
    state = b"".join(bytes(piece) for piece in encode(first.state_dict()))
    second.load_state_dict(decode(state))
    assert torch.equal(torch.cat([start, painted(second, frames[5:])]), expected)
    assert not torch.equal(painted(SteadyPainter(Counting()), frames[5:]), expected[5:])


def test_the_state_of_a_painter_that_has_not_begun_can_be_given_on():
    painter = SteadyPainter(Counting())
    painter.load_state_dict(decode(b"".join(bytes(part) for part in encode(painter.state_dict()))))
    assert torch.equal(painted(painter, pan(3)), painted(SteadyPainter(Counting()), pan(3)))


def test_batches_give_the_same_pictures():
    frames = [Frame(image, time) for time, image in enumerate(pan(7))]
    expected = painted(SteadyPainter(Counting()), pan(7))
    painter = SteadyPainter(Counting())
    parts = [painter.paint(frames[:3]), painter.paint(frames[3:4]), painter.paint(frames[4:])]
    assert torch.equal(torch.cat(parts), expected)


def test_a_clip_that_begins_knows_nothing_of_the_one_before():
    painter = SteadyPainter(Counting())
    first = painted(painter, pan(4))
    painter.begin()
    assert painter.painter.begun == 1
    assert torch.equal(painted(painter, pan(4)), first)


def test_what_is_changed_in_a_picture_afterwards_does_not_come_back():
    frames = pan(3)
    expected = painted(SteadyPainter(Counting()), frames)
    painter = SteadyPainter(Counting())
    for time, frame in enumerate(frames):
        picture = painter.paint([Frame(frame.clone(), time)])
        assert torch.equal(picture, expected[time : time + 1])
        picture.zero_()


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (1, 40), (37, 53)])
def test_small_and_odd_sizes_are_painted(size):
    frames = [texture(*size)] * 4
    pictures = painted(SteadyPainter(flickering(brighter)), frames)
    assert pictures.shape == (4, 3, *size)
    assert torch.equal(pictures[:1], flickering(brighter)(frames[0]))
    assert ((pictures >= 0) & (pictures <= 1)).all()


def test_frames_of_another_size_begin_anew():
    paint = flickering(brighter)
    frames = [texture(32, 48), texture(32, 48), texture(48, 32)]
    pictures = [paint(frame) for frame in frames]
    queue = iter(pictures)
    painter = SteadyPainter(lambda _: next(queue))
    found = [painter.paint([Frame(frame, 0)]) for frame in frames]
    assert torch.equal(found[2], pictures[2])
    assert not torch.equal(found[1], pictures[1])


def test_without_strength_each_picture_is_that_of_the_painter():
    frames = pan(4)
    expected = flickering(noisy)(torch.cat(frames))
    queue = iter(expected.split(1))
    assert torch.equal(painted(SteadyPainter(lambda _: next(queue), strength=0), frames), expected)


def test_where_the_flow_is_no_number_the_picture_is_that_of_the_painter():
    def flow(image, _):
        found = torch.zeros(1, 2, *image.shape[2:])
        found[..., :8] = float("nan")
        return found

    still = texture(64, 64)
    pictures = [0.4 + 0 * still, 0.5 + 0 * still]
    queue = iter(pictures)
    steady = painted(SteadyPainter(lambda _: next(queue), flow=flow, strength=0.5), [still] * 2)
    assert torch.equal(steady[1, :, :, :8], pictures[1][0, :, :, :8])
    assert steady[1, :, :, 16:].max() < 0.46


def test_a_run_is_recognised_by_its_settings_and_not_by_what_is_remembered():
    painter = SteadyPainter(Counting())
    before = describe({"painter": painter})
    painter.paint([Frame(pan(1)[0], 0)])
    assert describe({"painter": painter}) == before
    assert describe({"painter": SteadyPainter(Counting(), strength=0.5)}) != before


def test_what_cannot_be_steadied_is_refused():
    with pytest.raises(ValueError, match=r"`strength` must be in \[0, 0.9\], got 1"):
        SteadyPainter(lambda images: images, strength=1)
    with pytest.raises(TypeError, match=r"got a TransformNetwork without a style. Bind one first"):
        SteadyPainter(TransformNetwork(width=1))
    with pytest.raises(TypeError, match=r"`painter` must be a function .* got a NoneType"):
        SteadyPainter(None)
    frame = Frame(torch.zeros(1, 3, 8, 8), 0)
    with pytest.raises(ValueError, match=r"`painter` must give .* \(1, 3, 8, 8\), got \(1, 3, 4, 4\)"):
        SteadyPainter(lambda images: images[..., ::2, ::2]).paint([frame])
    painter = SteadyPainter(lambda images: images, flow=lambda *_: torch.zeros(1, 2, 4, 4))
    painter.paint([frame])
    with pytest.raises(ValueError, match=r"`flow` must give a flow of the shape \(1, 2, 8, 8\)"):
        painter.paint([frame])


def test_a_clip_that_was_interrupted_goes_on_with_the_same_bytes(tmp_path):
    pytest.importorskip("av")
    clip, counts = tmp_path / "clip.mp4", []
    write_clip(clip, pan(12), rate=6)

    def paint(name, *, stop=False, resume=False):
        def count(progress):
            counts.append(progress.frames)
            if stop and len(counts) == 8:
                raise KeyboardInterrupt

        counts.clear()
        paint_clip(
            clip,
            SteadyPainter(Counting()),
            tmp_path / f"{name}.mp4",
            checkpoint=tmp_path / name,
            segment_seconds=0.5,
            resume=resume,
            progress=count,
        )
        return (tmp_path / f"{name}.mp4").read_bytes()

    whole = paint("whole")
    with pytest.raises(KeyboardInterrupt):
        paint("parts", stop=True)
    assert paint("parts", resume=True) == whole
    assert 0 < len(counts) < 12
