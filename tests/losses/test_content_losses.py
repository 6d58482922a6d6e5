"""Values of the losses that compare positions, against numpy and plain loops."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import ContentLoss, Criterion, Loss, PatchNCELoss, SelfSimilarityLoss
from pystyle.encoders import SequentialEncoder
from pystyle.functional import patch_nce, self_similarity


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value(loss: Loss, features: Tensor, reference: Tensor) -> float:
    target = loss.prepare(loss.represent(reference))
    return float(loss.compare(loss.represent(features), target))


def through_criterion(loss: Loss, image: Tensor, reference: Tensor) -> float:
    encoder = SequentialEncoder({"one": nn.Conv2d(3, 3, 1)})
    with torch.no_grad():
        return float(Criterion(encoder, {"loss": loss}).bind({"content": reference})(image).total)


FEATURES, REFERENCE = noise(1, 4, 6, 8), noise(1, 4, 6, 8, seed=1).square()
SAMPLED: list[Callable[..., Loss]] = [PatchNCELoss, SelfSimilarityLoss]


@pytest.mark.parametrize("distance", ["mse", "l1", "scaled_mse"])
def test_content_loss_measures_the_difference_as_asked(distance: str) -> None:
    difference = (FEATURES - REFERENCE).numpy()
    squares, lengths = (difference**2).sum(), abs(difference).sum()
    expected = {"mse": squares / 192, "l1": lengths / 192, "scaled_mse": squares / lengths}[distance]
    loss = ContentLoss("a", distance=distance)  # type: ignore[arg-type]
    assert value(loss, FEATURES, REFERENCE) == pytest.approx(expected)
    assert value(loss, FEATURES, FEATURES) == 0


@pytest.mark.parametrize("distance", ["mse", "l1", "scaled_mse"])
def test_a_relative_content_loss_of_a_black_image_is_one_at_any_distance(distance: str) -> None:
    image = noise(1, 3, 5, 6).float()
    loss = ContentLoss("image", distance=distance, relative=True)  # type: ignore[arg-type]
    assert through_criterion(loss, torch.zeros_like(image), image) == pytest.approx(1, rel=1e-4)


def test_self_similarity_loss_is_the_mean_absolute_difference() -> None:
    matrices = []
    for features in (FEATURES, REFERENCE):
        vectors = features[0].flatten(1).numpy()
        unit = vectors / np.linalg.norm(vectors, axis=0)
        distances = 1 - unit.T @ unit
        matrices.append(48 * distances / distances.sum(0))
    expected = abs(matrices[0] - matrices[1]).mean()
    assert value(SelfSimilarityLoss("a"), FEATURES, REFERENCE) == pytest.approx(expected)


def test_self_similarity_loss_leaves_the_features_themselves_free() -> None:
    rotation = torch.linalg.qr(noise(4, 4, seed=2)).Q
    turned = 7 * torch.einsum("ij,njhw->nihw", rotation, FEATURES)
    assert value(SelfSimilarityLoss("a"), FEATURES, turned) < 1e-12


def test_sampled_losses_look_at_the_positions_of_a_grid() -> None:
    # In a map that is striped in cells of a sample, every grid of 3 x 4 sees the same twelve vectors.
    small = noise(1, 4, 3, 4), noise(1, 4, 3, 4, seed=1).square()
    large = [features.repeat_interleave(5, 2).repeat_interleave(5, 3) for features in small]
    for seed in range(4):
        similarity = (self_similarity(small[0]) - self_similarity(small[1])).abs().mean()
        loss: Loss = SelfSimilarityLoss("a", num_samples=12, seed=seed)
        assert value(loss, *large) == pytest.approx(float(similarity))
        loss = PatchNCELoss("a", num_samples=12, seed=seed, temperature=0.2)
        assert value(loss, *large) == pytest.approx(float(patch_nce(*small, temperature=0.2)))


@pytest.mark.parametrize("make", SAMPLED)
def test_all_positions_are_taken_on_request(make: Callable[..., Loss]) -> None:
    image, reference = noise(1, 4, 40, 40), noise(1, 4, 40, 40, seed=1)
    every, many = (value(make("a", num_samples=n), image, reference) for n in (None, 1600))
    assert every == many
    assert value(make("a", num_samples=1599), image, reference) != every


@pytest.mark.parametrize("resample", [False, True])
def test_image_and_reference_are_sampled_at_the_same_positions(resample: bool) -> None:
    image = noise(1, 4, 30, 30)
    similarity = SelfSimilarityLoss("a", num_samples=9, resample=resample)
    # Lengths do not matter, but positions do.
    assert max(value(similarity, image, 3 * image) for _ in range(5)) < 1e-12
    assert value(similarity, image, image.flip(3)) > 0.1
    recognition = PatchNCELoss("a", num_samples=9, resample=resample, temperature=0.001)
    assert max(value(recognition, image, 3 * image) for _ in range(5)) < 0.1


@pytest.mark.parametrize("make", SAMPLED)
def test_each_evaluation_is_another_one_if_resampled(make: Callable[..., Loss]) -> None:
    loss = make("a", num_samples=6, resample=True)
    values = [value(loss, FEATURES, REFERENCE) for _ in range(6)]
    assert len(set(values)) > 3
    again = make("a", num_samples=6, resample=True)
    assert [value(again, FEATURES, REFERENCE) for _ in range(6)] == values


@pytest.mark.parametrize("make", SAMPLED)
def test_a_pickled_loss_goes_on_where_it_was(make: Callable[..., Loss]) -> None:
    loss = make("a", num_samples=6, resample=True)
    value(loss, FEATURES, REFERENCE)
    other = pickle.loads(pickle.dumps(loss))
    assert value(other, FEATURES, REFERENCE) == value(loss, FEATURES, REFERENCE)


@pytest.mark.parametrize("make", SAMPLED)
def test_the_seed_chooses_the_grid(make: Callable[..., Loss]) -> None:
    results = {value(make("a", num_samples=6, seed=seed), FEATURES, REFERENCE) for seed in range(4)}
    assert len(results) > 1


@pytest.mark.parametrize("make", SAMPLED)
def test_a_region_is_compared_as_a_list_of_its_positions(make: Callable[..., Loss]) -> None:
    lists = [features.flatten(2).unsqueeze(2) for features in (FEATURES, REFERENCE)]
    assert value(make("a"), *lists) == pytest.approx(value(make("a"), FEATURES, REFERENCE))
    assert np.isfinite(value(make("a", num_samples=5), *lists))


@pytest.mark.parametrize("make", SAMPLED)
def test_maps_of_different_size_are_refused(make: Callable[..., Loss]) -> None:
    with pytest.raises(ValueError, match=r"got \(1, 4, 6, 8\) and \(1, 4, 8, 6\). Give both the same size"):
        value(make("a"), FEATURES, REFERENCE.mT)


@pytest.mark.parametrize("make", SAMPLED)
def test_a_relative_loss_of_a_black_image_is_one(make: Callable[..., Loss]) -> None:
    image = noise(1, 3, 5, 6).float()
    black = torch.zeros_like(image)
    assert through_criterion(make("image", relative=True), black, image) == pytest.approx(1, rel=1e-4)
    assert np.isfinite(through_criterion(make("image", relative=True), image, black))


@pytest.mark.parametrize("make", SAMPLED)
def test_a_single_position_is_no_trouble(make: Callable[..., Loss]) -> None:
    single, loss = noise(1, 4, 1, 1).requires_grad_(), make("a")
    result = loss.compare(loss.represent(single), loss.represent(noise(1, 4, 1, 1, seed=1)))
    (gradient,) = torch.autograd.grad(result, single)
    assert result.isfinite()
    assert gradient.isfinite().all()


@pytest.mark.parametrize("make", SAMPLED)
def test_a_loss_leaves_the_global_random_state_alone(make: Callable[..., Loss]) -> None:
    before = torch.random.get_rng_state()
    value(make("a", num_samples=6, resample=True), FEATURES, REFERENCE)
    assert torch.equal(torch.random.get_rng_state(), before)
