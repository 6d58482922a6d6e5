"""Several measures at once, and what they say of themselves."""

import pytest
import torch

from pystyle.encoders import vgg16
from pystyle.metrics import (
    LPIPS,
    MEASURES,
    Judge,
    StyleDistance,
    color_distance,
    deception_rate,
    noise_ratio,
    saturation_ratio,
    ssim,
)

GENERATOR = torch.Generator().manual_seed(0)
IMAGES, CONTENTS = torch.rand(2, 2, 3, 40, 36, generator=GENERATOR)
STYLE = torch.rand(1, 3, 33, 52, generator=GENERATOR) / 2


@pytest.mark.usefixtures("_lpips")
def test_the_figures_are_those_of_the_measures():
    network = vgg16(weights=None, seed=3)
    lpips, style = LPIPS(network), StyleDistance(network, num_directions=8)
    judgement = Judge(lpips, style)(IMAGES, CONTENTS, STYLE)
    expected = {
        "lpips": lpips(IMAGES, CONTENTS),
        "ssim": ssim(IMAGES, CONTENTS),
        "style": style(IMAGES, STYLE, CONTENTS),
        "color": color_distance(IMAGES, STYLE),
        "saturation": saturation_ratio(IMAGES, STYLE),
        "noise": noise_ratio(IMAGES, CONTENTS, STYLE),
    }
    assert list(judgement.figures) == list(expected) == list(MEASURES)
    for name, values in expected.items():
        assert judgement.figures[name].tolist() == pytest.approx(values.tolist(), rel=1e-6)
        assert judgement.means[name] == pytest.approx(float(values.double().mean()))
    assert judgement.count == 2
    assert judgement.settings == {"style_layers": list(style.layers), "style_directions": 8, "seed": 0}
    assert set(judgement.versions) == {"pystyle-nst", "torch"}


def test_without_networks_their_figures_are_left_out():
    judgement = Judge()(IMAGES, CONTENTS, STYLE)
    assert list(judgement.figures) == ["ssim", "color", "saturation", "noise"]
    assert judgement.settings == {}
    # Tensors cannot say whether they are equal.
    assert judgement == judgement
    assert judgement != Judge()(IMAGES, CONTENTS, STYLE)


def test_the_published_judge_names_the_package_of_its_weights():
    with pytest.raises(ValueError, match="`network` must be one of"):
        Judge.published("vgg19")


def test_a_measure_says_which_way_is_better_and_what_it_cannot_see():
    for name, measure in MEASURES.items():
        assert str(measure).startswith(f"{name}: ")
        assert "; cannot see " in str(measure)


def test_the_deception_rate_is_the_share_that_is_taken_for_the_artist():
    scores = torch.eye(4)[[0, 1, 2, 3, 3]]
    assert deception_rate(scores, torch.tensor([0, 1, 2, 3, 0])) == 0.8
    assert deception_rate(5 * scores - 9, torch.tensor([1, 2, 3, 0, 0])) == 0


@pytest.mark.parametrize(
    ("scores", "artists", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.long), r"`scores` must be of the shape"),
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), r"at least 1"),
        (torch.full((1, 3), float("nan")), torch.zeros(1, dtype=torch.long), "`scores` must be numbers"),
        (torch.zeros(1, 3), torch.tensor([3]), "`artists` must be integers from 0 to 2"),
        (torch.zeros(1, 3), torch.tensor([-1]), "`artists` must be integers from 0 to 2"),
        (torch.zeros(1, 3), torch.tensor([0.5]), "`artists` must be integers from 0 to 2"),
    ],
)
def test_scores_that_do_not_fit_are_refused(scores, artists, message):
    with pytest.raises(ValueError, match=message):
        deception_rate(scores, artists)


@pytest.mark.parametrize("wrong", ["scores.csv", 5, [0, 1]])
def test_what_is_no_tensor_is_refused_by_its_name(wrong):
    with pytest.raises(TypeError, match=r"`scores` must be of the class Tensor, got a \w+\. .*as_tensor\(sc"):
        deception_rate(wrong, torch.zeros(1))
    with pytest.raises(
        TypeError, match=r"`artists` must be of the class Tensor, got a \w+\. .*as_tensor\(ar"
    ):
        deception_rate(torch.zeros(1, 2), wrong)
    pictures = [IMAGES, CONTENTS, STYLE]
    for place, name in enumerate(("image", "content", "style")):
        with pytest.raises(TypeError, match=f"`{name}` must be a tensor, got a"):
            noise_ratio(*pictures[:place], wrong, *pictures[place + 1 :])


@pytest.mark.parametrize("wrong", ["vgg16", LPIPS, StyleDistance, 1.0])
@pytest.mark.parametrize("name", ["lpips", "style"])
def test_a_judge_refuses_at_once_what_is_no_measure(name, wrong):
    got = f"the class {wrong.__name__}" if isinstance(wrong, type) else f"a {type(wrong).__name__}"
    with pytest.raises(TypeError, match=rf"`{name}` must be of the class \w+, got {got}\. Write `"):
        Judge(**{name: wrong})
