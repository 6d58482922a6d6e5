"""A painter and a source that does not wait for it, on a clock that the test moves."""

import gc
import weakref
from fractions import Fraction
from types import SimpleNamespace

import pytest
import torch

from pystyle.images import ImageReadError
from pystyle.networks import TransformNetwork
from pystyle.video import Clip, Frame, read_clip, write_clip
from pystyle.video.live import paint_live, play_clip

# Of frames at 25 a second a picture takes 0.1234 seconds: after k pictures it is k * 0.1234, and the newest
# frame is that with the number k * 0.1234 * 25, rounded down.
SLOW = 0.1234


def test_the_newest_frame_is_painted_and_those_before_it_are_dropped(clock, slow, device, number_of):
    shown, painter = [], slow(SLOW)
    result = paint_live(device(20, 25), painter, show=shown.append, stop=clock.idle, clock=clock)
    assert [number_of(frame) for frame in shown] == [0, 3, 6, 9, 12, 15, 18, 19]
    assert [frame.time for frame in shown] == [Fraction(n, 25) for n in (0, 3, 6, 9, 12, 15, 18, 19)]
    assert (result.painted, result.dropped, result.stop_reason) == (8, 12, "ended")
    assert painter.begun == 1


def test_a_picture_is_late_by_one_painting_and_one_frame_at_most(clock, slow, device):
    late, painter = [], slow(1.3)
    result = paint_live(
        device(500, 25),
        painter,
        show=lambda frame: late.append(clock.now() - float(frame.time)),
        stop=clock.idle,
        clock=clock,
    )
    # One each 1.3 seconds. The last one, which nothing follows, came at 19.96, and waited until 20.8.
    assert len(late) == result.painted == 17
    assert min(late) >= 1.3 - 1e-9
    assert max(late[:-1]) <= 1.3 + 1 / 25 + 1e-9
    assert late[-1] == pytest.approx(20.8 - 19.96 + 1.3)
    assert result.longest_latency == pytest.approx(max(late))
    assert result.latency == pytest.approx(sum(late) / len(late))


def test_a_fast_painter_drops_nothing(clock, slow, device, number_of):
    shown = []
    result = paint_live(device(30, 25), slow(0.01), show=shown.append, stop=clock.idle, clock=clock)
    assert [number_of(frame) for frame in shown] == list(range(30))
    assert (result.painted, result.dropped) == (30, 0)
    assert result.latency == pytest.approx(0.01)
    # The last one comes after 29 / 25 seconds.
    assert result.seconds == pytest.approx(29 / 25 + 0.01, abs=0.05)


@pytest.mark.slow
def test_a_few_frames_are_in_memory_however_many_are_dropped(clock, slow, device):
    alive, most = weakref.WeakSet(), []

    painter = slow(4.0)

    def show(_):
        gc.collect()
        most.append(len(alive))

    result = paint_live(device(300, 25, alive.add), painter, show=show, stop=clock.idle, clock=clock)
    assert result.dropped > 290
    # That which is painted, the newest, and that which the source holds.
    assert max(most) <= 3


def test_time_ends_it(clock, slow, device):
    result = paint_live(device(500, 25), slow(0.5), seconds=2.2, stop=clock.idle, clock=clock)
    assert (result.painted, result.stop_reason) == (5, "stopped")
    clock.finish()


def test_stop_ends_it_before_the_next_picture(clock, slow, device):
    count = iter(range(100))

    def stop():
        clock.idle()
        if next(count) < 3:
            return False
        clock.finish()
        return True

    result = paint_live(device(50, 25), slow(0.01), stop=stop, clock=clock)
    assert (result.painted, result.stop_reason) == (3, "stopped")


def test_progress_tells_after_each_picture_how_it_goes(clock, slow, device):
    told = []
    paint_live(device(20, 25), slow(SLOW), progress=told.append, stop=clock.idle, clock=clock)
    assert [found.painted for found in told] == [1, 2, 3, 4, 5, 6, 7, 8]
    # After the first, frames 1 to 3 have come, of which the last is waiting.
    assert [found.dropped for found in told] == [2, 4, 6, 8, 10, 12, 12, 12]
    assert all(found.stop_reason is None for found in told)
    assert told[1].seconds == pytest.approx(2 * SLOW)
    assert told[1].frames_per_second == pytest.approx(1 / SLOW)


def test_a_painter_may_use_its_memory_again(clock, slow, device, number_of):
    shown, painter, memory = [], slow(0.01), torch.empty(1, 3, 4, 6)
    paint = painter.paint
    painter.paint = lambda frames: memory.copy_(paint(frames))
    paint_live(device(4, 25), painter, show=shown.append, stop=clock.idle, clock=clock)
    assert [number_of(frame) for frame in shown] == [0, 1, 2, 3]


def test_a_recording_has_the_times_of_the_frames(clock, slow, device, tmp_path):
    path = tmp_path / "out.mkv"
    paint_live(device(20, 25), slow(SLOW), output=path, stop=clock.idle, clock=clock)
    times = [frame.time for frame in read_clip(path)]
    assert times == [Fraction(n, 25) for n in (0, 3, 6, 9, 12, 15, 18, 19)]


def test_a_recording_begins_with_its_first_picture(clock, slow, device, tmp_path, found):
    class Late(Clip):
        """Its first frames are lost."""

        def __init__(self, clip):
            vars(self).update(vars(clip))
            self._clip = clip

        def frames(self, first=0):
            return self._clip.frames(first + 5)

        def digest(self):
            return ""

    path = tmp_path / "frames.mkv"
    shown = []
    paint_live(Late(device(10, 25)), slow(0.01), output=path, show=shown.append, stop=clock.idle, clock=clock)
    assert shown[0].time == Fraction(1, 5)
    assert found(path)[0] == [Fraction(n, 25) for n in range(5)]


def test_pictures_that_fall_on_one_time_of_the_file_are_one(clock, slow, device, tmp_path):
    # 400 a second, and a GIF has hundredths.
    path = tmp_path / "out.gif"
    result = paint_live(device(40, 400), slow(0.0001), output=path, stop=clock.idle, clock=clock)
    assert result.painted == 40
    times = [frame.time for frame in read_clip(path)]
    # From 0 to 39 / 400 seconds, rounded to hundredths.
    assert times == [Fraction(n, 100) for n in range(11)]


def interrupt_after(count, clock):
    """What takes so many pictures before Ctrl-C."""
    left = iter(range(count))

    def show(_):
        if next(left, None) is None:
            clock.finish()
            raise KeyboardInterrupt

    return show


def test_ctrl_c_ends_it_with_a_whole_recording(clock, slow, device, tmp_path):
    path = tmp_path / "out.mp4"
    result = paint_live(
        device(50, 25), slow(0.01), show=interrupt_after(4, clock), output=path, stop=clock.idle, clock=clock
    )
    assert (result.painted, result.stop_reason) == (4, "interrupted")
    assert len(list(read_clip(path))) == 4


def test_an_error_of_the_painter_leaves_what_was_recorded(clock, slow, device, tmp_path):
    path, painter = tmp_path / "out.mp4", slow(0.01)
    paint, left = painter.paint, iter(range(3))

    def failing(frames):
        if next(left, None) is None:
            clock.finish()
            raise RuntimeError("no paint")
        return paint(frames)

    painter.paint = failing
    with pytest.raises(RuntimeError, match="no paint"):
        paint_live(device(50, 25), painter, output=path, stop=clock.idle, clock=clock)
    assert len(list(read_clip(path))) == 3


class Broken(Clip):
    """Gives two frames and an error."""

    name, height, width, rate, time_base = "cable", 4, 6, Fraction(10), Fraction(1, 10)

    def frames(self, first=0):
        assert not first
        yield Frame(torch.zeros(1, 3, 4, 6), Fraction(0))
        yield Frame(torch.ones(1, 3, 4, 6), Fraction(1, 10))
        raise ImageReadError("The cable is out.")

    def digest(self):
        return ""


def test_an_error_of_the_source_comes_after_its_last_frame(tmp_path):
    shown, path = [], tmp_path / "out.mp4"
    with pytest.raises(ImageReadError, match="The cable is out"):
        paint_live(Broken(), lambda images: images, show=shown.append, output=path)
    assert float(shown[-1].image.mean()) == 1
    assert len(list(read_clip(path))) == len(shown)


class Empty(Broken):
    def frames(self, first=0):
        return iter([][first:])


def test_a_source_without_frames_leaves_no_file(tmp_path):
    result = paint_live(Empty(), lambda images: images, output=tmp_path / "out.mp4")
    assert (result.painted, result.dropped, result.stop_reason) == (0, 0, "ended")
    assert (result.latency, result.frames_per_second) == (0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_recorded_is_known_before_the_first_frame(tmp_path):
    def paint(_):
        raise AssertionError

    with pytest.raises(FileNotFoundError, match="does not exist"):
        paint_live(Broken(), paint, output=tmp_path / "missing" / "out.mp4")
    with pytest.raises(ValueError, match="must end in one of"):
        paint_live(Broken(), paint, output=tmp_path / "out.txt")


def test_frames_are_made_smaller_before_they_are_painted():
    sizes = []

    def paint(images):
        sizes.append(tuple(images.shape))
        return images

    with pytest.raises(ImageReadError, match="cable"):
        paint_live(Broken(), paint, edge_size=2)
    assert set(sizes) == {(1, 3, 2, 3)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": 0}, "`seconds` must be"),
        ({"edge_size": 0}, "`edge_size` must be"),
        ({"edge_size": 2, "edge": "thick"}, "edge"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paint_live(Broken(), lambda images: images, **arguments)


def test_pictures_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="of the shape of the frames"):
        paint_live(Broken(), lambda images: images[..., :2])


def test_frames_of_a_file_come_at_their_times(clock, slow, device, number_of):
    came = []

    def show(frame):
        came.append((number_of(frame), clock.now()))

    paint_live(device(10, 4), slow(0.0), show=show, stop=clock.idle, clock=clock)
    assert came == [(n, pytest.approx(n / 4)) for n in range(10)]


def test_a_played_file_lasts_until_its_last_frame_has_been_shown(tmp_path):
    write_clip(tmp_path / "clip.png", [torch.rand(1, 3, 4, 6) for _ in range(3)], rate=4)
    waited = []
    clock = SimpleNamespace(now=lambda: 7.0, wait_until=waited.append)
    assert len(list(play_clip(tmp_path / "clip.png", clock=clock))) == 3
    assert waited == [7.0, 7.25, 7.5, 7.75]


def test_a_played_file_has_the_facts_and_the_frames_of_the_file(tmp_path):
    path = tmp_path / "clip.mp4"
    images = [torch.full((1, 3, 16, 32), index / 10) for index in range(4)]
    write_clip(path, images, rate=200)
    clip, played = read_clip(path), play_clip(path)
    assert repr(played) == repr(clip)
    assert played.digest() == clip.digest()
    for frame, expected in zip(played, clip, strict=True):
        assert frame.time == expected.time
        assert torch.equal(frame.image, expected.image)


def test_what_is_no_clip_or_no_painter_is_refused_with_what_to_write_instead():
    with pytest.raises(TypeError, match=r"`clip` must be a Clip, got a str\. `read_camera`, .*`play_clip`"):
        paint_live("clip.mp4", lambda images: images)
    with pytest.raises(TypeError, match=r"got a TransformNetwork without a style\. Bind one first"):
        paint_live(Broken(), TransformNetwork(width=1))
    with pytest.raises(TypeError, match=r"`clip` must be a Clip, a path or a binary file object, got list\."):
        play_clip([Frame(torch.zeros(1, 3, 4, 6), 0)])
