import math

import torch

from pystyle.functional import position_attention
from pystyle.functional._softmax import softmax_of_rows


def test_small_shares_are_zero_and_the_others_those_of_torch():
    scores = torch.tensor([[0.0, -39.0, -41.0, -95.0], [300.0, 299.0, 200.0, -math.inf]], dtype=torch.float64)
    found = softmax_of_rows(scores)
    torch.testing.assert_close(found, torch.softmax(scores, 1), rtol=1e-15, atol=1e-17)
    assert (found == 0).tolist() == [[False, False, True, True], [False, False, True, True]]


def test_no_gradient_is_subnormal():
    torch.manual_seed(0)
    scores = (20 * torch.randn(50, 50)).requires_grad_()
    (softmax_of_rows(scores) * torch.randn(50, 50) * 1e-6).sum().backward()
    sizes = scores.grad.abs()
    assert sizes.max() > 0
    assert not ((sizes > 0) & (sizes < torch.finfo(torch.float32).tiny)).any()


def test_keys_that_nobody_attends_to_have_no_gradient():
    torch.manual_seed(0)
    queries, values = 3 * torch.randn(1, 256, 2), torch.randn(1, 4, 500)
    keys = torch.randn(1, 256, 500).requires_grad_()
    position_attention(queries, keys, values).sum().backward()
    sizes = keys.grad.abs()
    assert sizes.max() > 0
    assert (sizes == 0).all(1).any()
    assert not ((sizes > 0) & (sizes < torch.finfo(torch.float32).tiny)).any()
