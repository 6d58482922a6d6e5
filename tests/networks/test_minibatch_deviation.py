"""The channel that tells how much a batch differs."""

import numpy as np
import pytest
import torch

from pystyle.networks import MinibatchDeviation


def test_the_last_channel_is_the_mean_deviation_over_the_batch():
    features = torch.randn(5, 4, 3, 6, generator=torch.Generator().manual_seed(0))
    output = MinibatchDeviation()(features)
    assert output.shape == (5, 5, 3, 6)
    assert torch.equal(output[:, :4], features)
    assert np.allclose(output[:, 4], np.std(features.numpy(), axis=0).mean(), atol=2e-4)
    assert len(output[:, 4].unique()) == 1


def test_it_is_known_of_two_images():
    """The deviations are 1, 3 and 0, but for the root of the constant, a ten-thousandth."""
    features = torch.tensor([[0.0, 1.0, 7.0], [2.0, -5.0, 7.0]])[:, :, None, None]
    output = MinibatchDeviation()(features)[:, 3].flatten()
    torch.testing.assert_close(output, torch.full((2,), 4 / 3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_images_that_are_alike_give_zeros_and_a_finite_gradient(batch, kind):
    features = torch.rand(1, 3, 2, 2).to(kind).expand(batch, -1, -1, -1).clone().requires_grad_()
    output = MinibatchDeviation()(features)
    assert not output[:, 3].any()
    assert output.dtype == kind
    output.sum().backward()
    assert torch.equal(features.grad, torch.ones_like(features))


def test_its_gradient_and_that_of_its_gradient_are_right():
    features = torch.rand(3, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(MinibatchDeviation(), features)
    assert torch.autograd.gradgradcheck(MinibatchDeviation(), features)


def test_features_of_other_axes_are_refused():
    with pytest.raises(ValueError, match=r"`features` must have the axes .*, got the shape \(2, 3\)"):
        MinibatchDeviation()(torch.rand(2, 3))
