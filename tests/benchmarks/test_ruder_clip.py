"""Each frame of an optimised clip has one line with its own error, also after a kill."""

from fractions import Fraction

import pytest
import torch

pytest.importorskip("cv2")
pytest.importorskip("av")


def moving(count):
    """A smooth picture that moves to the left by two pixels a frame."""
    coarse = torch.rand(1, 3, 12, 24, generator=torch.Generator().manual_seed(0))
    whole = torch.nn.functional.interpolate(coarse, (64, 128), mode="bicubic").clamp(0, 1)
    return [whole[..., 2 * index : 2 * index + 96].contiguous() for index in range(count)]


def measured(module, lines, paint):
    """A measure of a painter that is a function, and whose pictures are those of the number of the frame."""
    from pystyle.video import FramePainter

    class Numbered(FramePainter):
        def __init__(self):
            self.begin()

        def begin(self):
            self._count = 0

        def paint(self, frames):
            (frame,) = frames
            self._count += 1
            return paint(frame.image, self._count)

        def state_dict(self):
            return {"count": self._count}

        def load_state_dict(self, state):
            self._count = state["count"]

    return module.Measured(Numbered(), module.LastStep(), lines.append, torch.device("cpu"))


def test_the_error_of_a_frame_is_that_to_the_one_before_along_the_motion(script):
    from pystyle.video import Frame

    module, lines = script("ruder_clip"), []
    painter = measured(module, lines, lambda image, count: 0.5 * image + 0.1 * (count % 2))
    frames = [Frame(image, Fraction(index)) for index, image in enumerate(moving(4))]
    for frame in frames:
        painter.paint([frame])
    assert [line["frame"] for line in lines] == [0, 1, 2, 3]
    assert "warping_error" not in lines[0]
    for line in lines[1:]:
        assert line["unpainted"] < 0.3
        # The brightness jumps by 0.1, whose square is 0.01.
        assert line["warping_error"] == pytest.approx(10.0, rel=0.05)


def test_a_measure_goes_on_from_its_state(script):
    from pystyle.video import Frame

    module, whole, parts = script("ruder_clip"), [], []
    frames = [Frame(image, Fraction(index)) for index, image in enumerate(moving(3))]

    def paint(image, count):
        return image / count

    measured(module, whole, paint).paint(frames)
    first = measured(module, parts, paint)
    first.paint(frames[:2])
    second = measured(module, parts, paint)
    second.load_state_dict(first.state_dict())
    second.paint(frames[2:])
    for one, other in zip(whole, parts, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    first.begin()
    first.paint(frames[:1])
    assert parts[-1]["frame"] == 0
    assert "warping_error" not in parts[-1]


def test_the_last_line_of_a_frame_counts_and_only_those_of_the_run(script):
    lines = [
        {"method": "held", "frame": 1, "seconds": 9.0, "warping_error": 4.0},
        {"method": "held", "frame": 0, "seconds": 1.0},
        {"method": "alone", "frame": 1, "seconds": 5.0},
        {"method": "held", "frame": 1, "seconds": 3.0, "warping_error": 2.0},
    ]
    module = script("ruder_clip")
    found = module.latest(lines, {"method": "held"})
    assert [(line["frame"], line["seconds"]) for line in found] == [(0, 1.0), (1, 3.0)]
    means = dict(zip(module.COLUMNS, module.means(found), strict=True))
    assert (means["seconds"], means["warping_error"]) == (2.0, 2.0)
