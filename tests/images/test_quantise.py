import pytest
import torch

from pystyle.images import quantise


def test_quantise_rounds_to_multiples_of_one_255th() -> None:
    image = torch.tensor([0.0, 0.4 / 255, 0.6 / 255, 100.4 / 255, 1.0])
    assert quantise(image).tolist() == torch.tensor([0, 0, 1 / 255, 100 / 255, 1]).tolist()


def test_quantise_clamps() -> None:
    assert quantise(torch.tensor([-0.2, 1.3])).tolist() == [0, 1]


def test_quantise_changes_nothing_the_second_time() -> None:
    image = quantise(torch.rand(2, 3, 9, 9))
    assert torch.equal(quantise(image), image)
    assert torch.equal(quantise(torch.arange(256) / torch.tensor(255.0)) * 255, torch.arange(256.0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_quantise_gives_float32_for_every_dtype(dtype: torch.dtype) -> None:
    image = torch.rand(1, 3, 5, 5).to(dtype)
    assert quantise(image).dtype == torch.float32
    assert torch.equal(quantise(image), quantise(image.float()))


def test_quantise_gives_a_new_tensor_without_a_graph() -> None:
    image = torch.rand(1, 3, 5, 5, requires_grad=True)
    before = image.detach().clone()
    quantised = quantise(image)
    assert not quantised.requires_grad
    quantised.zero_()
    assert torch.equal(image.detach(), before)


def test_quantise_refuses_integers_and_values_that_are_not_finite() -> None:
    with pytest.raises(TypeError, match=r"got torch\.uint8"):
        quantise(torch.zeros(3, dtype=torch.uint8))
    with pytest.raises(ValueError, match="`image` must be finite"):
        quantise(torch.tensor([float("nan")]))
