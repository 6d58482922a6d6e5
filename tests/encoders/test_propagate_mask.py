import pytest
import torch
from torch import nn

from pystyle.encoders import LayerGeometry, SequentialEncoder, propagate_mask, vgg11


class ByTrial:
    """What positions see, found by changing the image inside or outside of a mask."""

    def __init__(self, encoder, layer):
        self.encoder, self.layer = encoder.double(), layer

    def sees(self, mask):
        generator = torch.Generator().manual_seed(0)
        image = torch.rand(1, 3, *mask.shape[2:], generator=generator, dtype=torch.float64)
        noise = torch.rand(image.shape, generator=generator, dtype=torch.float64)
        base, changed = (self.encoder(x, [self.layer])[self.layer] for x in (image, image + mask * noise))
        return ((base - changed).abs().amax(1, keepdim=True) > 0).double()


def encoder_of(ceil_mode=False):
    # Squares everywhere, so that no change is lost in a dead ReLU.
    class Square(nn.Identity):
        def forward(self, x):
            return x + 0.1 * x.square()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SequentialEncoder(
            {
                "conv1": nn.Conv2d(3, 4, 3, padding=1),
                "square1": Square(),
                "pool1": nn.AvgPool2d(2, ceil_mode=ceil_mode),
                "conv2": nn.Conv2d(4, 4, 5, padding=2),
                "pool2": nn.AvgPool2d(3, stride=2, ceil_mode=ceil_mode),
                "conv3": nn.Conv2d(4, 4, 3),
            }
        )


@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2", "pool2", "conv3"])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_inside_and_all_are_what_changing_the_image_shows(layer, ceil_mode) -> None:
    encoder = encoder_of(ceil_mode)
    mask = torch.zeros(1, 1, 37, 42, dtype=torch.float64)
    mask[:, :, 3:34, :22] = 1
    trial = ByTrial(encoder, layer)
    seen, outside = trial.sees(mask), trial.sees(1 - mask)
    size = tuple(seen.shape[2:])
    assert torch.equal(propagate_mask(encoder, layer, mask, size, method="all"), seen)
    assert torch.equal(propagate_mask(encoder, layer, mask, size, method="inside"), 1 - outside)
    assert 0 < outside.mean() < 1
    assert seen.mean() < 1


def test_the_simple_method_takes_means() -> None:
    mask = torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(1, 1, 4, 4)
    found = propagate_mask(vgg11(weights=None), "relu2_1", mask, (2, 2))
    assert found.tolist() == [[[[1.0, 0.5], [1.0, 0.5]]]]


@pytest.mark.parametrize("method", ["simple", "inside", "all"])
def test_ones_stay_ones_and_zeros_zeros(method) -> None:
    encoder = vgg11(weights=None)
    for value in (0.0, 1.0):
        mask = torch.full((1, 1, 40, 33), value)
        assert torch.equal(
            propagate_mask(encoder, "relu4_1", mask, (5, 4), method=method), torch.full((1, 1, 5, 4), value)
        )


def test_a_layer_that_sees_everything_is_inside_only_where_all_is() -> None:
    class Global(SequentialEncoder):
        def geometry(self, layer):
            return super().geometry(layer)._replace(receptive_field=2**63 - 1)

    encoder, mask = Global({"a": nn.Conv2d(3, 3, 1)}), torch.ones(1, 1, 4, 4)
    mask[..., 0] = 0
    assert propagate_mask(encoder, "a", mask, (4, 4), method="inside").sum() == 0
    assert propagate_mask(encoder, "a", mask, (4, 4), method="all").sum() == 16


def test_an_unknown_offset_is_taken_to_be_in_the_middle() -> None:
    class Shifted(SequentialEncoder):
        def geometry(self, layer):
            del layer
            return LayerGeometry(stride=1, receptive_field=3, minimum_size=1)

    mask = torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0]).expand(1, 1, 1, 5)
    found = propagate_mask(Shifted({"a": nn.Conv2d(3, 3, 3)}), "a", mask, (1, 5), method="inside")
    assert found.flatten().tolist() == [1, 0, 0, 0, 1]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 1, height, width\), got \(4, 4\)"):
        propagate_mask(vgg11(weights=None), "relu1_1", torch.ones(4, 4), (4, 4))
    with pytest.raises(ValueError, match=r"`method` must be one of .* got 'outside'"):
        propagate_mask(vgg11(weights=None), "relu1_1", torch.ones(1, 1, 4, 4), (4, 4), method="outside")


def test_a_region_grows_and_shrinks_by_positions_of_the_layer() -> None:
    mask = torch.zeros(1, 1, 6, 6)
    mask[:, :, :3, 2:5] = 1
    encoder = SequentialEncoder({"a": nn.Conv2d(3, 3, 1)})

    def rows(method, dilation):
        found = propagate_mask(encoder, "a", mask, (6, 6), method=method, dilation=dilation)
        return ["".join(str(int(value)) for value in row) for row in found[0, 0]]

    for method in ("simple", "inside", "all"):
        assert rows(method, 1) == ["011111", "011111", "011111", "011111", "000000", "000000"]
        # The border of the image is not the border of the region.
        assert rows(method, -1) == ["000100", "000100", "000000", "000000", "000000", "000000"]
