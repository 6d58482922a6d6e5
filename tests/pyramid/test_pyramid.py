from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    Loss,
    Pyramid,
    SelfSimilarityLoss,
    TemporalLoss,
    TotalVariationLoss,
)
from pystyle.encoders import SequentialEncoder, vgg11
from pystyle.images import resize
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier, LaplacianPyramid, LowResolution, Pixels
from pystyle.runner import StopOnPlateau


def random_image(seed: int, height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


REFERENCES = {"content": random_image(0, 30, 40), "style": random_image(1, 50, 36).square()}


def pixels(*modules: nn.Module) -> SequentialEncoder:
    return SequentialEncoder({"pixels": nn.Sequential(nn.Identity(), *modules)})


def by_pixels() -> Criterion:
    losses = {"content": ContentLoss("pixels"), "style": GramLoss("pixels", weight=0.1)}
    return Criterion(pixels(), losses)


class Recording:
    """Keeps what the steps of a run show, and counts how often it is closed."""

    def __init__(self) -> None:
        self.steps, self.images, self.closed = [], [], 0

    def __call__(self, step):
        self.steps.append(step)
        self.images.append(step.image)

    def close(self):
        self.closed += 1


class References(Loss):
    """A loss that keeps what it was bound to."""

    reference, spatial = "style", "pooled"
    seen: list[Tensor]

    def represent(self, features):
        self.seen.append(features.detach())
        return features.mean((2, 3))


@pytest.mark.parametrize(
    ("edge_size", "smallest", "expected"),
    [
        (512, 64, (64, 128, 256, 512)),
        (500, 64, (125, 250, 500)),
        (130, 64, (65, 130)),
        (64, 64, (64,)),
        (40, 64, (40,)),
        (7, 1, (2, 4, 7)),
        (100, 2, (3, 6, 12, 25, 50, 100)),
        (100, 1, (2, 3, 6, 12, 25, 50, 100)),
        (127, 64, (64, 127)),
        (126, 64, (126,)),
        (1, 1, (1,)),
    ],
)
def test_octaves_halve_the_size_down_to_the_smallest(edge_size, smallest, expected):
    # 7, 3.5, 1.75, 0.875: half a pixel is rounded to the even neighbour. 0.875 pixels are no level of one,
    # and 1.5625, the next half of 100, are none of two.
    assert Pyramid.octaves(edge_size, num_steps=1, smallest=smallest).edge_sizes == expected


@pytest.mark.parametrize(
    ("edge_size", "ratio", "smallest", "expected"),
    [
        (512, 2**0.5, 128, (128, 181, 256, 362, 512)),
        (270, 3.0, 10, (10, 30, 90, 270)),
        (100, 1.25, 60, (64, 80, 100)),
        (127, 2**0.5, 128, (127,)),
        # The sizes of Crowson's code, which rounds before it compares.
        (181, 2**0.5, 128, (128, 181)),
        (1448, 2**0.5, 128, (128, 181, 256, 362, 512, 724, 1024, 1448)),
        # 4.0, 3.64, 3.31, 3.01, 2.73, 2.48, 2.26, 2.05: pixels are whole.
        (4, 1.1, 2, (2, 3, 4)),
    ],
)
def test_levels_from_a_ratio_end_with_the_size(edge_size, ratio, smallest, expected):
    pyramid = Pyramid.from_ratio(edge_size, num_steps=5, ratio=ratio, smallest=smallest)
    assert pyramid.edge_sizes == expected
    assert pyramid.num_steps == (5,) * len(expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pyramid([], 3), r"`edge_sizes` must be positive and grow from level to level, got \(\)"),
        (lambda: Pyramid([0, 4], 3), "must be positive and grow"),
        (lambda: Pyramid([8, 8], 3), r"must be positive and grow from level to level, got \(8, 8\)"),
        (lambda: Pyramid([16, 8], 3), "must be positive and grow"),
        (lambda: Pyramid([8, 16], [3]), r"one number or one for each of 2 levels, got \(3,\)"),
        (lambda: Pyramid([8, 16], [3, -1]), r"`num_steps\[1\]` must not be negative, got -1"),
        (lambda: Pyramid([8], -1), "`num_steps` must not be negative, got -1"),
        (
            lambda: Pyramid.from_ratio(64, num_steps=1, ratio=1.0),
            "`ratio` must be above 1, got 1.0",
        ),
        (
            lambda: Pyramid.from_ratio(64, num_steps=1, ratio=float("nan")),
            "`ratio` must be above 1, got nan",
        ),
        (lambda: Pyramid.octaves(64, num_steps=1, smallest=0), "`smallest` must be at least 1, got 0"),
        (lambda: Pyramid([8, 16.5], 1), r"`edge_sizes\[1\]` must be a whole number, got 16\.5"),
        (lambda: Pyramid([8, 16], 2.5), r"`num_steps` must be a whole number, got 2\.5"),
        (lambda: Pyramid.octaves(64.5, num_steps=1), r"`edge_size` must be a whole number, got 64\.5"),
        (lambda: Pyramid.octaves(0, num_steps=1), "`edge_size` must be at least 1"),
    ],
)
def test_impossible_levels_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


INTEGERS = {
    "numpy": np.int64,
    "small numpy": np.uint8,
    "array": np.array,
    "tensor": torch.tensor,
    "float": float,
}


@pytest.mark.parametrize("kind", INTEGERS.values(), ids=INTEGERS)
def test_whole_numbers_of_any_kind_make_the_same_levels(kind):
    pyramid = Pyramid([kind(8), kind(16)], [kind(2), kind(1)])
    assert repr(pyramid) == "Pyramid(edge_sizes=(8, 16), num_steps=(2, 1))"
    assert Pyramid(np.array([8, 16]), kind(3)) == Pyramid((8, 16), 3)
    assert Pyramid.octaves(kind(100), num_steps=kind(2), smallest=kind(20)) == Pyramid([25, 50, 100], 2)
    assert {type(size) for size in pyramid.edge_sizes} == {int}


@pytest.mark.parametrize("wrong", ["8", None, True, 8j])
def test_what_is_no_number_of_pixels_or_steps_is_named(wrong):
    with pytest.raises(TypeError, match=r"`edge_sizes\[0\]` must be a whole number"):
        Pyramid([wrong, 16], 1)
    with pytest.raises(TypeError, match="`edge_size` must be a whole number"):
        Pyramid.octaves(wrong, num_steps=1)
    with pytest.raises(TypeError, match="`num_steps` must be a sequence of whole numbers"):
        Pyramid([8], wrong)
    with pytest.raises(TypeError, match="`edge_sizes` must be a sequence of whole numbers"):
        Pyramid(64, 1)


def test_history_counts_the_steps_through_all_levels():
    result = Pyramid([8, 16, 30], num_steps=[2, 0, 3]).optimize(by_pixels(), REFERENCES)
    history = result.history
    assert {len(column) for column in history.values()} == {8}
    assert history["edge_size"] == [8, 8, 8, 16, 30, 30, 30, 30]
    # Each level starts with the losses before its first step.
    assert history["step"] == [0, 1, 2, 2, 2, 3, 4, 5]
    assert history["seconds"] == sorted(history["seconds"])
    assert result.seconds >= history["seconds"][-1]
    assert result.stop_reason == "finished"
    assert result.steps == 5
    assert "5 steps in" in repr(result)
    terms = by_pixels().bind({**REFERENCES, "style": resize(REFERENCES["style"], 30)})(result.image)
    assert history["total"][-1] == pytest.approx(float(terms.total), rel=1e-5)


@pytest.mark.parametrize("size", [(30, 40), (97, 131), (100, 133), (53, 37), (61, 182)])
def test_every_level_has_the_aspect_ratio_of_the_full_size(size):
    # From level to level the rounding would add up, and the image would no longer fit the content.
    content, recording = random_image(0, *size), Recording()
    pyramid = Pyramid.from_ratio(min(size), num_steps=1, smallest=4, ratio=1.3)
    result = pyramid.optimize(by_pixels(), {**REFERENCES, "content": content}, callbacks=[recording])
    shapes = [resize(content, edge_size).shape for edge_size in pyramid.edge_sizes]
    assert [image.shape for image in recording.images] == shapes
    assert result.image.shape == content.shape


@pytest.mark.parametrize("init", [(97, 131), random_image(3, 97, 131)], ids=["size", "tensor"])
def test_without_a_content_the_last_level_has_the_exact_size_of_the_start(init):
    criterion = Criterion(pixels(), {"style": GramLoss("pixels")})
    recording = Recording()
    pyramid = Pyramid.from_ratio(97, num_steps=1, smallest=20, ratio=1.3)
    result = pyramid.optimize(
        criterion, {"style": REFERENCES["style"]}, init=init, callbacks=[recording], seed=0
    )
    assert result.image.shape == (1, 3, 97, 131)
    assert [min(image.shape[2:]) for image in recording.images] == list(pyramid.edge_sizes)


def test_a_named_start_without_a_content_is_refused():
    criterion = Criterion(pixels(), {"style": GramLoss("pixels")})
    with pytest.raises(
        ValueError, match=r"`init` must be an image or a size \(height, width\) without a content"
    ):
        Pyramid([8], 1).optimize(criterion, {"style": REFERENCES["style"]}, init="uniform")


@pytest.mark.parametrize("init", ["uniform", (30, 40)])
def test_noise_to_start_from_is_made_at_the_first_level(init):
    # Resized noise would have lost most of its variance, 1 / 12.
    result = Pyramid([10], 0).optimize(by_pixels(), REFERENCES, init=init, seed=0)
    assert float(result.image.var()) == pytest.approx(1 / 12, rel=0.15)
    again = Pyramid([10], 0).optimize(by_pixels(), REFERENCES, init=init, seed=0)
    assert torch.equal(result.image, again.image)


def test_a_level_starts_from_the_picture_of_the_level_before():
    coarse = Pyramid([10], 4).optimize(by_pixels(), REFERENCES, init="uniform", seed=0)
    both = Pyramid([10, 20], [4, 0]).optimize(by_pixels(), REFERENCES, init="uniform", seed=0)
    torch.testing.assert_close(both.image, resize(coarse.image, (20, 27)))


def test_references_are_resized_from_their_full_size():
    loss = References("pixels")
    loss.seen = []
    Pyramid([6, 12, 24], 0).optimize(Criterion(pixels(), {"style": loss}), REFERENCES)
    bound = loss.seen[::2]
    for seen, edge_size in zip(bound, (6, 12, 24), strict=True):
        assert torch.equal(seen, resize(REFERENCES["style"], edge_size))


def test_style_scale_is_the_size_of_the_style_relative_to_the_level():
    loss = References("pixels")
    loss.seen = []
    criterion = Criterion(pixels(), {"style": loss})
    result = Pyramid([6, 12], 0).optimize(criterion, REFERENCES, style_scale=1.5)
    assert [min(seen.shape[2:]) for seen in loss.seen] == [9, 6, 18, 12], "style and image, level by level"
    assert result.image.shape[2:] == (12, 16)


def test_blended_styles_are_resized_each():
    def optimize(style):
        criterion = Criterion(pixels(), {"style": GramLoss("pixels")})
        return Pyramid([8, 16], 3).optimize(criterion, {**REFERENCES, "style": style}).image

    first, second = REFERENCES["style"], random_image(4, 20, 25)
    assert torch.equal(optimize([(first, 2.0), (second, 0.0)]), optimize(first))
    assert not torch.equal(optimize([(first, 1.0), (second, 1.0)]), optimize(first))


def test_what_is_compared_position_by_position_has_the_size_of_the_image():
    # Losses with other references than the content, such as a warped frame.
    losses = {
        "style": GramLoss("pixels"),
        "temporal": TemporalLoss(reference="warped"),
        "layout": SelfSimilarityLoss("pixels", reference="layout"),
    }
    criterion = Criterion(pixels(), losses)
    references = {**REFERENCES, "warped": REFERENCES["content"], "layout": REFERENCES["content"]}
    result = Pyramid([6, 12], 1).optimize(criterion, references, style_scale=1.5)
    assert result.stop_reason == "finished"


@pytest.mark.parametrize("style_scale", [1.0, 0.5])
def test_levels_that_the_encoder_cannot_take_are_left_out(style_scale):
    criterion = Criterion(
        vgg11(weights=None), {"style": GramLoss("relu4_1"), "smoothness": TotalVariationLoss()}
    )
    assert criterion.encoder.minimum_size(["relu4_1"]) == 8
    result = Pyramid([4, 7, 8, 16], 1).optimize(criterion, REFERENCES, style_scale=style_scale)
    assert sorted(set(result.history["edge_size"])) == ([8, 16] if style_scale == 1 else [16])
    assert result.history["step"] == ([0, 1, 1, 2] if style_scale == 1 else [0, 1])


def test_a_last_level_that_is_too_small_is_refused_with_the_smallest_size():
    criterion = Criterion(vgg11(weights=None), {"style": GramLoss("relu4_1")})
    with pytest.raises(ValueError, match=r"must be at least 8 pixels high and wide for the layer 'relu4_1'"):
        Pyramid([4, 7], 1).optimize(criterion, REFERENCES)


def kept_optimizers(kind, made):
    def factory(params):
        made.append(kind(params))
        return made[-1]

    return factory


def test_the_moments_of_adam_go_on_at_the_next_level():
    made = []
    factory = kept_optimizers(partial(torch.optim.Adam, lr=0.01), made)
    Pyramid([10, 20], [5, 0]).optimize(by_pixels(), REFERENCES, optimizer=factory, init="uniform", seed=0)
    (before,), (after,) = (optimizer.state.values() for optimizer in made)
    assert float(after["step"]) == 5
    for name in ("exp_avg", "exp_avg_sq"):
        assert after[name].shape == (1, 3, 20, 27)
        assert float(after[name].mean()) == pytest.approx(float(before[name].mean()), rel=0.1, abs=1e-6)
    assert before["exp_avg_sq"].min() > 0
    assert after["exp_avg_sq"].min() >= 0
    assert after["exp_avg"].min() < 0


def test_no_pixel_leaps_when_the_moments_are_resized():
    # A step of Adam is the mean divided by the root of the mean of squares, which is at least as large.
    made = []

    def edge(step):
        del step
        ((_, state),) = made[0].state.items()
        state["exp_avg_sq"].fill_(1e-8)[..., :5] = 1.0
        state["exp_avg"].copy_(-state["exp_avg_sq"].sqrt())

    factory = kept_optimizers(partial(torch.optim.Adam, lr=0.01), made)
    Pyramid([12, 24], [1, 0]).optimize(by_pixels(), REFERENCES, optimizer=factory, callbacks=[edge])
    ((_, state),) = made[1].state.items()
    ratio = state["exp_avg"].abs() / state["exp_avg_sq"].sqrt()
    assert float(ratio.max()) < 1.01


def test_the_steps_of_adam_are_counted_through_the_levels():
    made = []
    factory = kept_optimizers(partial(torch.optim.Adam, lr=0.01), made)
    result = Pyramid([10, 20], [5, 4]).optimize(by_pixels(), REFERENCES, optimizer=factory)
    assert float(next(iter(made[1].state.values()))["step"]) == 9
    assert result.image.isfinite().all()


@pytest.mark.parametrize("kind", [LBFGS, partial(torch.optim.LBFGS, max_iter=1)])
def test_lbfgs_starts_anew_at_each_level(kind):
    made = []
    result = Pyramid([10, 20], [4, 3]).optimize(
        by_pixels(), REFERENCES, optimizer=kept_optimizers(kind, made)
    )
    state = next(iter(made[1].state.values()))
    assert state.get("step", state.get("n_iter")) == 3
    assert result.stop_reason == "finished"
    assert result.history["total"][-1] < result.history["total"][5]


def test_momentum_without_state_is_no_problem():
    Pyramid([10, 20], 2).optimize(by_pixels(), REFERENCES, optimizer=partial(torch.optim.SGD, lr=0.1))


def test_callbacks_count_through_all_levels_and_are_closed_once():
    recording = Recording()
    Pyramid([8, 16], [2, 3]).optimize(by_pixels(), REFERENCES, callbacks=[recording])
    assert [step.index for step in recording.steps] == [1, 2, 3, 4, 5]
    assert {step.num_steps for step in recording.steps} == {5}
    assert [step.level for step in recording.steps] == [0, 0, 1, 1, 1]
    seconds = [step.seconds for step in recording.steps]
    assert seconds == sorted(seconds)
    assert recording.closed == 1


def test_a_callback_that_stops_ends_its_level():
    result = Pyramid([8, 16], 5).optimize(
        by_pixels(), REFERENCES, callbacks=[lambda step: step.stop("enough") if step.index == 2 else None]
    )
    assert result.history["edge_size"] == [8] * 3 + [16] * 6
    assert result.history["step"] == [0, 1, 2, 5, 6, 7, 8, 9, 10]
    assert result.steps == 7
    assert result.stop_reason == "finished"


def test_a_plateau_ends_its_level_and_is_looked_for_anew_at_the_next():
    stop = StopOnPlateau(patience=4, tolerance=0.01)
    result = Pyramid([8, 16, 30], 60).optimize(
        by_pixels(), REFERENCES, init="uniform", seed=0, callbacks=[stop]
    )
    counts = [result.history["edge_size"].count(size) for size in (8, 16, 30)]
    assert all(5 < count < 60 for count in counts)
    assert result.stop_reason.startswith("plateau: ")


def test_an_interrupt_ends_all_levels_with_the_picture_so_far():
    recording = Recording()

    def interrupt(step):
        if step.index == 4:
            raise KeyboardInterrupt

    result = Pyramid([8, 16, 30], 3).optimize(by_pixels(), REFERENCES, callbacks=[recording, interrupt])
    assert result.stop_reason == "interrupted"
    assert result.image.shape[2] == 16
    assert max(result.history["edge_size"]) == 16
    # The step whose callback was interrupted is taken back.
    assert result.steps == 3
    assert len(recording.steps) == 4
    assert recording.closed == 1


def test_a_loss_that_is_not_finite_ends_all_levels():
    class BreaksAtSixteen(Loss):
        reference, spatial = None, "dense"

        def represent(self, features):
            return features.mean() * (torch.nan if features.shape[2] == 16 else 1.0)

    criterion = Criterion(pixels(), {"content": ContentLoss("pixels"), "broken": BreaksAtSixteen("pixels")})
    recording = Recording()
    result = Pyramid([8, 16, 30], 3).optimize(criterion, REFERENCES, callbacks=[recording])
    assert "non-finite" in result.stop_reason
    assert result.image.shape[2] == 16
    assert result.image.isfinite().all()
    assert recording.closed == 1


def test_an_error_closes_the_callbacks_and_reaches_the_caller():
    recording = Recording()

    def fail(step):
        if step.index == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        Pyramid([8, 16], 2).optimize(by_pixels(), REFERENCES, callbacks=[recording, fail])
    assert recording.closed == 1


def test_bounds_and_averaging_hold_at_each_level():
    recording = Recording()
    result = Pyramid([8, 16], 4).optimize(
        by_pixels(), REFERENCES, bounds=(0.25, 0.75), averaging=0.5, callbacks=[recording]
    )
    for image in [*recording.images, result.image]:
        assert image.min() >= 0.25 - 1e-6
        assert image.max() <= 0.75 + 1e-6


def test_the_tensors_of_the_caller_stay_as_they_are():
    before = {name: image.clone() for name, image in REFERENCES.items()}
    start = random_image(5, 30, 40).requires_grad_()
    copy = start.detach().clone()
    state = torch.get_rng_state()
    result = Pyramid([8, 30], 2).optimize(by_pixels(), REFERENCES, init=start)
    assert all(torch.equal(before[name], image) for name, image in REFERENCES.items())
    assert torch.equal(start, copy)
    assert start.grad is None
    assert torch.equal(torch.get_rng_state(), state)
    assert result.image.shape == start.shape


@pytest.mark.parametrize("parametrization", [Pixels, LaplacianPyramid, Fourier, LowResolution])
@pytest.mark.parametrize("optimizer", [LBFGS, partial(torch.optim.Adam, lr=0.02)])
def test_a_level_of_any_parametrization_starts_from_the_picture_of_the_level_before(
    parametrization, optimizer
):
    recording = Recording()
    criterion = by_pixels()
    result = Pyramid([12, 30], num_steps=4).optimize(
        criterion, REFERENCES, optimizer=optimizer, parametrization=parametrization, callbacks=[recording]
    )
    assert result.image.shape == (1, 3, 30, 40)
    assert result.history["total"][-1] < result.history["total"][5]
    start = resize(recording.images[3], (30, 40))
    again = criterion.bind({"content": REFERENCES["content"], "style": resize(REFERENCES["style"], 30)})
    expected = float(again(parametrization(start)().detach()).total)
    assert recording.steps[4].terms.total.item() == pytest.approx(expected, rel=1e-4)


def test_adam_starts_anew_where_its_parameters_are_no_pixels():
    steps = []

    class Watched(torch.optim.Adam):
        def step(self, closure):
            loss = super().step(closure)
            steps.append([int(state["step"]) for state in self.state.values()])
            return loss

    for parametrization, count in [(Pixels, 1), (LowResolution, 1), (LaplacianPyramid, 6), (Fourier, 1)]:
        steps.clear()
        Pyramid([12, 30], num_steps=2).optimize(
            by_pixels(), REFERENCES, optimizer=Watched, parametrization=parametrization
        )
        second = [3, 4] if parametrization in (Pixels, LowResolution) else [1, 2]
        assert [row[0] for row in steps] == [1, 2, *second]
        assert len(steps[-1]) == count


def test_a_pyramid_needs_no_references() -> None:
    criterion = Criterion(pixels(), {"smoothness": TotalVariationLoss()})
    result = Pyramid([8, 12], num_steps=2).optimize(criterion, {}, init=random_image(0, 12, 15))
    assert result.image.shape == (1, 3, 12, 15)
    assert result.history["total"][-1] < result.history["total"][0]


def test_an_image_that_is_repeated_is_resized_so():
    image = random_image(3, 30, 40)
    seen = []

    class Seeing(ContentLoss):
        def represent(self, features):
            seen.append(features)
            return super().represent(features)

    criterion = Criterion(pixels(), {"content": Seeing("pixels")})
    references = {"content": image}
    result = Pyramid([15, 30], [0, 0], wrap="both").optimize(criterion, references, init=image)
    small = resize(image, (15, 20), wrap="both")
    assert torch.equal(result.image, resize(small, (30, 40), wrap="both"))
    assert not torch.equal(result.image, resize(resize(image, (15, 20)), (30, 40)))
    assert any(torch.equal(features, small) for features in seen)
    # Shifted by whole pixels of the smallest level it is the same, shifted.
    moved = {"content": image.roll((4, 6), (2, 3))}
    shifted = Pyramid([15, 30], [0, 0], wrap="both").optimize(criterion, moved, init=moved["content"])
    torch.testing.assert_close(shifted.image, result.image.roll((4, 6), (2, 3)))


def test_a_pyramid_says_how_it_wraps_and_knows_no_other_way():
    assert repr(Pyramid([8, 16], 1, wrap="horizontal")).endswith("num_steps=(1, 1), wrap='horizontal')")
    assert "wrap" not in repr(Pyramid([8, 16], 1))
    with pytest.raises(ValueError, match="`wrap` must be 'both'"):
        Pyramid([8, 16], 1, wrap="vertical")
