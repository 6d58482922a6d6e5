"""Strips of any height give the numbers of the whole image, whatever its size."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pystyle import ContentLoss, Criterion, GramLoss, MaskedImage, MeanStdLoss, TotalVariationLoss
from pystyle.encoders import SequentialEncoder
from pystyle.evaluation import EagerEvaluation, StripEvaluation

few = settings(deadline=None, derandomize=True, max_examples=20, database=None)

SIDES = st.integers(8, 70)
ROWS = st.integers(1, 40)
SEEDS = st.integers(0, 2**16)


def encoder(padding_mode, ceil_mode):
    generator = torch.Generator().manual_seed(0)
    modules = {
        "conv1": nn.Conv2d(3, 4, 3, padding=1, padding_mode=padding_mode),
        "relu1": nn.ReLU(),
        "pool1": nn.MaxPool2d(2, ceil_mode=ceil_mode),
        "conv2": nn.Conv2d(4, 5, 5, padding=2, padding_mode=padding_mode),
        "pool2": nn.AvgPool2d(2, ceil_mode=ceil_mode),
        "conv3": nn.Conv2d(5, 5, 3, padding=1, padding_mode=padding_mode),
    }
    for module in modules.values():
        for parameter in module.parameters():
            parameter.data.uniform_(-0.5, 0.5, generator=generator)
    return SequentialEncoder(modules).double()


ENCODERS = {
    (mode, ceil): encoder(mode, ceil) for mode in ("zeros", "replicate", "reflect") for ceil in (False, True)
}


def image(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def check_same(criterion, references, image, rows):
    whole = EagerEvaluation().bind(criterion, references)
    strips = StripEvaluation(rows).bind(criterion, references)
    (terms, gradient), (strip_terms, strip_gradient) = whole(image), strips(image)
    assert list(terms) == list(strip_terms)
    for name, term in terms.items():
        torch.testing.assert_close(strip_terms[name], term, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(strips.terms(image)[name], term, rtol=1e-9, atol=1e-12)
    tolerance = 1e-10 * float(gradient.abs().max())
    torch.testing.assert_close(strip_gradient, gradient, rtol=1e-8, atol=tolerance)


@few
@given(SIDES, SIDES, SIDES, SIDES, ROWS, SEEDS, st.sampled_from(sorted(ENCODERS)))
def test_strips_of_any_height_have_the_gradient_of_the_whole(h, w, style_h, style_w, rows, seed, kind):
    losses = {
        "content": ContentLoss("conv3"),
        "style": GramLoss(["conv1", "pool1", "conv3"], relative=True),
        "moments": MeanStdLoss("conv2"),
        "smoothness": TotalVariationLoss(),
    }
    references = {"content": image(h, w, seed), "style": image(style_h, style_w, seed + 1)}
    check_same(Criterion(ENCODERS[kind], losses), references, image(h, w, seed + 2), rows)


@few
@given(SIDES, SIDES, ROWS, SEEDS, st.floats(0.2, 0.8))
def test_strips_of_any_height_know_regions(h, w, rows, seed, where):
    mask = torch.zeros(1, 1, h, w)
    mask[:, :, : max(round(where * h), 4)] = 1
    losses = {
        "style": GramLoss(["relu1", "pool2"]).within("sky"),
        "content": ContentLoss("conv2").within("sky"),
    }
    references = {
        "content": MaskedImage(image(h, w, seed), {"sky": mask}),
        "style": MaskedImage(image(h, w, seed + 1), {"sky": mask}),
    }
    check_same(Criterion(ENCODERS["zeros", False], losses), references, image(h, w, seed + 2), rows)


@few
@given(SIDES, SIDES, st.integers(2, 4), ROWS, SEEDS)
def test_a_batch_of_any_size_is_the_mean_of_its_images(h, w, count, rows, seed):
    criterion = Criterion(
        ENCODERS["replicate", True], {"content": ContentLoss("conv2"), "style": GramLoss("conv3")}
    )
    references = {"content": image(h, w, seed), "style": image(h, w, seed + 1)}
    batch = torch.cat([image(h, w, seed + 2 + index) for index in range(count)])
    evaluator = EagerEvaluation().bind(criterion, references)
    mean = torch.stack([evaluator(one[None])[0].total for one in batch]).mean()
    terms, gradient = evaluator(batch)
    torch.testing.assert_close(terms.total, mean, rtol=1e-9, atol=0)
    alone = torch.cat([evaluator(one[None])[1] for one in batch]) / count
    torch.testing.assert_close(gradient, alone, rtol=1e-7, atol=1e-10 * float(alone.abs().max()))
    check_same(criterion, references, batch, rows)
