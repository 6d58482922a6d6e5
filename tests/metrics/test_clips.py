"""How steady clips are: known warps, numbers worked out by hand, and streams."""

from pathlib import Path

import pytest
import torch

from pystyle.functional import warp
from pystyle.metrics import flicker, warping_error
from pystyle.video import Frame

GENERATOR = torch.Generator().manual_seed(0)
FRAME = torch.rand(1, 3, 12, 16, generator=GENERATOR)


def flow_of(right: float, down: float) -> torch.Tensor:
    return torch.tensor([right, down], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, 12, 16)


def test_a_known_warp_has_no_error():
    flows = [flow_of(1, 0), flow_of(-2, 3), flow_of(0.5, -0.25)]
    frames = [FRAME]
    for flow in flows:
        frames.append(warp(frames[-1], flow))
    assert warping_error(frames, flows) < 1e-13
    assert warping_error(frames, [flow_of(0, 0)] * 3) > 0.01


def test_it_is_the_mean_square_where_the_flow_counts():
    second = FRAME.clone()
    second[..., 0] = 0
    weights = torch.ones(1, 1, 12, 16)
    weights[..., 0] = 3
    squares = FRAME[..., 0].double().square().sum(1).mean().item() / 3
    still = [flow_of(0, 0)]
    assert warping_error([FRAME, second], still) == pytest.approx(squares / 16)
    assert warping_error([FRAME, second], still, [weights]) == pytest.approx(3 * squares / 18)
    assert warping_error([FRAME, second], still, [(weights == 1).float()]) == 0


def test_what_leaves_the_frame_and_what_is_no_number_does_not_count():
    flow = flow_of(4, 0).clone()
    flow[:, :, :2] = float("nan")
    second = FRAME.roll(-4, 3)  # Its last four columns come from the other side.
    second[:, :, :2] = 0
    assert warping_error([FRAME, second], [flow]) == 0
    with pytest.raises(ValueError, match="in which some pixels count"):
        warping_error([FRAME, FRAME], [flow_of(99, 0)])


def test_frames_are_averaged_and_may_be_a_stream():
    black, grey = torch.zeros(3, 4, 4), torch.full((3, 4, 4), 0.5)
    frames = [black, grey, grey, black]
    assert flicker(frames) == pytest.approx(1 / 3)
    assert flicker(iter(frames)) == flicker(torch.stack(frames)) == flicker([f[None] for f in frames])
    flows = (torch.zeros(2, 4, 4) for _ in range(3))
    weights = (torch.ones(1, 4, 4) for _ in range(3))
    assert warping_error(iter(frames), flows, weights) == pytest.approx((0.25 + 0 + 0.25) / 3)


def test_the_loudest_flicker_is_one():
    black, white = torch.zeros(3, 4, 4), torch.ones(3, 4, 4)
    assert flicker([black, white] * 3) == 1


@pytest.mark.parametrize(
    ("frames", "flows", "weights", "message"),
    [
        ([FRAME], [], None, "`frames` must be at least two images"),
        ([FRAME, FRAME], [], None, "`flows` must have one for each frame but the first, got 0"),
        ([FRAME, FRAME], [flow_of(0, 0)] * 2, None, "`flows` must have one .* got more"),
        ([FRAME, FRAME], [torch.zeros(2, 4, 4)], None, r"`flows` must be of the shape \(2, 12, 16\)"),
        ([FRAME, FRAME], [flow_of(0, 0)], [FRAME], r"`weights` must be of the shape \(1, 12, 16\)"),
        ([FRAME, FRAME], [flow_of(0, 0)], [-FRAME[:, :1]], "`weights` must not be negative"),
        ([FRAME, FRAME[..., 1:]], [flow_of(0, 0)], None, "`frames` must be images of one size"),
        ([FRAME, FRAME + 1], [flow_of(0, 0)], None, r"`frames\[1\]` must be in"),
        ([FRAME.expand(2, -1, -1, -1)], [], None, "`frames` must be images of one size"),
    ],
)
def test_what_does_not_fit_is_refused(frames, flows, weights, message):
    with pytest.raises(ValueError, match=message):
        warping_error(frames, flows, weights)


def test_frames_of_clips_are_refused_with_what_to_take_instead():
    frames = [Frame(FRAME, 0.0), Frame(FRAME, 0.1)]
    assert flicker(frame.image for frame in frames) == 0
    with pytest.raises(TypeError, match=r"`frames` must be tensors, got a Frame\. .* `frame\.image`"):
        flicker(frames)
    with pytest.raises(TypeError, match=r"`frames` must be tensors, got a str"):
        warping_error(["a.png", "b.png"], [flow_of(0, 0)])
    with pytest.raises(TypeError, match=r"`flows` must be tensors, got a ndarray"):
        warping_error([FRAME, FRAME], [flow_of(0, 0).numpy()])


@pytest.mark.parametrize("wrong", [5, None, "clip.mp4", Path("clip.mp4")])
def test_what_is_no_stream_is_refused_with_how_a_file_becomes_one(wrong):
    frames, flows = [FRAME, FRAME], [flow_of(0, 0)]
    got = rf"must be a tensor or a stream of tensors, got a {type(wrong).__name__}\. Write `"
    for measure in (flicker, lambda frames: warping_error(frames, flows)):
        with pytest.raises(TypeError, match=rf"`frames` {got}\(frame\.image for"):
            measure(wrong)
    with pytest.raises(TypeError, match=rf"`flows` {got}\[read_flow"):
        warping_error(frames, wrong)
    if wrong is not None:
        with pytest.raises(TypeError, match=rf"`weights` {got}\[reliability"):
            warping_error(frames, flows, wrong)
