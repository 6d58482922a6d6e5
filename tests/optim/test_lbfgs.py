import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from pystyle import Criterion, GramLoss
from pystyle.encoders import vgg11
from pystyle.optim import LBFGS
from pystyle.testing import check_optimizer

FACTORIES = {
    "default": LBFGS,
    "short history": partial(LBFGS, history_size=1),
    "short steps": partial(LBFGS, lr=0.5, history_size=5),
    "damped": partial(LBFGS, damping=0.2),
    "bounded": partial(LBFGS, bounds=(0.0, 1.0)),
    "half precision history": partial(LBFGS, history_bytes=4 * 60 * 5),
    "bounded and damped": partial(LBFGS, bounds=(0.0, 1.0), damping=0.2, history_size=7),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_lbfgs_keeps_its_promises(name):
    check_optimizer(FACTORIES[name])


def torch_lbfgs(params, history_size: int = 20) -> torch.optim.LBFGS:
    return torch.optim.LBFGS(
        params, lr=1, max_iter=1, history_size=history_size, tolerance_grad=0, tolerance_change=0
    )


def path_of(
    optimizer: torch.optim.Optimizer, x: Tensor, loss: Callable[[Tensor], Tensor], num_steps: int
) -> Tensor:
    """All iterates, one per row."""

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(x)
        value.backward()
        return value

    iterates = []
    for _ in range(num_steps):
        optimizer.step(closure)
        iterates.append(x.detach().flatten().clone())
    return torch.stack(iterates)


def valley(x: Tensor) -> Tensor:
    """Neither quadratic nor separable, with curvatures from 1 to 100."""
    weights = torch.logspace(0, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    return (
        (weights * (x - 0.3).square()).sum() + (x[..., 1:] - x[..., :-1] ** 2).square().sum() + x.pow(4).sum()
    )


@pytest.mark.parametrize("history_size", [3, 20])
def test_iterates_are_those_of_torch_on_a_nonlinear_function(history_size):
    start = torch.linspace(-1, 2, 12, dtype=torch.float64)
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    # Large, because torch leaves out pairs with yᵀs below 1e-10 whatever the scale of the loss.
    found = path_of(
        LBFGS([ours], history_size=history_size, initial_step=None), ours, lambda x: 1e6 * valley(x), 50
    )
    expected = path_of(torch_lbfgs([theirs], history_size), theirs, lambda x: 1e6 * valley(x), 50)
    assert (expected[20] - expected[49]).norm() > 1e-9, "the comparison must not be one of converged points"
    assert torch.equal(found[:3], expected[:3])
    assert ((found - expected).norm(dim=1) / expected.norm(dim=1)).max() < 1e-6


def test_iterates_are_those_of_torch_in_a_style_transfer():
    generator = torch.Generator().manual_seed(0)
    style, start = (torch.rand(1, 3, 32, 32, generator=generator, dtype=torch.float64) for _ in range(2))
    criterion = Criterion(
        vgg11(weights=None).double(), {"style": GramLoss(["relu1_1", "relu2_1"], weight=1e3)}
    )
    objective = criterion.bind({"style": style.square()})
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    found = path_of(LBFGS([ours], initial_step=None), ours, lambda image: objective(image).total, 50)

    # The L-BFGS of torch needs gradients in the memory layout of the image.
    theirs.register_hook(Tensor.contiguous)
    expected = path_of(torch_lbfgs([theirs]), theirs, lambda image: objective(image).total, 50)
    assert float(objective(theirs.detach()).total) < 0.1 * float(objective(start).total)
    torch.testing.assert_close(found[:3], expected[:3], rtol=1e-14, atol=1e-14)
    assert ((found - expected).norm(dim=1) / expected.norm(dim=1)).max() < 1e-6


@pytest.mark.parametrize("exponent", [-60, -20, 20, 60])
def test_the_path_does_not_depend_on_the_scale_of_the_loss(exponent):
    # Powers of two scale floating-point numbers without rounding.
    start = torch.linspace(-1, 2, 12, dtype=torch.float64)
    plain, scaled = start.clone().requires_grad_(), start.clone().requires_grad_()
    expected = path_of(LBFGS([plain], damping=0.1), plain, valley, 30)
    found = path_of(LBFGS([scaled], damping=0.1), scaled, lambda x: valley(x) * 2.0**exponent, 30)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_the_first_step_is_along_the_gradient_and_has_the_wanted_mean_length():
    x = torch.tensor([1.0, 2.0, 5.0]).requires_grad_()
    optimizer = LBFGS([x], lr=0.5, initial_step=0.2)
    x.grad = torch.tensor([3.0, -1.0, 0.0])
    optimizer.step()
    # 0.1 on average of three coordinates, in the ratio of 3 to 1.
    assert x.tolist() == pytest.approx([1 - 0.225, 2 + 0.075, 5.0])


def test_the_second_step_does_not_learn_from_rounding():
    # The gradient is that of |x - target|² / 2 with the resolution of half precision in x.
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(20000, generator=generator)
    lengths = {}
    for initial_step in (None, 5e-3):
        x = torch.rand(20000, generator=torch.Generator().manual_seed(1)).requires_grad_()
        optimizer = LBFGS([x], initial_step=initial_step)
        for _ in range(2):
            before = x.detach().clone()
            x.grad = before.bfloat16().float() - target
            optimizer.step()
        lengths[initial_step] = float((x.detach() - before).square().mean().sqrt())
    distance = float((before - target).square().mean().sqrt())
    assert lengths[5e-3] == pytest.approx(distance, rel=0.3)
    assert lengths[None] != pytest.approx(distance, rel=0.3)


def test_the_first_step_of_torch_is_as_long_as_the_learning_rate():
    x = torch.tensor([1.0, 2.0]).requires_grad_()
    optimizer = LBFGS([x], lr=0.5, initial_step=None)
    x.grad = torch.tensor([3.0, -1.0])
    optimizer.step()
    assert x.tolist() == pytest.approx([1 - 0.375, 2 + 0.125])


class Synchronizations(TorchDispatchMode):
    """Counts the operations for which the host would wait for a device."""

    names = ("_local_scalar_dense", "is_nonzero", "item", "nonzero", "equal", "masked_select")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        del types
        name = func.overloadpacket.__name__
        moves = name == "_to_copy" and (kwargs or {}).get("device") is not None
        self.count += name in self.names or moves
        return func(*args, **(kwargs or {}))


def synchronizations(optimizer: torch.optim.Optimizer, x: Tensor, num_steps: int) -> int:
    """Those of the last step."""
    counter = Synchronizations()

    def closure() -> Tensor:
        x.grad = torch.linspace(0.5, 2, x.numel()) * x.detach() + 0.01 * x.detach() ** 3
        return x.detach().square().sum()

    for index in range(num_steps):
        if index == num_steps - 1:
            with counter:
                optimizer.step(closure)
        else:
            optimizer.step(closure)
    return counter.count


@pytest.mark.parametrize("arguments", [{}, {"bounds": (-0.5, 0.5)}, {"damping": 0.2}], ids=str)
@pytest.mark.parametrize("num_steps", [1, 2, 105])
def test_a_step_never_waits_for_the_device(arguments, num_steps):
    x = torch.linspace(-1, 1, 200).requires_grad_()
    assert synchronizations(LBFGS([x], history_size=100, **arguments), x, num_steps) == 0


def test_the_lbfgs_of_torch_waits_more_than_a_hundred_times_per_step():
    # So that the test above would notice.
    x = torch.linspace(-1, 1, 200, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [x], lr=1e-3, max_iter=1, history_size=100, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> Tensor:
        x.grad = torch.linspace(0.5, 2, 200, dtype=torch.float64) * x.detach()
        return x.detach().square().sum()

    for _ in range(104):
        optimizer.step(closure)
    with Synchronizations() as counter:
        optimizer.step(closure)
    assert counter.count > 100


MATRIX = torch.tensor([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 4.0]], dtype=torch.float64)
LINEAR = torch.tensor([-6.0, 1.0, 2.0], dtype=torch.float64)


def quadratic(x: Tensor) -> Tensor:
    return 0.5 * x @ MATRIX @ x + LINEAR @ x


def test_a_quadratic_within_bounds_is_solved_as_by_hand():
    # With x0 = 1 at its bound: 3 x1 - x2 = -2 and -x1 + 4 x2 = -2, so x1 = -10/11 and x2 = -8/11;
    # the gradient at x0 is 2 - 10/11 - 6 < 0 and pushes outwards.
    x = torch.zeros(3, dtype=torch.float64).requires_grad_()
    path = path_of(LBFGS([x], bounds=(-1.0, 1.0)), x, quadratic, 60)
    assert path.abs().max() <= 1
    assert x.tolist() == pytest.approx([1, -10 / 11, -8 / 11], abs=1e-8)


def test_a_larger_quadratic_within_bounds_is_solved_as_by_projected_gradients():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(30, 30, generator=generator, dtype=torch.float64)
    matrix, linear = root @ root.T / 30 + 0.1 * torch.eye(30), torch.randn(30, generator=generator).double()
    expected = torch.full((30,), 0.5, dtype=torch.float64)
    length = 1 / torch.linalg.matrix_norm(matrix, 2)
    for _ in range(4000):
        expected = (expected - length * (matrix @ expected + linear)).clamp(0, 1)
    x = torch.full((30,), 0.5, dtype=torch.float64).requires_grad_()
    path = path_of(LBFGS([x], bounds=(0.0, 1.0)), x, lambda x: 0.5 * x @ matrix @ x + linear @ x, 300)
    assert 5 < ((expected == 0) | (expected == 1)).sum() < 25
    assert path.min() >= 0
    assert path.max() <= 1
    torch.testing.assert_close(x.detach(), expected, rtol=0, atol=1e-5)


def test_the_history_learns_the_steps_that_were_made_within_the_bounds():
    x = torch.linspace(-0.4, 0.4, 12, dtype=torch.float64).requires_grad_()
    optimizer = LBFGS([x], bounds=(-0.4, 0.4))
    path = path_of(optimizer, x, lambda x: valley(2 * x - 1), 6)
    assert (path[1:5] == 0.4).any()
    torch.testing.assert_close(optimizer.state[x]["steps"][1:5], path[1:5] - path[:4], rtol=0, atol=1e-15)


def test_a_coordinate_leaves_its_bound_when_the_gradient_turns():
    x = torch.tensor([1.0, 0.5]).requires_grad_()
    path_of(LBFGS([x], bounds=(0.0, 1.0)), x, lambda x: (x - torch.tensor([0.25, 3.0])).square().sum(), 20)
    assert x.tolist() == pytest.approx([0.25, 1.0], abs=1e-5)


def wave(x: Tensor) -> Tensor:
    """Concave in half of the plane."""
    return (1 - torch.cos(2 * x)).sum() + 0.05 * x.square().sum()


def test_damping_makes_all_later_pairs_of_positive_curvature_on_a_function_that_is_not_convex():
    start = torch.tensor([1.5, -1.4, 1.3, 0.9], dtype=torch.float64)
    x = start.clone().requires_grad_()
    optimizer = LBFGS([x], damping=0.2, history_size=50)
    path = path_of(optimizer, x, wave, 40)
    state = optimizer.state[x]
    curvatures = (state["steps"] * state["changes"]).sum(1)[:39]
    moved = state["steps"][:39].norm(dim=1) > 1e-7
    assert moved.sum() > 5
    # Before the first pair there is no estimate to blend it with: it counts for nothing.
    assert curvatures[0] < 0
    assert state["rho"][0] == 0
    assert (curvatures[1:][moved[1:]] > 0).all()
    assert path.isfinite().all()
    assert wave(x) < 0.25 * wave(start)


def test_without_damping_a_pair_of_negative_curvature_counts_for_nothing():
    x = torch.tensor([1.4, -1.3], dtype=torch.float64).requires_grad_()
    optimizer = LBFGS([x], lr=0.3)
    path = path_of(optimizer, x, wave, 3)
    assert path.isfinite().all()
    assert optimizer.state[x]["rho"].min() == 0


def test_several_parameters_move_as_one_vector():
    start = torch.linspace(-1, 2, 12, dtype=torch.float64)
    whole = start.clone().requires_grad_()
    expected = path_of(LBFGS([whole]), whole, valley, 20)[-1]
    left, right = (part.clone().requires_grad_() for part in start.split([5, 7]))
    optimizer = LBFGS([left, right])

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = valley(torch.cat([left, right]))
        loss.backward()
        return loss

    for _ in range(20):
        optimizer.step(closure)
    torch.testing.assert_close(torch.cat([left, right]).detach(), expected)


def test_a_parameter_without_gradient_stays():
    used, unused = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = LBFGS([used, unused])
    for _ in range(5):
        optimizer.zero_grad()
        used.square().sum().backward()
        assert optimizer.step() is None
    assert unused.tolist() == [1, 1]
    assert used.abs().max() < 0.5


def test_a_channels_last_parameter_moves_like_a_contiguous_one():
    start = torch.linspace(-1, 1, 60, dtype=torch.float64).reshape(1, 3, 4, 5)
    plain = start.clone().requires_grad_()
    other = start.contiguous(memory_format=torch.channels_last).requires_grad_()
    expected = path_of(LBFGS([plain], bounds=(-0.9, 0.9)), plain, valley, 20)
    torch.testing.assert_close(path_of(LBFGS([other], bounds=(-0.9, 0.9)), other, valley, 20), expected)
    assert other.is_contiguous(memory_format=torch.channels_last)


def test_a_saved_state_goes_on_identically(tmp_path):
    x = torch.linspace(-1, 2, 12).requires_grad_()
    optimizer = LBFGS([x], history_size=4, damping=0.1)
    path_of(optimizer, x, valley, 7)
    torch.save({"x": x.detach(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    loaded = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    y = loaded["x"].clone().requires_grad_()
    other = LBFGS([y], history_size=4, damping=0.1)
    other.load_state_dict(loaded["optimizer"])
    assert torch.equal(path_of(optimizer, x, valley, 10), path_of(other, y, valley, 10))


@pytest.mark.parametrize(
    ("limit", "pairs", "dtype"),
    [
        (None, 20, torch.float32),
        # A pair of 12 numbers takes 96 bytes, or 48 in bfloat16.
        (20 * 96, 20, torch.float32),
        (20 * 96 - 1, 20, torch.bfloat16),
        (20 * 48 - 1, 19, torch.bfloat16),
        (7 * 48, 7, torch.bfloat16),
        (1, 1, torch.bfloat16),
    ],
)
def test_a_history_takes_no_more_than_it_may(limit, pairs, dtype):
    x = torch.linspace(-1, 2, 12).requires_grad_()
    optimizer = LBFGS([x], history_bytes=limit)
    path_of(optimizer, x, valley, 3)
    state = optimizer.state[x]
    assert (state["steps"].dtype, state["steps"].shape) == (dtype, (pairs, 12))
    assert (state["changes"].dtype, state["changes"].shape) == (dtype, (pairs, 12))


def test_the_numbers_of_a_rounded_pair_are_its_own():
    x = torch.linspace(-1, 2, 12).requires_grad_()
    optimizer = LBFGS([x], history_bytes=5 * 48)
    path_of(optimizer, x, valley, 5)
    state = optimizer.state[x]
    steps, changes = state["steps"].double(), state["changes"].double()
    curvatures = (steps * changes).sum(1)[:4]
    assert (curvatures > 0).all()
    torch.testing.assert_close(state["rho"][:4].double(), 1 / curvatures, rtol=1e-5, atol=0)


def test_a_rounded_history_goes_on_identically_from_a_state():
    x = torch.linspace(-1, 2, 12).requires_grad_()
    optimizer = LBFGS([x], history_bytes=4 * 48)
    path_of(optimizer, x, valley, 7)
    y = x.detach().clone().requires_grad_()
    other = LBFGS([y])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert other.state[y]["steps"].dtype == torch.bfloat16
    assert torch.equal(path_of(optimizer, x, valley, 10), path_of(other, y, valley, 10))


@pytest.mark.parametrize("arguments", [{}, {"bounds": (0.0, 1.0), "damping": 0.3}, {"history_bytes": 100}])
def test_counting_on_the_device_changes_no_number_and_a_state_goes_on_in_both_ways(arguments):
    def run(state, num_steps, **options):
        x = torch.linspace(-1, 2, 12).requires_grad_()
        optimizer = LBFGS([x], history_size=3, **arguments, **options)
        if state is not None:
            x.data.copy_(state[0])
            optimizer.load_state_dict(state[1])
        path_of(optimizer, x, lambda x: (x - 0.3).pow(4).sum() + (x * x.flip(0)).cos().sum(), num_steps)
        return x.detach().clone(), optimizer.state_dict()

    expected = run(None, 10)[0]
    assert torch.equal(run(None, 10, capturable=True)[0], expected)
    for first, second in ((True, True), (False, False)):
        state = run(None, 5, capturable=first)
        assert torch.equal(run(state, 5, capturable=second)[0], expected)


def test_a_zero_gradient_leaves_everything_finite():
    x = torch.ones(3, requires_grad=True)
    optimizer = LBFGS([x], damping=0.2)
    for gradient in (torch.zeros(3), torch.zeros(3), torch.tensor([1.0, 0.0, 0.0])):
        x.grad = gradient
        optimizer.step()
    assert x.isfinite().all()
    assert x[0] < 1


def test_a_converged_run_stays_where_it_is():
    x = torch.linspace(-1, 2, 12).requires_grad_()
    path = path_of(LBFGS([x]), x, lambda x: (torch.logspace(0, 1, 12) * (x - 0.3).square()).sum(), 300)
    assert (path[-200:] - 0.3).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0.0}, "`lr` must be positive, got 0.0"),
        ({"lr": -1.0}, "`lr` must be positive"),
        ({"history_size": 0}, "`history_size` must be at least 1, got 0"),
        ({"damping": 1.0}, r"`damping` must be in \[0, 1\), got 1.0"),
        ({"damping": -0.1}, r"`damping` must be in"),
        ({"initial_step": 0.0}, "`initial_step` must be positive"),
        ({"history_bytes": 0}, "`history_bytes` must be at least 1, got 0"),
        ({"bounds": (1.0, 0.0)}, "smallest < largest, got"),
        ({"bounds": (0.5, 0.5)}, "smallest < largest, got"),
    ],
)
def test_an_impossible_value_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LBFGS([torch.zeros(1, requires_grad=True)], **arguments)


def test_several_groups_are_refused():
    groups = [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)]
    with pytest.raises(ValueError, match="one group of parameters, got 2"):
        LBFGS(groups)
