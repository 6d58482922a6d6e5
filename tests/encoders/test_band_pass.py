"""Workers that each have a band of the image together do what one does with all of it."""

import pytest
import torch
from torch import nn

from pystyle.encoders import BandPass, SequentialEncoder, WrappedEncoder, alexnet, vgg11

SMOOTH = {"padding": "replicate", "ceil_mode": True}
CASES = {
    "vgg": (
        lambda: vgg11(weights=None, **SMOOTH),
        ["relu1_1", "pool2", "relu4_1"],
    ),
    "alexnet": (lambda: alexnet(weights=None), ["conv1", "pool2", "relu5"]),
}


@pytest.mark.slow
@pytest.mark.parametrize(("height", "count"), [(97, 2), (97, 3), (130, 5), (64, 9)])
@pytest.mark.parametrize("case", CASES)
def test_the_gradients_of_all_workers_add_up_to_that_of_the_whole(case, height, count):
    make, layers = CASES[case]
    encoder = make().double()
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, height, 64, generator=generator, dtype=torch.float64).requires_grad_()
    features = encoder(image, layers)
    weights = {layer: torch.rand(feature.shape, generator=generator) for layer, feature in features.items()}
    whole = torch.stack([(weights[layer] * features[layer].square()).mean() for layer in layers]).sum()
    (gradient,) = torch.autograd.grad(whole, image)

    def loss(part):
        own = weights[part.layer][:, :, part.start : part.start + part.features.shape[2]]
        return part.share * (own * part.features.square()).mean()

    total, added = 0, 0
    for index in range(count):
        worker = BandPass(encoder, layers, rows=16, index=index, count=count)
        total += sum(loss(part) for part in worker.forward(image.detach()))
        added += worker.backward(loss)
    torch.testing.assert_close(total, whole.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(added, gradient, rtol=0, atol=1e-12 * float(gradient.abs().max()))


def test_a_worker_sees_little_more_than_its_band():
    worker = BandPass(vgg11(weights=None), ["relu3_1"], rows=16, index=1, count=4)
    for _ in worker.forward(torch.rand(1, 3, 256, 16)):
        pass
    # relu3_1 of VGG-11 sees 18 pixels: 7 above and 7 below the four that it stands for.
    assert worker._seen == (64 - 8, 128 + 7)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_workers_have_no_band_that_is_lower_than_a_window(count):
    encoder = SequentialEncoder({"wide": nn.Conv2d(3, 2, 17), "pool": nn.MaxPool2d(3, 2)}).double()
    image = torch.rand(1, 3, 40, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = {layer: {} for layer in encoder.layers}
    for index in range(count):
        for part in BandPass(encoder, encoder.layers, rows=4, index=index, count=count).forward(image):
            found[part.layer][part.start] = part.features
    for layer, expected in encoder(image, encoder.layers).items():
        strips = [rows for _, rows in sorted(found[layer].items())]
        torch.testing.assert_close(torch.cat(strips, 2), expected)


def test_workers_share_a_panorama_of_which_no_row_is_left_over():
    # With `ceil_mode` fewer pixels than the stride make a position, but not one that wraps.
    encoder = WrappedEncoder(vgg11(weights=None, **SMOOTH), "horizontal", layers=["relu3_1"])
    image = torch.rand(1, 3, 34, 16, generator=torch.Generator().manual_seed(0))
    workers = [BandPass(encoder, ["relu3_1"], rows=8, index=index, count=2) for index in (0, 1)]
    parts = [part for worker in workers for part in worker.forward(image)]
    found = torch.cat([part.features for part in sorted(parts, key=lambda part: part.start)], 2)
    expected = encoder(image, ["relu3_1"])["relu3_1"]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_wrong_workers_are_refused():
    with pytest.raises(ValueError, match="`index` must be from 0 to 1 for 2 workers, got 2"):
        BandPass(vgg11(weights=None), ["relu1_1"], rows=8, index=2, count=2)
    with pytest.raises(RuntimeError, match="needs a pass of its own"):
        BandPass(vgg11(weights=None), ["relu1_1"], rows=8, index=0, count=2).backward(lambda _: None)
