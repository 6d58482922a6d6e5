import pytest
import torch

from pystyle import MMDLoss

GENERATOR = torch.Generator().manual_seed(0)
FEATURES, REFERENCE, WIDE = (torch.rand(1, 4, 5, width, generator=GENERATOR) for width in (6, 6, 9))


def test_the_pairs_are_held_unless_they_are_resampled():
    held, fresh = MMDLoss("a", seed=3), MMDLoss("a", seed=3, resample=True)
    assert held.compare(FEATURES.flatten(2), REFERENCE.flatten(2)) == held.compare(
        FEATURES.flatten(2), REFERENCE.flatten(2)
    )
    first, second = (fresh.compare(FEATURES.flatten(2), REFERENCE.flatten(2)) for _ in range(2))
    assert first != second


def test_equal_features_have_no_discrepancy_whatever_the_pairs():
    for seed in range(5):
        assert float(MMDLoss("a", seed=seed).compare(FEATURES.flatten(2), FEATURES.flatten(2).clone())) == 0


def test_another_seed_gives_other_pairs_and_the_global_state_is_left_alone():
    state = torch.random.get_rng_state()
    values = [MMDLoss("a", seed=seed).compare(FEATURES.flatten(2), WIDE.flatten(2)) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert torch.equal(state, torch.random.get_rng_state())


def test_all_positions_of_the_larger_set_may_be_drawn():
    reference = WIDE.flatten(2).requires_grad_()
    fresh = MMDLoss("a", resample=True)
    (gradient,) = torch.autograd.grad(
        sum(fresh.compare(FEATURES.flatten(2), reference) for _ in range(40)), reference
    )
    assert int((gradient.abs().sum(1) > 0).sum()) == 45


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`kernel` must be 'linear', 'polynomial' or 'gaussian', got 'rbf'"):
        MMDLoss("a", kernel="rbf")
    with pytest.raises(ValueError, match="`degree` must be at least 1, got 0"):
        MMDLoss("a", degree=0)
    with pytest.raises(ValueError, match=r"`bandwidth` must be positive, got -1\.0"):
        MMDLoss("a", bandwidth=-1.0)


def test_the_text_has_the_options():
    text = repr(MMDLoss("a", kernel="polynomial", degree=3, offset=0.5, resample=True))
    assert text == "MMDLoss('a', kernel='polynomial', degree=3, offset=0.5, resample=True)"
