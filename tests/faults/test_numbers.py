"""Numbers that mean nothing are refused by the name of their argument; those of numpy are numbers."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch

from pystyle import (
    ContextualLoss,
    Criterion,
    GramLoss,
    MattingLaplacianLoss,
    MMDLoss,
    MRFLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    PNormLoss,
    Pyramid,
    RelaxedEMDLoss,
    Runner,
    SelfSimilarityLoss,
    SlicedWassersteinLoss,
    TotalVariationLoss,
    ValueRangeLoss,
    WaveletLoss,
    encoders,
    functional,
    images,
    optimize_image,
    stylize,
)
from pystyle.checkpoints import Checkpoints
from pystyle.evaluation import EagerEvaluator, StripEvaluation
from pystyle.optim import LBFGS
from pystyle.papers import kolkin_2019, kolkin_2022
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution
from pystyle.runner import (
    CosineSchedule,
    InverseSchedule,
    LinearSchedule,
    Preview,
    StopOnPlateau,
    choose_evaluation,
    estimate_memory,
    initial_image,
    largest_size,
)
from pystyle.stylization import feature_contrast, stylization_criterion, stylization_pyramid

PHOTO = torch.rand(1, 3, 24, 28, generator=torch.Generator().manual_seed(0))
BOTH = {"content": PHOTO, "style": PHOTO}
ENCODER = encoders.vgg11(weights=None)
CRITERION = Criterion(ENCODER, {"style": GramLoss("relu1_1")})
FEATURES = torch.rand(1, 4, 6, 7, generator=torch.Generator().manual_seed(1))
MASK = torch.ones(1, 1, 24, 28)


class Number(NamedTuple):
    """An argument: what takes it, a value that is right, and which others are."""

    call: object
    good: float
    whole: bool
    zero: bool = False
    negative: bool = False


def runner(**options):
    objective = Criterion(ENCODER, {"smoothness": TotalVariationLoss()}).bind({})
    return Runner(EagerEvaluator(objective), PHOTO, **options)


painted = partial(stylize, PHOTO, PHOTO, encoder=ENCODER)
run = partial(optimize_image, CRITERION, BOTH)
climb = partial(Pyramid([24], 1).optimize, CRITERION, BOTH)
parameters = [torch.zeros(3, requires_grad=True)]

WHOLE, REAL = partial(Number, whole=True), partial(Number, whole=False)
NUMBERS = {
    "edge_size of stylize": WHOLE(lambda x: painted(edge_size=x, num_steps=1), 24),
    "num_steps of stylize": WHOLE(lambda x: painted(edge_size=24, num_steps=x), 1),
    "strength of stylize": REAL(lambda x: painted(edge_size=24, num_steps=1, strength=x), 1.5),
    "style_scale of stylize": REAL(lambda x: painted(edge_size=24, num_steps=1, style_scale=x), 1.5),
    "averaging of stylize": REAL(lambda x: painted(edge_size=24, num_steps=1, averaging=x), 0.5, zero=True),
    "tile of stylize": WHOLE(lambda x: painted(edge_size=24, num_steps=1, tile=x), 16),
    "memory_budget of stylize": WHOLE(lambda x: painted(edge_size=24, num_steps=1, memory_budget=x), 10**9),
    "seed of stylize": WHOLE(
        lambda x: painted(edge_size=24, num_steps=1, seed=x), 3, zero=True, negative=True
    ),
    "num_steps of optimize_image": WHOLE(lambda x: run(num_steps=x), 1, zero=True),
    "seed of optimize_image": WHOLE(lambda x: run(seed=x, num_steps=1), 3, zero=True, negative=True),
    "averaging of optimize_image": REAL(lambda x: run(averaging=x, num_steps=1), 0.5, zero=True),
    "style_scale of Pyramid.optimize": REAL(lambda x: climb(style_scale=x), 1.0),
    "num_steps of Pyramid": WHOLE(lambda x: Pyramid([24, 32], x), 3, zero=True),
    "edge_size of octaves": WHOLE(lambda x: Pyramid.octaves(x, num_steps=1), 128),
    "ratio of from_ratio": REAL(lambda x: Pyramid.from_ratio(512, num_steps=1, ratio=x), 2.0),
    "smallest of octaves": WHOLE(lambda x: Pyramid.octaves(128, num_steps=1, smallest=x), 64),
    "num_steps of Runner.run": WHOLE(lambda x: runner().run(x), 1, zero=True),
    "averaging of Runner": REAL(lambda x: runner(averaging=x), 0.5, zero=True),
    "edge_size of stylization_pyramid": WHOLE(stylization_pyramid, 24),
    "num_steps of stylization_pyramid": WHOLE(lambda x: stylization_pyramid(24, num_steps=x), 3),
    "contrast": REAL(lambda x: stylization_criterion(ENCODER, contrast=x), 2.0),
    "edge_size of feature_contrast": WHOLE(lambda x: feature_contrast(ENCODER, BOTH, edge_size=x), 24),
    "memory_budget of choose_evaluation": WHOLE(
        lambda x: choose_evaluation(CRITERION, (24, 24), memory_budget=x), 10**9
    ),
    "memory_budget of largest_size": WHOLE(lambda x: largest_size(CRITERION, x), 10**9),
    "seed of initial_image": WHOLE(
        lambda x: initial_image((4, 4), BOTH, seed=x), 3, zero=True, negative=True
    ),
    "start of LinearSchedule": REAL(lambda x: LinearSchedule(x, 1.0), 0.5, zero=True),
    "decay of InverseSchedule": REAL(InverseSchedule, 0.5, zero=True),
    "stop of CosineSchedule": REAL(lambda x: CosineSchedule(1.0, x), 0.5, zero=True),
    "patience": WHOLE(lambda x: StopOnPlateau(patience=x), 5),
    "tolerance": REAL(lambda x: StopOnPlateau(tolerance=x), 0.1, zero=True),
    "every": WHOLE(lambda x: Preview("a.png", every=x), 5),
    "seconds of Checkpoints": REAL(lambda x: Checkpoints("run", seconds=x), 5, zero=True),
    "steps of Checkpoints": WHOLE(lambda x: Checkpoints("run", steps=x), 5),
    "lr": REAL(lambda x: LBFGS(parameters, lr=x), 0.5),
    "history_size": WHOLE(lambda x: LBFGS(parameters, history_size=x), 5),
    "damping": REAL(lambda x: LBFGS(parameters, damping=x), 0.5, zero=True),
    "initial_step": REAL(lambda x: LBFGS(parameters, initial_step=x), 0.5),
    "history_bytes": WHOLE(lambda x: LBFGS(parameters, history_bytes=x), 10**6),
    "rows of StripEvaluation": WHOLE(StripEvaluation, 16),
    "rows of StripPass": WHOLE(lambda x: encoders.StripPass(ENCODER, ["relu1_1"], rows=x), 16),
    "dilation of propagate_mask": WHOLE(
        lambda x: encoders.propagate_mask(ENCODER, "relu1_1", MASK, (24, 28), dilation=x),
        1,
        zero=True,
        negative=True,
    ),
    "seed of an encoder": WHOLE(
        lambda x: encoders.vgg11(weights=None, seed=x), 3, zero=True, negative=True
    ),
    "weight": REAL(lambda x: GramLoss("relu1_1", weight=x), 2.0, zero=True, negative=True),
    "layer_weights": REAL(
        lambda x: GramLoss("relu1_1", layer_weights=[x]), 2.0, zero=True, negative=True
    ),
    "layer_weights by name": REAL(
        lambda x: GramLoss("relu1_1", layer_weights={"relu1_1": x}), 2.0, zero=True, negative=True
    ),
    "dilation of within": WHOLE(
        lambda x: GramLoss("relu1_1").within("sky", dilation=x), 1, zero=True, negative=True
    ),
    "bandwidth of ContextualLoss": REAL(lambda x: ContextualLoss("relu1_1", bandwidth=x), 0.5),
    "bandwidth of MMDLoss": REAL(lambda x: MMDLoss("relu1_1", bandwidth=x), 0.5),
    "degree of MMDLoss": WHOLE(lambda x: MMDLoss("relu1_1", degree=x), 3),
    "offset of MMDLoss": REAL(lambda x: MMDLoss("relu1_1", offset=x), 3, zero=True, negative=True),
    "seed of MMDLoss": WHOLE(lambda x: MMDLoss("relu1_1", seed=x), 3, zero=True, negative=True),
    "patch_size": WHOLE(lambda x: MRFLoss("relu1_1", patch_size=x), 3),
    "stride": WHOLE(lambda x: MRFLoss("relu1_1", stride=x), 2),
    "scales": REAL(lambda x: MRFLoss("relu1_1", scales=[x]), 1.1),
    "rotations": REAL(lambda x: MRFLoss("relu1_1", rotations=[x]), 10, zero=True, negative=True),
    "max_candidates": WHOLE(lambda x: NearestNeighborLoss("relu1_1", max_candidates=x), 30),
    "temperature": REAL(lambda x: PatchNCELoss("relu1_1", temperature=x), 0.5),
    "num_samples of PatchNCELoss": WHOLE(lambda x: PatchNCELoss("relu1_1", num_samples=x), 5),
    "num_samples of RelaxedEMDLoss": WHOLE(lambda x: RelaxedEMDLoss("relu1_1", num_samples=x), 5),
    "num_samples of SelfSimilarityLoss": WHOLE(lambda x: SelfSimilarityLoss("relu1_1", num_samples=x), 5),
    "num_directions": WHOLE(lambda x: SlicedWassersteinLoss("relu1_1", num_directions=x), 5),
    "exponent of PNormLoss": REAL(PNormLoss, 3.0),
    "exponent of TotalVariationLoss": REAL(TotalVariationLoss, 3.0),
    "exponent of WaveletLoss": REAL(WaveletLoss, 3.0),
    "num_levels of WaveletLoss": WHOLE(lambda x: WaveletLoss(num_levels=x), 2),
    "high of ValueRangeLoss": REAL(lambda x: ValueRangeLoss(-5.0, x), 2.0, zero=True, negative=True),
    "eps of MattingLaplacianLoss": REAL(lambda x: MattingLaplacianLoss(eps=x), 1e-5),
    "decay": REAL(lambda x: Fourier(PHOTO, decay=x), 0.5, zero=True),
    "num_levels of LaplacianPyramid": WHOLE(lambda x: LaplacianPyramid(PHOTO, num_levels=x), 2, zero=True),
    "factor": WHOLE(lambda x: LowResolution(PHOTO, factor=x), 2),
    "size of resize": WHOLE(lambda x: images.resize(PHOTO, x), 12),
    "size[0] of resize": WHOLE(lambda x: images.resize(PHOTO, (x, 12)), 12),
    "size of scaled_size": WHOLE(lambda x: images.scaled_size((10, 20), x), 12),
    "degrees": REAL(lambda x: images.rotate(PHOTO, x), 10, zero=True, negative=True),
    "height of contact_sheet": WHOLE(lambda x: images.contact_sheet([PHOTO], height=x), 20),
    "gap": WHOLE(lambda x: images.contact_sheet([PHOTO], gap=x), 2, zero=True),
    "columns": WHOLE(lambda x: images.contact_sheet([PHOTO], columns=x), 2),
    "bandwidth of contextual_similarity": REAL(
        lambda x: functional.contextual_similarity(FEATURES, FEATURES, bandwidth=x), 0.5
    ),
    "num_samples of grid_positions": WHOLE(lambda x: functional.grid_positions(4, 4, x), 5),
    "count of random_directions": WHOLE(lambda x: functional.random_directions(x, 4), 5),
    "num_iterations of matrix_square_root": WHOLE(
        lambda x: functional.matrix_square_root(torch.eye(3), num_iterations=x), 5
    ),
    "num_iterations of trace_of_square_root": WHOLE(
        lambda x: functional.trace_of_square_root(torch.eye(3), num_iterations=x), 5
    ),
    "eps of mean_std": REAL(
        lambda x: functional.mean_std(functional.raw_moments(FEATURES), eps=x), 1e-5, zero=True
    ),
    "eps of matting_laplacian": REAL(lambda x: functional.matting_laplacian(PHOTO, eps=x), 1e-5),
    "eps of unit_vectors": REAL(lambda x: functional.unit_vectors(FEATURES, eps=x), 1e-5, zero=True),
    "eps of scaled_squared_error": REAL(
        lambda x: functional.scaled_squared_error(FEATURES, FEATURES, eps=x), 1e-5, zero=True
    ),
    "exponent of p_norm": REAL(lambda x: functional.p_norm(PHOTO, exponent=x), 2.0),
    "radius of p_norm": REAL(lambda x: functional.p_norm(PHOTO, radius=x), 2.0),
    "low of range_excess": REAL(
        lambda x: functional.range_excess(PHOTO, low=x, high=9.0), 0.5, zero=True, negative=True
    ),
    "exponent of total_variation": REAL(lambda x: functional.total_variation(PHOTO, exponent=x), 2.0),
    "exponent of wavelet_norm": REAL(lambda x: functional.wavelet_norm(PHOTO, exponent=x), 2.0),
    "num_levels of wavelet_norm": WHOLE(lambda x: functional.wavelet_norm(PHOTO, num_levels=x), 2),
    "size of patches": WHOLE(lambda x: functional.patches(FEATURES, x), 2),
    "stride of patches": WHOLE(lambda x: functional.patches(FEATURES, 2, stride=x), 2),
    "temperature of patch_nce": REAL(
        lambda x: functional.patch_nce(FEATURES, FEATURES, temperature=x), 0.5
    ),
    "target of gradient_penalty": REAL(
        lambda x: functional.gradient_penalty(lambda image: image, PHOTO, PHOTO, target=x), 0.5, zero=True
    ),
    "degree of the discrepancy": WHOLE(
        lambda x: functional.maximum_mean_discrepancy(FEATURES, FEATURES, kernel="polynomial", degree=x), 2
    ),
    "bandwidth of the discrepancy": REAL(
        lambda x: functional.maximum_mean_discrepancy(FEATURES, FEATURES, bandwidth=x), 2.0
    ),
    "smoothing": REAL(
        lambda x: functional.reliability(FEATURES[:, :2], FEATURES[:, 2:], smoothing=x), 0.8, zero=True
    ),
    "radius of smoothed_local_affine": WHOLE(
        lambda x: functional.smoothed_local_affine(PHOTO, PHOTO, radius=x, smoothing_radius=1), 1, zero=True
    ),
    "ridge": REAL(
        lambda x: functional.smoothed_local_affine(PHOTO, PHOTO, ridge=x, smoothing_radius=1), 0.1
    ),
    "alpha of kolkin_2019": REAL(lambda x: kolkin_2019.criterion(encoders.vgg16(weights=None), alpha=x), 2.0),
    "max_side of kolkin_2022": WHOLE(lambda x: kolkin_2022.SplitFeaturesLoss("relu1_1", max_side=x), 4),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_means_nothing_is_refused_by_the_name_of_its_argument(name):
    argument = name.split()[0]
    number = NUMBERS[name]
    wrong = [math.nan, math.inf, -math.inf, True, "3", [], complex(1, 1), torch.zeros(2)]
    # Text is an amount of memory, and a sequence has a number for each level.
    wrong = [value for value in wrong if not ("memory" in name and value == "3")]
    wrong = [value for value in wrong if not ("num_steps" in name and isinstance(value, list | torch.Tensor))]
    wrong += [2.5] if number.whole else []
    wrong += [] if number.zero else [0]
    wrong += [] if number.negative else [-1]
    for value in wrong:
        with pytest.raises((ValueError, TypeError), match=r"`\w+(\[.*\])?` must ") as caught:
            number.call(value)
        known = argument in str(caught.value) or "`edge_sizes`" in str(caught.value)
        assert known or "`size`" in str(caught.value), caught.value


@pytest.mark.slow
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_numpy_and_tensors_of_one_are_numbers(name):
    number = NUMBERS[name]
    forms = [np.float64, torch.tensor, np.array] + ([np.int64, float] if number.whole else [np.float32])
    for form in forms:
        number.call(form(number.good))


def test_what_is_stored_is_a_plain_number():
    loss = MRFLoss("relu1_1", weight=np.float32(2), patch_size=np.int64(3), scales=np.array([1.0]))
    assert [type(value) for value in (loss.weight, loss.patch_size, loss.scales[0])] == [float, int, float]
    pyramid = Pyramid(np.array([24, 32]), torch.tensor([2, 1]))
    assert repr(pyramid) == "Pyramid(edge_sizes=(24, 32), num_steps=(2, 1))"


def test_sizes_and_bounds_are_taken_as_any_pair():
    assert images.resize(PHOTO, [12, 14]).shape == images.resize(PHOTO, torch.Size([12, 14])).shape
    assert initial_image(np.array([4, 5]), BOTH, seed=0).shape == (1, 3, 4, 5)
    for size in ([30, 40], np.array([30, 40]), torch.tensor([30, 40]).tolist()):
        assert Pyramid([16, 24], 1).optimize(CRITERION, {"style": PHOTO}, init=size).image.shape[2:] == (
            24,
            32,
        )
    assert run(bounds=[0, 1], num_steps=1).stop_reason == "finished"
    assert estimate_memory(CRITERION, [24, np.int64(28)]) == estimate_memory(CRITERION, (24, 28))


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (0,), (0, 1, 2), (math.nan, 1), 1, "01", ("0", "1")])
def test_bounds_that_are_no_interval_are_refused(bounds):
    with pytest.raises((ValueError, TypeError), match=r"`bounds(\[\d\])?` must"):
        run(bounds=bounds, num_steps=1)


@pytest.mark.parametrize("text", ["4GB", "4 gb", "4e9", "4 GiB", "4096 MiB", "1.5G", "500000000"])
def test_memory_can_be_text(text):
    if text == "4e9":
        with pytest.raises(
            ValueError, match="`memory_budget` must be a number of bytes or text such as '4GB'"
        ):
            choose_evaluation(CRITERION, (64, 64), memory_budget=text)
    else:
        assert repr(choose_evaluation(CRITERION, (64, 64), memory_budget=text)).startswith("Eager")


def test_units_of_memory_are_those_of_their_names():
    assert largest_size(CRITERION, "4GB") == largest_size(CRITERION, 4 * 10**9)
    assert largest_size(CRITERION, "4 GiB") == largest_size(CRITERION, 4 * 2**30)


def test_two_equal_sizes_are_told_what_sizes_mean():
    with pytest.raises(
        ValueError, match=r"grow from level to level, got \(512, 512\)\. They are the short edges"
    ):
        stylize(PHOTO, PHOTO, encoder=ENCODER, edge_size=(512, 512))
