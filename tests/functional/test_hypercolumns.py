import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from pystyle.functional import hypercolumns

FIRST = (12, 17)
SIZES = {
    "same": (12, 17),
    "coarser": (5, 8),
    "one position": (1, 1),
    "finer": (24, 40),
    "coarser and finer": (5, 40),
    "larger by one": (12, 18),
}


def maps(*sizes: tuple[int, int], dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, *size, generator=generator, dtype=torch.float64).to(dtype) for size in sizes]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_maps_are_brought_to_the_size_of_the_first(size):
    first, other = maps(FIRST, size)
    finer = size[0] >= FIRST[0] and size[1] >= FIRST[1]
    expected = (
        adaptive_avg_pool2d(other, FIRST)
        if finer
        else interpolate(other, FIRST, mode="bilinear", align_corners=False)
    )
    assert torch.equal(hypercolumns([first, other]), torch.cat((first, expected), dim=1))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_some_positions_are_those_of_the_whole_with_the_same_gradient(size, dtype):
    given = [part.requires_grad_() for part in maps(FIRST, size, dtype=dtype)]
    positions = torch.tensor([0, 16, 17, 100, 187, 203, 100])
    found, whole = hypercolumns(given, positions), hypercolumns(given).flatten(2)[:, :, positions]
    tolerance = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 0.02}[dtype]
    torch.testing.assert_close(found, whole, rtol=tolerance, atol=tolerance)
    weights = torch.linspace(-1, 1, found.numel()).view(found.shape).to(dtype)
    own, expected = (torch.autograd.grad((x * weights).sum(), given) for x in (found, whole))
    for gradient, other in zip(own, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=10 * tolerance, atol=10 * tolerance)


def test_positions_are_found_whatever_the_default_type_is():
    first, coarse = maps((1, 5000), (1, 2500))
    positions = torch.tensor([4001, 4002])  # neighbours that bfloat16 cannot tell apart
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        found = hypercolumns([first, coarse], positions)
    finally:
        torch.set_default_dtype(before)
    assert torch.equal(found, hypercolumns([first, coarse], positions))


def test_the_narrowest_type_counts():
    narrow, wide = maps((4, 4))[0].bfloat16(), maps((2, 2))[0]
    assert hypercolumns([wide, narrow]).dtype == torch.bfloat16
    assert hypercolumns([wide, narrow], torch.tensor([3])).dtype == torch.bfloat16


def test_memory_grows_with_the_positions():
    """Of 2048 channels at 2048 x 2048 positions, which would take 34 GB, a thousand are 8 MB."""
    first, coarse = torch.zeros(1, 1, 2048, 2048), torch.ones(1, 2047, 2, 2)
    found = hypercolumns([first, coarse], torch.arange(1000))
    assert found.shape == (1, 2048, 1000)
    assert float(found[:, 1:].min()) == 1
