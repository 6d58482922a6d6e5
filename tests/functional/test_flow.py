import math

import pytest
import torch
from torch import Tensor

from pystyle.functional import reliability, warp


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def constant(u: float, v: float, height: int = 6, width: int = 7) -> Tensor:
    return torch.tensor([u, v]).view(1, 2, 1, 1).repeat(1, 1, height, width)


# -- warp ----------------------------------------------------------------------------------------------------


def test_no_flow_moves_nothing() -> None:
    image = noise(2, 3, 37, 53).float()
    assert torch.equal(warp(image, torch.zeros(2, 2, 37, 53)), image)


def test_a_flow_of_whole_pixels_moves_exactly() -> None:
    image = noise(1, 3, 301, 203).float()
    moved = warp(image, constant(3.0, -2.0, 301, 203))  # from three pixels to the right, two above
    assert torch.equal(moved[:, :, 2:, :-3], image[:, :, :-2, 3:])


def test_the_first_channel_is_to_the_right_and_the_second_down() -> None:
    image = torch.tensor([[[[0.0, 1.0], [10.0, 11.0]]]])
    assert warp(image, constant(1.0, 0.0, 2, 2))[0, 0].tolist() == [[1, 1], [11, 11]]
    assert warp(image, constant(0.0, 1.0, 2, 2))[0, 0].tolist() == [[10, 11], [10, 11]]


def test_fractions_of_pixels_are_bilinear() -> None:
    image = torch.tensor([[[[0.0, 1.0, 5.0], [10.0, 12.0, 20.0]]]])
    flow = torch.zeros(1, 2, 2, 3)
    flow[0, :, 0, 0] = torch.tensor([0.25, 0.5])  # between 0 1 / 10 12
    flow[0, :, 1, 2] = torch.tensor([-0.75, -0.2])  # between 1 5 / 12 20
    moved = warp(image, flow)[0, 0]
    assert float(moved[0, 0]) == pytest.approx((0.75 * 0 + 0.25 * 1) / 2 + (0.75 * 10 + 0.25 * 12) / 2)
    assert float(moved[1, 2]) == pytest.approx(0.2 * (0.75 * 1 + 0.25 * 5) + 0.8 * (0.75 * 12 + 0.25 * 20))
    assert moved[0, 1] == 1


def test_every_pixel_has_its_own_flow() -> None:
    image = noise(1, 1, 4, 5)
    generator = torch.Generator().manual_seed(1)
    rows, columns = (
        torch.randint(4, (4, 5), generator=generator),
        torch.randint(5, (4, 5), generator=generator),
    )
    flow = torch.stack((columns - torch.arange(5), rows - torch.arange(4)[:, None]))[None].double()
    assert torch.equal(warp(image, flow)[0, 0], image[0, 0][rows, columns])


@pytest.mark.parametrize("distance", [1e3, 1e9, math.inf])
def test_beyond_the_border_the_outermost_pixels_continue(distance: float) -> None:
    image = torch.arange(6.0).view(1, 1, 2, 3)
    flow = constant(distance, 0.0, 2, 3)
    assert warp(image, flow)[0, 0].tolist() == [[2, 2, 2], [5, 5, 5]]
    assert warp(image, -flow)[0, 0].tolist() == [[0, 0, 0], [3, 3, 3]]


def test_a_flow_that_is_no_number_gives_no_number() -> None:
    flow = constant(0.0, 0.0)
    flow[0, 0, 2, 3] = math.nan
    moved = warp(noise(1, 2, 6, 7).float(), flow)
    assert moved.isnan().nonzero()[:, 2:].unique(dim=0).tolist() == [[2, 3]]


def test_warp_has_the_gradients_of_finite_differences() -> None:
    image, flow = noise(2, 2, 3, 4).requires_grad_(), (3 * noise(2, 2, 3, 4) - 1.5).requires_grad_()
    assert torch.autograd.gradcheck(warp, (image, flow))


def test_warp_of_half_precision_is_computed_in_float32() -> None:
    image = noise(1, 3, 4, 600).float().bfloat16()
    moved = warp(image, constant(0.5, 0.0, 4, 600).bfloat16())
    assert moved.dtype == torch.float32
    between = (image.float()[..., 300:500] + image.float()[..., 301:501]) / 2
    torch.testing.assert_close(moved[..., 300:500], between)  # positions that bfloat16 cannot tell apart


@pytest.mark.parametrize("shape", [(1, 2, 6, 8), (2, 2, 6, 7), (1, 3, 6, 7), (2, 6, 7)])
def test_warp_refuses_a_flow_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`flow` must have the shape \(batch, 2, height, width\)"):
        warp(torch.zeros(1, 3, 6, 7), torch.zeros(shape))


# -- reliability ---------------------------------------------------------------------------------------------


def test_what_comes_from_outside_of_the_frame_is_not_reliable() -> None:
    forward = constant(2.0, -1.0)  # everything moves two to the right and one up
    expected = torch.ones(6, 7)
    expected[:, :2] = 0
    expected[-1] = 0
    assert torch.equal(reliability(forward, -forward)[0, 0], expected)
    assert torch.equal(reliability(-forward, forward)[0, 0], expected.flip(0, 1))


def test_flows_that_contradict_each_other_are_not_reliable() -> None:
    # |w~ + w^|² > 0.01 (|w~|² + |w^|²) + 0.5 with w^ = (-2, 0): (f - 2)² > 0.01 (f² + 4) + 0.5, which is so
    # beyond the roots (4 +- 2.2984^0.5) / 1.98, 1.2546 and 2.7859.
    for f, reliable in ((2.0, 1.0), (2.78, 1.0), (2.79, 0.0), (1.26, 1.0), (1.25, 0.0), (-2.0, 0.0)):
        weights = reliability(constant(f, 0.0, 5, 9), constant(-2.0, 0.0, 5, 9))
        assert weights[0, 0, 2, 5] == reliable, f


def test_the_forward_flow_is_read_where_the_backward_flow_points_to() -> None:
    backward = constant(-3.0, 0.0, 5, 9)
    forward = constant(3.0, 0.0, 5, 9)
    forward[0, 0, 2, 1] = 0.0  # contradicts the backward flow of the pixel three to the right
    weights = reliability(forward, backward)[0, 0]
    assert weights[2, 4] == 0
    assert weights[:, 3:].sum() == 5 * 6 - 1


@pytest.mark.parametrize(("step", "reliable"), [(0.085, 1.0), (0.095, 0.0)])
def test_borders_of_motion_are_not_reliable(step: float, reliable: float) -> None:
    # The flow is 0 on the left and `step` on the right: central differences are step / 2 in two columns, and
    # 0.002 is the square of 0.0447.
    backward = torch.zeros(1, 2, 4, 8)
    backward[:, 1, :, 4:] = step
    weights = reliability(-backward, backward)[0, 0, 1]  # away from the bottom, where flow leaves the frame
    assert weights.tolist() == [1, 1, 1, reliable, reliable, 1, 1, 1]


def test_borders_count_less_where_all_moves_fast() -> None:
    backward = torch.zeros(1, 2, 4, 20)
    backward[:, 0] = -4.0
    backward[:, 1, :, 10:] = 0.5
    backward[:, 1, 3] = 0.0
    forward = torch.zeros_like(backward)
    forward[:, 0] = 4.0
    # 0.25² is less than 0.01 * 4² + 0.002, and the flows agree up to 0.5² < 0.5.
    assert reliability(forward, backward)[0, 0, 1, 4:].sum() == 16


@pytest.mark.parametrize(("step", "reliable"), [(0.085, 1.0), (0.095, 0.0)])
def test_a_gradient_down_counts_like_one_across(step: float, reliable: float) -> None:
    backward = torch.zeros(1, 2, 8, 4)
    backward[:, 0, 4:] = step
    weights = reliability(-backward, backward)[0, 0, :, 1]
    assert weights.tolist() == [1, 1, 1, reliable, reliable, 1, 1, 1]


def test_smoothing_is_a_gaussian_and_hidden_pixels_stay_at_0() -> None:
    forward, backward = torch.zeros(1, 2, 11, 11), torch.zeros(1, 2, 11, 11)
    forward[0, 0, 5, 5] = 3.0  # contradicts the backward flow there, which has no border
    weights = reliability(forward, backward, smoothing=0.8)[0, 0]
    taps = [math.exp(-(n**2) / (2 * 0.8**2)) for n in (-2, -1, 0, 1, 2)]
    assert weights[5, 5] == pytest.approx(1 - 2 * (taps[2] / sum(taps)) ** 2, abs=1e-6)
    assert weights[5, 6] == pytest.approx(1 - 2 * taps[2] * taps[3] / sum(taps) ** 2, abs=1e-6)
    assert weights[7, 4] == pytest.approx(1 - 2 * taps[0] * taps[1] / sum(taps) ** 2, abs=1e-6)
    assert weights[8, 5] == 1
    forward[0, 0, 4:7, 4:7] = 3.0
    assert reliability(forward, backward, smoothing=0.8)[0, 0, 5, 5] == 0


def test_weights_are_between_0_and_1_and_have_one_channel() -> None:
    flows = 4 * noise(2, 2, 9, 8) - 2
    for smoothing in (0.0, 0.8, 3.0):
        weights = reliability(flows, -flows.flip(3), smoothing=smoothing)
        assert weights.shape == (2, 1, 9, 8)
        assert weights.dtype == torch.float64
        assert 0 <= weights.min() <= weights.max() <= 1


def test_reliability_refuses_wrong_arguments() -> None:
    with pytest.raises(
        ValueError, match=r"same shape \(batch, 2, .*\), got \(1, 2, 6, 7\) and \(1, 2, 6, 8\)"
    ):
        reliability(constant(0, 0), constant(0, 0, 6, 8))
    with pytest.raises(ValueError, match=r"must have the same shape \(batch, 2, height, width\)"):
        reliability(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match=r"`smoothing` must not be negative, got -0\.8"):
        reliability(constant(0, 0), constant(0, 0), smoothing=-0.8)
