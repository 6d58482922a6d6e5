"""Clips as streams: the same pictures as with all frames at once, from any state, and after a kill."""

import os
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from functools import partial

import pytest
import torch
from torch import nn

from pystyle.checkpoints import decode, describe, encode
from pystyle.encoders import SequentialEncoder
from pystyle.papers import ruder_2016
from pystyle.runner import RunInterrupted
from pystyle.video import DISFlow, Frame, paint_clip, read_clip, write_clip

HEIGHT, WIDTH, STEP = 32, 40, 2
ADAM = partial(torch.optim.Adam, lr=0.05)


@pytest.fixture(scope="module")
def encoder():
    """The layers that the losses ask for, each a small convolution, so that frames take milliseconds."""
    generator = torch.Generator().manual_seed(0)
    modules = {}
    for index, name in enumerate(("1_1", "2_1", "3_1", "4_1", "4_2", "5_1")):
        conv = nn.Conv2d(3 if index == 0 else 6, 6, 3, padding=1)
        with torch.no_grad():
            for parameter in conv.parameters():
                parameter.uniform_(-0.5, 0.5, generator=generator)
        modules |= {f"conv{name}": conv, f"relu{name}": nn.ReLU()}
    return SequentialEncoder(modules)


@pytest.fixture(scope="module")
def images(picture):
    """A crop that moves over a smooth picture to the right by two pixels a frame."""
    whole = picture(0, HEIGHT, WIDTH + 16, torch.float32)
    return [whole[..., STEP * index : STEP * index + WIDTH].contiguous() for index in range(6)]


@pytest.fixture(scope="module")
def style(picture):
    return picture(1, 32, 32, torch.float32)


def as_frames(images):
    return [Frame(image, Fraction(index, 25)) for index, image in enumerate(images)]


def by_number(i, j):
    """What is at x in frame i is at x - 2 (j - i) in frame j."""
    return torch.tensor([-float(STEP * (j - i)), 0.0]).reshape(1, 2, 1, 1).expand(1, 2, HEIGHT, WIDTH)


def known_flow(images):
    """The same flow of the images, which it knows by their pixels; `asked` are the numbers."""
    asked = []

    def flow(image, other):
        i, j = (
            next(n for n, known in enumerate(images) if torch.equal(known, each)) for each in (image, other)
        )
        asked.append((i, j))
        return by_number(i, j)

    flow.asked = asked
    return flow


VARIANTS = {
    "as it is": {},
    "several distances": {"distances": (3, 1), "variant": "paper"},
    "from the previous one": {"init": "previous", "temporal_weight": 0.0},
    "frames alone": {"init": "random", "temporal_weight": 0.0, "seed": 5},
    "from the content": {"init": "content", "distances": (2,)},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_stream_becomes_what_the_frames_become_at_once(images, style, encoder, name):
    settings = {"encoder": encoder, "optimizer": ADAM, "num_steps": (3, 2), **VARIANTS[name]}
    results = ruder_2016.style_transfer(images, style, by_number, **settings)
    wanted = torch.cat([result.image for result in results])
    painter = ruder_2016.RuderPainter(style, known_flow(images), **settings)
    frames = as_frames(images)
    found = torch.cat([painter.paint(frames[:1]), painter.paint(frames[1:4]), painter.paint(frames[4:])])
    assert torch.equal(found, wanted)
    assert float((wanted[1] - wanted[0]).abs().mean()) > 1e-3
    depth = {"several distances": 3, "frames alone": 0, "from the content": 2}.get(name, 1)
    state = painter.state_dict()
    assert (state["count"], len(state["images"]), len(state["pictures"])) == (6, depth, depth)


@pytest.mark.parametrize("distances", [(1,), (1, 3)])
def test_a_painter_goes_on_from_the_state_of_another_one(images, style, encoder, distances):
    settings = {"encoder": encoder, "optimizer": ADAM, "num_steps": (3, 2), "distances": distances}
    frames = as_frames(images)
    whole = ruder_2016.RuderPainter(style, known_flow(images), **settings).paint(frames)
    first = ruder_2016.RuderPainter(style, known_flow(images), **settings)
    pieces = [first.paint(frames[:2])]
    second = ruder_2016.RuderPainter(style, known_flow(images), **settings)
    second.paint(frames[3:5])  # of another clip, which the state replaces
    second.load_state_dict(decode(b"".join(encode(first.state_dict()))))
    pieces.append(second.paint(frames[2:]))
    assert torch.equal(torch.cat(pieces), whole)
    second.begin()
    assert torch.equal(second.paint(frames[:3]), whole[:3])


def test_flows_are_asked_for_once_and_between_the_frames_of_the_distances_only(images, style, encoder):
    flow = known_flow(images)
    painter = ruder_2016.RuderPainter(style, flow, encoder=encoder, num_steps=(0, 0), distances=(1, 3))
    painter.paint(as_frames(images[:5]))
    pairs = [(1, 0), (2, 1), (3, 2), (4, 3), (3, 0), (4, 1)]
    assert Counter(flow.asked) == Counter([*pairs, *(pair[::-1] for pair in pairs)])


def test_pictures_move_as_the_flow_of_opencv_says(picture, style, encoder):
    pytest.importorskip("cv2")
    whole = picture(3, 24, 40)
    whole = torch.nn.functional.interpolate(whole, (96, 160), mode="bicubic").clamp(0, 1).float()
    images = [whole[..., 4 * index : 4 * index + 128].contiguous() for index in range(2)]
    painter = ruder_2016.RuderPainter(style, encoder=encoder, num_steps=(0, 0))
    assert (painter.flow.preset, painter.flow.scale) == ("medium", 1.0)
    # The frame before was painted as itself, so that this one begins as itself if it is moved as it should.
    painter.load_state_dict({"count": 1, "images": images[:1], "pictures": images[:1]})
    found = painter.paint([Frame(images[1], Fraction(1, 25))])
    inner = (..., slice(8, -8), slice(8, -12))
    assert float((found - images[1])[inner].abs().mean()) < 0.01
    assert float((images[0] - images[1])[inner].abs().mean()) > 0.04


def test_the_frames_of_a_stream_may_be_written_to_afterwards(images, style, encoder):
    settings = {"encoder": encoder, "optimizer": ADAM, "num_steps": (2, 2)}
    whole = ruder_2016.RuderPainter(style, known_flow(images), **settings).paint(as_frames(images[:2]))
    painter = ruder_2016.RuderPainter(style, known_flow(images), **settings)
    own = images[0].clone()
    picture = painter.paint([Frame(own, Fraction(0))])
    assert torch.equal(picture, whole[:1])
    picture.zero_()
    own.zero_()
    assert torch.equal(painter.paint(as_frames(images)[1:2]), whole[1:])


def test_an_interrupt_ends_the_clip_and_leaves_what_is_remembered(images, style, encoder):
    calls = []

    def interrupt(step):
        calls.append(step.index)
        if len(calls) == 6:
            raise KeyboardInterrupt

    settings = {"encoder": encoder, "optimizer": ADAM, "num_steps": (2, 2)}
    frames = as_frames(images)
    whole = ruder_2016.RuderPainter(style, known_flow(images), **settings).paint(frames[:3])
    painter = ruder_2016.RuderPainter(style, known_flow(images), callbacks=(interrupt,), **settings)
    painter.paint(frames[:1])
    with pytest.raises(RunInterrupted) as caught:
        painter.paint(frames[1:3])
    # 2 steps of each frame; the second step of the third one was taken.
    assert caught.value.result.steps in (1, 2)
    assert caught.value.result.image.shape == whole[2:].shape
    assert painter.state_dict()["count"] == 1
    assert torch.equal(painter.paint(frames[1:3]), whole[1:])


def test_settings_are_what_a_run_is_recognised_by_and_what_watches_is_not(images, style, encoder):
    def described(**settings):
        return describe({"painter": ruder_2016.RuderPainter(style, by_number, encoder=encoder, **settings)})

    painter = ruder_2016.RuderPainter(style, known_flow(images), encoder=encoder, num_steps=(0, 0))
    before = describe({"painter": painter})
    painter.paint(as_frames(images[:2]))
    assert describe({"painter": painter}).items() - before.items() == {
        # The list of the flow in this test, which grows.
        (key, value)
        for key, value in describe({"painter": painter}).items()
        if ".asked" in key
    }
    assert described(callbacks=(print,)) == described()
    for changed in ({"seed": 1}, {"init": "content"}, {"num_steps": (5, 5)}, {"style_weight": 3.0}):
        (name,) = changed
        assert any(name in key for key, _ in described(**changed).items() - described().items())


def test_what_cannot_be_painted_is_told(images, style, encoder, monkeypatch):
    def painter(**settings):
        return ruder_2016.RuderPainter(style, known_flow(images), encoder=encoder, **settings)

    with pytest.raises(ValueError, match="`num_steps` must be two numbers, for the first frame and for each"):
        painter(num_steps=(5,))
    with pytest.raises(ValueError, match=r"`num_steps\[1\]` must not be negative, got -1"):
        painter(num_steps=(5, -1))
    with pytest.raises(ValueError, match="`tolerance` must not be negative"):
        painter(tolerance=-1.0)
    with pytest.raises(ValueError, match="`distances` must have at least one number of frames, got none"):
        painter(distances=())
    with pytest.raises(ValueError, match=r"`init` must be .*, got 'first'"):
        painter(init="first")
    small = painter(num_steps=(0, 0))
    small.paint(as_frames(images[:1]))
    with pytest.raises(ValueError, match=r"of one size, got \(1, 3, 32, 39\) after .*Call `begin\(\)`"):
        small.paint([Frame(images[1][..., :-1], Fraction(1))])
    with pytest.raises(ValueError, match=r"`frame.image` must .*\[0, 1\]"):
        small.paint([Frame(images[1] + 1, Fraction(1))])
    assert small.state_dict()["count"] == 1
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r"pystyle-nst\[flow\]"):
        ruder_2016.RuderPainter(style, encoder=encoder)
    with pytest.raises(ImportError, match=r"pystyle-nst\[flow\]"):
        DISFlow()


class Stopping:
    """A flow that stops the program at one of its calls."""

    def __init__(self, flow, calls):
        self._flow, self._left = flow, calls

    def __call__(self, image, other):
        self._left -= 1
        if self._left < 0:
            raise InterruptedError
        return self._flow(image, other)


def test_a_clip_goes_on_after_its_last_frame_and_has_the_pictures_of_the_frames(
    images, style, encoder, tmp_path
):
    pytest.importorskip("av")
    source, output, run = tmp_path / "clip.png", tmp_path / "frames", tmp_path / "run"
    write_clip(source, images, rate=25)
    clip = list(read_clip(source))
    settings = {"encoder": encoder, "optimizer": ADAM, "num_steps": (3, 2), "distances": (1, 2)}
    decoded = [frame.image for frame in clip]
    results = ruder_2016.style_transfer(decoded, style, by_number, **settings)
    flow, painted = known_flow(decoded), []
    kept = {"checkpoint": run, "segment_seconds": 0, "resume": True}
    # Two flows for the second frame, and four for each further one.
    for calls, wanted in ((0, 1), (6, 2), (1_000, 3)):
        painter = ruder_2016.RuderPainter(style, Stopping(flow, calls), **settings)
        frames = []
        try:
            paint_clip(source, painter, output, progress=frames.append, **kept)
        except InterruptedError:
            assert not output.exists()
        painted.append(len(frames))
        assert len(frames) == wanted
    assert sum(painted) == len(images)
    found = [frame.image for frame in read_clip(output)]
    for each, result in zip(found, results, strict=True):
        assert torch.equal((255 * each).round(), (255 * result.image).round())


KILLED = """
import sys
from functools import partial
import torch
from torch import nn
from pystyle.encoders import SequentialEncoder
from pystyle.papers.ruder_2016 import RuderPainter
from pystyle.video import DISFlow, paint_clip

torch.manual_seed(0)
modules, channels = {}, 3
for name in ("1_1", "2_1", "3_1", "4_1", "4_2", "5_1"):
    modules |= {f"conv{name}": nn.Conv2d(channels, 6, 3, padding=1), f"relu{name}": nn.ReLU()}
    channels = 6
painter = RuderPainter(
    torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(1)),
    DISFlow(),
    encoder=SequentialEncoder(modules),
    distances=(1, 3),
    optimizer=partial(torch.optim.Adam, lr=0.02),
    num_steps=(100, 60),
)
result = paint_clip(sys.argv[1], painter, sys.argv[2], checkpoint=sys.argv[3], segment_seconds=0, resume=True)
print(result.painted)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Signals are of POSIX.")
def test_a_run_that_is_killed_three_times_gives_the_same_bytes(images, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("cv2")
    source, output = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_clip(source, [*images, *images[::-1]], rate=25)

    def command(run):
        return [sys.executable, "-c", KILLED, str(source), str(output), str(tmp_path / run)]

    subprocess.run(command("whole"), check=True, timeout=200, capture_output=True)
    whole = output.read_bytes()
    output.unlink()
    for wanted in (1, 4, 8):
        with subprocess.Popen(command("parts"), stdout=subprocess.DEVNULL) as process:
            while len(list((tmp_path / "parts").glob("segment-*"))) < wanted:
                assert process.poll() is None
                time.sleep(0.005)
            process.kill()
        assert not output.exists()
    done = subprocess.run(command("parts"), check=True, timeout=200, capture_output=True, text=True)
    # Each frame that is kept was painted once.
    assert int(done.stdout) <= 4
    assert output.read_bytes() == whole
