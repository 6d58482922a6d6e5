"""Cameras, screens and windows, as far as a machine without any of them has them."""

import importlib.util
import sys
from fractions import Fraction
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from pystyle.images import ImageReadError
from pystyle.video import Frame, write_clip
from pystyle.video.live import PreviewWindow, paint_live, read_camera, read_screen

COLOR = torch.tensor([0.8, 0.4, 0.2]).view(1, 3, 1, 1)


class Ticking:
    """A clock that goes on by itself, a quarter of a second each time that it is looked at."""

    def __init__(self):
        self._now = 100.0

    def now(self):
        self._now += 0.25
        return self._now

    def wait_until(self, moment):
        raise AssertionError(moment)


@pytest.fixture
def camera_file(tmp_path):
    """A clip of one colour, which OpenCV reads as it reads a camera."""
    pytest.importorskip("cv2")
    path = tmp_path / "camera.mp4"
    write_clip(path, [COLOR.expand(1, 3, 48, 64).contiguous()] * 5, rate=10)
    return path


def test_a_camera_has_its_size_and_its_colours(camera_file):
    camera = read_camera(camera_file)
    assert (camera.height, camera.width, camera.rate, camera.num_frames) == (48, 64, 10, None)
    frame = next(iter(camera))
    assert frame.image.shape == (1, 3, 48, 64)
    assert float((frame.image - COLOR).abs().max()) < 3 / 255


def test_frames_of_a_camera_have_the_times_at_which_they_came(camera_file):
    times = [frame.time for frame in read_camera(camera_file, clock=Ticking())]
    # The first picture told the size.
    assert times == [Fraction(n, 4) for n in range(4)]


def test_times_go_on_where_a_clock_stands_still(camera_file):
    clock = SimpleNamespace(now=lambda: 5.0)
    times = [frame.time for frame in read_camera(camera_file, clock=clock)]
    assert times == [Fraction(n, 90_000) for n in range(4)]


def test_a_camera_is_painted_and_recorded(camera_file, tmp_path):
    shown = []
    result = paint_live(
        read_camera(camera_file), lambda images: 1 - images, show=shown.append, output=tmp_path / "out.mkv"
    )
    assert result.stop_reason == "ended"
    assert result.painted + result.dropped == 4
    assert float((shown[-1].image - (1 - COLOR)).abs().max()) < 3 / 255


def test_a_camera_cannot_be_gone_back_in(camera_file):
    with pytest.raises(ValueError, match="cannot be read again"):
        read_camera(camera_file).digest()


def test_a_missing_camera_is_one_sentence(capfd):
    pytest.importorskip("cv2")
    with pytest.raises(ImageReadError, match="Cannot read the clip 'camera 77': there is no such camera"):
        read_camera(77)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [{"camera": -1}, {"width": 0}, {"height": -2}, {"rate": 0}])
def test_impossible_arguments_of_a_camera_are_refused(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must "):
        read_camera(**arguments)


class FakeCapture:
    """A camera that is there, and black."""

    pictures = 0

    def __init__(self, camera):
        self.camera, self.asked, self.left = camera, {}, self.pictures

    def isOpened(self):  # noqa: N802
        return True

    def set(self, name, value):
        self.asked[name] = value

    def get(self, name):
        # Many drivers know no rate.
        return 0.0 if name == "fps" else None

    def read(self):
        self.left -= 1
        return (True, np.zeros((6, 8, 3), np.uint8)) if self.left >= 0 else (False, None)

    def release(self):
        self.asked["released"] = True


@pytest.fixture
def fake_cv2(monkeypatch):
    """A module in place of OpenCV, with a camera and a window that write down what they are asked for."""
    module = ModuleType("cv2")
    captures, window = [], SimpleNamespace(key=-1, visible=1.0, shown=[], size=None, open=[])

    def capture(camera):
        captures.append(FakeCapture(camera))
        return captures[-1]

    module.VideoCapture = capture
    module.CAP_PROP_FPS, module.CAP_PROP_FRAME_WIDTH, module.CAP_PROP_FRAME_HEIGHT = "fps", "w", "h"
    module.CAP_PROP_BUFFERSIZE = "buffer"
    module.utils = SimpleNamespace(
        logging=SimpleNamespace(LOG_LEVEL_SILENT=0, setLogLevel=lambda level: 3 - level)
    )
    module.error = RuntimeError
    module.WINDOW_NORMAL, module.WINDOW_KEEPRATIO, module.WND_PROP_VISIBLE = 1, 2, 3
    module.namedWindow = lambda title, flags: window.open.append((title, flags))
    module.destroyWindow = lambda title: window.open.append(("closed", title))
    module.getWindowProperty = lambda title, name: window.visible if title and name == 3 else -1
    module.resizeWindow = lambda title, width, height: setattr(window, "size", (title, width, height))
    module.imshow = lambda title, pixels: window.shown.append((title, pixels.copy()))
    module.waitKey = lambda wait: window.key if wait else 0
    module.captures, module.window = captures, window
    monkeypatch.setitem(sys.modules, "cv2", module)
    monkeypatch.setenv("DISPLAY", ":0")
    return module


def test_a_camera_is_asked_for_a_size_and_given_back(fake_cv2, monkeypatch):
    monkeypatch.setattr(FakeCapture, "pictures", 3)
    camera = read_camera(2, width=640, height=480, rate=60)
    (capture,) = fake_cv2.captures
    assert (capture.camera, capture.asked) == (2, {"w": 640, "h": 480, "fps": 60, "buffer": 1})
    # What it has is not what was asked for, and no rate is 30.
    assert (camera.width, camera.height, camera.rate, camera.name) == (8, 6, 30, "camera 2")
    assert len(list(camera)) == 2
    assert capture.asked["released"]
    assert len(list(camera)) == 3
    assert len(fake_cv2.captures) == 2


def test_a_camera_without_pictures_is_given_back(fake_cv2):
    with pytest.raises(ImageReadError, match="it is there, and gives no pictures"):
        read_camera()
    assert fake_cv2.captures[0].asked["released"]


def test_without_opencv_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"A camera needs OpenCV.*pystyle-nst\[camera\]"):
        read_camera()
    with pytest.raises(ImportError, match=r"A window needs OpenCV.*pystyle-nst\[camera\]"), PreviewWindow():
        pass


def test_a_window_shows_colours_in_the_order_of_opencv(fake_cv2):
    with PreviewWindow("painted") as window:
        window.show(Frame(COLOR.expand(1, 3, 4, 6), Fraction(0)))
        assert not window.closed()
    ((title, pixels),) = fake_cv2.window.shown
    assert (title, pixels.shape, pixels[0, 0].tolist()) == ("painted", (4, 6, 3), [51, 102, 204])
    assert fake_cv2.window.size == ("painted", 6, 4)
    assert fake_cv2.window.open == [("painted", 3), ("closed", "painted")]


@pytest.mark.parametrize(("key", "closed"), [(-1, False), (ord("q"), True), (27, True), (ord("a"), False)])
def test_keys_close_a_window(fake_cv2, key, closed):
    fake_cv2.window.key = key
    with PreviewWindow() as window:
        assert window.closed() is closed


def test_a_window_that_was_closed_ends_the_loop(fake_cv2, monkeypatch):
    monkeypatch.setattr(FakeCapture, "pictures", 10**6)

    def paint(images):
        if len(fake_cv2.window.shown) == 2:
            fake_cv2.window.visible = 0.0
        return images

    with PreviewWindow() as window:
        result = paint_live(read_camera(), paint, show=window.show, stop=window.closed)
    assert (result.painted, result.stop_reason) == (3, "stopped")
    # One that is gone is not closed again.
    assert fake_cv2.window.open == [("pystyle", 3)]


def test_a_window_must_be_open(fake_cv2):
    assert fake_cv2.window.shown == []
    with pytest.raises(ValueError, match="Use it in a `with` statement"):
        PreviewWindow().show(Frame(torch.zeros(1, 3, 4, 4), Fraction(0)))


def test_opencv_without_windows_is_one_sentence(fake_cv2, monkeypatch):
    def refuse(title, flags):
        raise fake_cv2.error(f"The function is not implemented. {title} {flags}")

    monkeypatch.setattr(fake_cv2, "namedWindow", refuse)
    with pytest.raises(ImportError, match="This OpenCV has no windows"), PreviewWindow():
        pass


def is_headless():
    return importlib.util.find_spec("cv2") is not None and any(
        "headless" in name for name in importlib.metadata.packages_distributions().get("cv2", ())
    )


@pytest.mark.skipif(not is_headless(), reason="needs opencv-python-headless")
def test_the_headless_opencv_has_no_windows(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":77")
    with pytest.raises(ImportError, match="This OpenCV has no windows"), PreviewWindow():
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_without_a_screen_there_is_no_window(fake_cv2, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OSError, match="neither DISPLAY nor WAYLAND_DISPLAY"), PreviewWindow():
        pass
    assert fake_cv2.window.open == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of Linux")
def test_without_a_screen_there_is_nothing_to_grab(monkeypatch):
    pytest.importorskip("av")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(ImageReadError, match="Cannot read the screen: there is none"):
        read_screen()
    monkeypatch.setenv("DISPLAY", ":77")
    with pytest.raises(ImageReadError, match="Cannot read the clip 'the screen'"):
        read_screen()


def test_a_screen_is_what_ffmpeg_grabs(monkeypatch):
    av = pytest.importorskip("av")
    if "lavfi" not in av.formats_available:
        pytest.skip("FFmpeg without its source of test pictures")
    from pystyle.video.live._screen import Device

    pictures = "color=c=0xCC6633:size=64x48:rate={}:duration=0.5,format=bgr0"
    monkeypatch.setattr(
        "pystyle.video.live._screen.device_of_screen", lambda rate: Device(pictures.format(rate), "lavfi", {})
    )
    screen = read_screen(rate=10, clock=Ticking())
    assert (screen.height, screen.width, screen.rate) == (48, 64, 10)
    frames = list(screen)
    assert [frame.time for frame in frames] == [Fraction(n, 4) for n in range(5)]
    assert float((frames[0].image - COLOR).abs().max()) < 1 / 255
