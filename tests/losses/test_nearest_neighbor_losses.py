"""Values of the losses that look for matches, against loops over the pixels of small images."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import ContextualLoss, Criterion, Loss, MRFLoss, NearestNeighborLoss
from pystyle.encoders import SequentialEncoder
from pystyle.functional import contextual_similarity
from pystyle.images import resize, rotate


def noise(seed: int, height: int = 8, width: int = 9, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


IMAGE, REFERENCE, OTHER = noise(0), noise(1, 7, 12).square(), noise(2, 10, 6)


def encoder() -> SequentialEncoder:
    convolution = nn.Conv2d(3, 5, 3, padding=1)
    for number, parameter in enumerate(convolution.parameters()):
        parameter.data.uniform_(-0.5, 0.5, generator=torch.Generator().manual_seed(number))
    return SequentialEncoder({"conv": convolution, "relu": nn.ReLU()})


def value(loss: Loss, image: Tensor, reference: object) -> float:
    objective = Criterion(encoder(), {"loss": loss}).bind({loss.reference: reference})  # type: ignore[dict-item]
    return float(objective(image).total)


def windows(image: Tensor, size: int, stride: int = 1) -> np.ndarray:
    array = image[0].double().numpy()
    return np.array(
        [
            array[:, row : row + size, column : column + size].ravel()
            for row in range(0, array.shape[1] - size + 1, stride)
            for column in range(0, array.shape[2] - size + 1, stride)
        ]
    )


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right) / (math.hypot(*left) * math.hypot(*right))


def mrf(points: np.ndarray, others: np.ndarray) -> float:
    matches = [others[int(np.argmax([cosine(point, other) for other in others]))] for point in points]
    return float(np.mean((points - matches) ** 2))


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 1), (4, 1)])
def test_mrf_loss_is_the_mean_squared_difference_to_the_most_similar_patches(size: int, stride: int) -> None:
    expected = mrf(windows(IMAGE, size, stride), windows(REFERENCE, size, stride))
    loss = MRFLoss("image", patch_size=size, stride=stride)
    assert value(loss, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)


def test_the_mrf_loss_takes_the_patches_of_the_last_rows_too_which_pystiche_leaves_out() -> None:
    """pystiche takes the patches that the steps reach; the authors' code those of the last rows, too."""
    loss = MRFLoss("image", patch_size=3, stride=2)
    image, reference = noise(3, 9, 7), noise(4, 11, 5)
    reached = mrf(windows(image, 3, 2), windows(reference, 3, 2))
    assert value(loss, image, reference) == pytest.approx(reached, rel=1e-5)
    # 8 rows end between two steps: more patches begin at row 5. 12 columns: at column 9.
    last = windows(IMAGE[:, :, 5:], 3, 2)
    others = np.concatenate([windows(REFERENCE, 3, 2), windows(REFERENCE[..., 9:], 3, 2)])
    expected = mrf(np.concatenate([windows(IMAGE, 3, 2), last]), others)
    assert value(loss, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(mrf(windows(IMAGE, 3, 2), windows(REFERENCE, 3, 2)), rel=1e-3)


def test_mrf_loss_steps_by_its_stride() -> None:
    image, reference = noise(0, 7, 9), noise(1, 9, 5)
    expected = mrf(windows(image, 3, 2), windows(reference, 3, 2))
    assert value(MRFLoss("image", stride=2), image, reference) == pytest.approx(expected, rel=1e-5)


def test_other_matchings_find_other_patches() -> None:
    losses = {
        matching: value(MRFLoss("image", matching=matching), IMAGE, REFERENCE)  # type: ignore[arg-type]
        for matching in ("cosine", "centered_cosine", "euclidean")
    }
    assert len(set(losses.values())) == 3
    points, others = windows(IMAGE, 3), windows(REFERENCE, 3)
    nearest = ((points[:, None] - others[None]) ** 2).mean(2).min(1).mean()
    assert losses["euclidean"] == pytest.approx(nearest, rel=1e-5) == min(losses.values())


def test_relative_mrf_loss_is_divided_by_the_mean_square_of_the_patches() -> None:
    expected = value(MRFLoss("image"), IMAGE, REFERENCE) / (windows(REFERENCE, 3) ** 2).mean()
    relative = MRFLoss("image", relative=True)
    assert value(relative, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)
    # A patch of an image without features is similar to none, so it may be compared with any.
    flat = torch.full_like(REFERENCE, 0.7)
    assert value(relative, torch.zeros_like(IMAGE), flat) == pytest.approx(1, rel=1e-5)


def test_an_image_made_of_patches_of_the_reference_costs_nothing() -> None:
    crop = OTHER[:, :, 3:8, 1:6]
    for loss in (MRFLoss("image"), MRFLoss("image", matching="euclidean"), NearestNeighborLoss("image")):
        assert abs(value(loss, crop, OTHER)) < 1e-6 < value(loss, OTHER, crop)


def test_the_gradient_of_an_image_that_is_its_own_reference_is_0() -> None:
    for loss in (MRFLoss("relu"), NearestNeighborLoss("conv", centered=True), ContextualLoss("conv")):
        image = IMAGE.clone().requires_grad_()
        (Criterion(encoder(), {"loss": loss}).bind({"style": IMAGE})(image)).total.backward()
        other = IMAGE.clone().requires_grad_()
        (Criterion(encoder(), {"loss": loss}).bind({"style": REFERENCE})(other)).total.backward()
        assert image.grad is not None
        assert other.grad is not None
        assert image.grad.abs().max() < 1e-4 * other.grad.abs().max()


def test_patches_are_matched_with_those_of_all_blended_references() -> None:
    points = windows(IMAGE, 3)
    together = np.concatenate((windows(REFERENCE, 3), windows(OTHER, 3)))
    blended = value(MRFLoss("image"), IMAGE, [(REFERENCE, 2.0), (OTHER, 2.0)])
    assert blended == pytest.approx(mrf(points, together), rel=1e-5)
    # With one match for each reference it would be the mean of two losses, which is more.
    singles = [value(MRFLoss("image", matching="euclidean"), IMAGE, x) for x in (REFERENCE, OTHER)]
    union = value(MRFLoss("image", matching="euclidean"), IMAGE, [(REFERENCE, 1.0), (OTHER, 1.0)])
    assert union < min(singles)


@pytest.mark.parametrize("make", [MRFLoss, NearestNeighborLoss])
def test_references_that_compete_have_equal_weights_or_none(make: type[Loss]) -> None:
    loss = make("image")
    message = rf"{make.__name__} looks for matches .* must be equal, got 0\.25, 0\.75\. Use"
    with pytest.raises(ValueError, match=message):
        value(loss, IMAGE, [(REFERENCE, 1.0), (OTHER, 3.0)])
    alone = value(loss, IMAGE, REFERENCE)
    assert value(loss, IMAGE, [(OTHER, 0.0), (REFERENCE, 3.0)]) == alone
    assert value(loss, IMAGE, [(REFERENCE, 0.1 + 0.2), (REFERENCE, 0.3)]) == pytest.approx(alone)


def test_mrf_loss_finds_patches_of_the_turned_and_scaled_reference() -> None:
    reference = noise(1, 30, 36)
    plain = MRFLoss("image")
    turned = MRFLoss("image", rotations=(0, 90, 20), scales=(1, 0.5, 1.5))
    views = []
    for view in (reference, reference.rot90(1, (2, 3)), rotate(reference, 20)):
        height, width = view.shape[2:]
        sizes = (height, width), (height // 2, width // 2), (height * 3 // 2, width * 3 // 2)
        views += [resize(view, size) for size in sizes]
    image = noise(0, 10, 12)
    expected = value(plain, image, [(view, 1) for view in views])
    assert value(turned, image, reference) == pytest.approx(expected, rel=1e-5)
    for view in views:
        assert value(turned, view, reference) < 1e-8
        assert value(plain, view, reference) > 1e-3 or torch.equal(view, reference)
    assert value(MRFLoss("image", rotations=(90,)), reference, reference) > 1e-3


def test_nearest_neighbor_loss_finds_features_of_the_turned_reference() -> None:
    loss = NearestNeighborLoss("conv", rotations=(0, 90))
    turned = REFERENCE.rot90(1, (2, 3))
    assert abs(value(loss, turned, REFERENCE)) < 1e-6
    assert value(NearestNeighborLoss("conv"), turned, REFERENCE) > 1e-4


@pytest.mark.parametrize("centered", [False, True])
def test_nearest_neighbor_loss_is_the_mean_cosine_distance_to_the_nearest_feature(centered: bool) -> None:
    points, others = windows(IMAGE, 1), windows(REFERENCE, 1)
    if centered:
        points, others = points - points.mean(0), others - others.mean(0)
    expected = np.mean([1 - max(cosine(point, other) for other in others) for point in points])
    loss = NearestNeighborLoss("image", centered=centered)
    assert value(loss, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-4)


def test_nearest_neighbor_loss_is_relative_as_it_is() -> None:
    plain, relative = (NearestNeighborLoss("image", weight=3, relative=x) for x in (False, True))
    assert value(relative, IMAGE, REFERENCE) == value(plain, IMAGE, REFERENCE)
    assert value(plain, torch.zeros_like(IMAGE), REFERENCE) == 3


def test_candidates_are_chosen_by_the_seed_and_no_more_than_there_are() -> None:
    reference = noise(1, 30, 30)
    everything = NearestNeighborLoss("image")
    few, same, others, all_of_them = (
        NearestNeighborLoss("image", max_candidates=count, seed=seed)
        for count, seed in ((20, 0), (20, 0), (20, 1), (900, 0))
    )
    target = few.prepare(few.represent(reference))
    assert target.shape == (1, 3, 20)
    pixels = {tuple(pixel) for pixel in reference[0].flatten(1).T.tolist()}
    assert len({tuple(pixel) for pixel in target[0].T.tolist()} & pixels) == 20
    assert torch.equal(same.prepare(same.represent(reference)), target)
    assert not torch.equal(others.prepare(others.represent(reference)), target)
    assert value(all_of_them, IMAGE, reference) == value(everything, IMAGE, reference)
    assert value(few, IMAGE, reference) > value(everything, IMAGE, reference)


def test_contextual_loss_is_the_negative_logarithm_of_the_similarity() -> None:
    for bandwidth in (0.1, 0.5):
        similarity = contextual_similarity(IMAGE, REFERENCE, bandwidth=bandwidth)
        expected = -math.log(float(similarity))
        loss = ContextualLoss("image", bandwidth=bandwidth)
        assert value(loss, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-5)
        assert value(loss, REFERENCE, REFERENCE) == pytest.approx(0, abs=1e-4)


def test_relative_contextual_loss_is_divided_by_that_of_a_flat_image() -> None:
    plain, relative = ContextualLoss("image"), ContextualLoss("image", relative=True)
    flat = torch.full_like(IMAGE, 0.8)
    assert value(plain, flat, REFERENCE) == pytest.approx(math.log(7 * 12), rel=1e-4)
    assert value(relative, flat, REFERENCE) == pytest.approx(1, rel=1e-4)
    expected = value(plain, IMAGE, REFERENCE) / math.log(7 * 12)
    assert value(relative, IMAGE, REFERENCE) == pytest.approx(expected, rel=1e-4)


def test_blended_references_of_the_contextual_loss_keep_their_weights() -> None:
    loss = ContextualLoss("image")
    singles = [value(loss, IMAGE, x) for x in (REFERENCE, OTHER)]
    blended = value(loss, IMAGE, [(REFERENCE, 1.0), (OTHER, 3.0)])
    assert blended == pytest.approx(0.25 * singles[0] + 0.75 * singles[1], rel=1e-5)


@pytest.mark.parametrize("loss", [NearestNeighborLoss("a", centered=True), ContextualLoss("a")])
def test_the_order_of_positions_does_not_count(loss: Loss) -> None:
    # So a region, whose positions come as one row, is as good as a map.
    order = torch.randperm(72, generator=torch.Generator().manual_seed(3))
    row = IMAGE.flatten(2)[:, :, order].unsqueeze(2)
    target = loss.prepare(loss.represent(REFERENCE.flatten(2)[:, :, :31].unsqueeze(2)))
    left, right = (loss.compare(loss.represent(x), target) for x in (row, IMAGE))
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize("loss", [NearestNeighborLoss("a"), ContextualLoss("a")])
def test_one_position_is_enough(loss: Loss) -> None:
    pixel = IMAGE[:, :, :1, :1].clone().requires_grad_()
    value = loss.compare(loss.represent(pixel), loss.prepare(loss.represent(REFERENCE[:, :, :1, 3:4])))
    (gradient,) = torch.autograd.grad(value, pixel)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_features_smaller_than_a_patch_are_refused_with_the_name_of_the_loss() -> None:
    with pytest.raises(ValueError, match=r"`features` .* at least 9 x 9 positions .*\(1, 3, 8, 9\)"):
        value(MRFLoss("image", patch_size=9), noise(0, 20, 20), IMAGE)
    with pytest.raises(ValueError, match=r"The loss 'loss\.image' cannot be computed\. `features` .*9 x 9"):
        value(MRFLoss("image", patch_size=9), IMAGE, noise(0, 20, 20))


@pytest.mark.parametrize("make", [MRFLoss, NearestNeighborLoss, ContextualLoss])
def test_each_image_of_a_batch_is_matched_with_its_own_reference(make: type[Loss]) -> None:
    images, references = noise(0, batch=2), noise(1, 7, 6, batch=2)
    pairs = list(zip(images.split(1), references.split(1), strict=True))
    single = [value(make("conv"), image, reference) for image, reference in pairs]
    assert value(make("conv"), images, references) == pytest.approx(np.mean(single), rel=1e-4)
    shared = [value(make("conv"), image, references[:1]) for image, _ in pairs]
    assert value(make("conv"), images, references[:1]) == pytest.approx(np.mean(shared), rel=1e-4)
