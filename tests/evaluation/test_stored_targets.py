import os
import threading
from enum import Enum
from typing import NamedTuple

import pytest
import torch
import torch.distributed as distributed
from torch import Tensor
from torch.testing._internal.distributed.fake_pg import FakeStore

from pystyle import (
    ContentLoss,
    Criterion,
    GramLoss,
    Loss,
    MaskedImage,
    MRFLoss,
    NearestNeighborLoss,
    PatchNCELoss,
    Pyramid,
    SlicedWassersteinLoss,
    TotalVariationLoss,
    WassersteinLoss,
    optimize_image,
)
from pystyle.criterion import Targets
from pystyle.encoders import vgg11
from pystyle.evaluation import EagerEvaluation, GraphedEvaluation, StoredTargets, StripEvaluation

ENCODER = vgg11(weights=None)


def image(seed, height=24, width=32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


CONTENT, STYLE, OTHER = image(0), image(1, 32, 24), image(2, 32, 24)


class Pair(NamedTuple):
    mean: Tensor
    square: Tensor


class PairLoss(Loss):
    """Compares a named tuple that is not contiguous."""

    spatial = "pooled"

    def represent(self, features):
        means = features.mean((2, 3))
        return Pair(torch.stack([means, -means], 1).mT, means.square())

    def compare(self, representation, target):
        difference = representation.mean - target.mean
        return difference.square().mean() + (representation.square - target.square).abs().mean()


class Statistic(Enum):
    MEAN = "mean"
    MAX = "max"


class StatisticLoss(Loss):
    """Compares a statistic whose name is no number, word or tensor."""

    reference, spatial = "style", "set"

    def __init__(self, layers, statistic):
        super().__init__(layers)
        self.statistic = statistic

    def represent(self, features):
        return features.mean((2, 3)) if self.statistic is Statistic.MEAN else features.amax((2, 3))


STYLE_LOSSES = [
    GramLoss(["relu1_1", "relu2_1"]),
    WassersteinLoss(["image", "relu2_1"], relative=True),
    SlicedWassersteinLoss("relu2_1"),
    MRFLoss("relu2_1", relative=True),
    NearestNeighborLoss("relu2_1"),
    PairLoss("relu1_1"),
]


def criterion_of(loss):
    return Criterion(
        ENCODER, {"content": ContentLoss("relu2_1"), "style": loss, "smoothness": TotalVariationLoss()}
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "targets"


@pytest.mark.parametrize("loss", STYLE_LOSSES, ids=lambda loss: type(loss).__name__)
def test_values_and_gradients_with_stored_targets_have_the_same_bits(folder, loss):
    criterion, references = criterion_of(loss), {"content": CONTENT, "style": [(STYLE, 1.0), (OTHER, 1.0)]}
    evaluation = EagerEvaluation()
    terms, gradient = evaluation.bind(criterion, references)(image(3))
    for _ in range(2):
        stored_terms, stored_gradient = StoredTargets(evaluation, folder).bind(criterion, references)(
            image(3)
        )
        assert {name: float(term) for name, term in stored_terms.items()} == {
            name: float(term) for name, term in terms.items()
        }
        assert torch.equal(stored_gradient, gradient)
    assert len(os.listdir(folder)) == 1


def test_what_is_stored_is_not_computed_again(folder, monkeypatch):
    criterion = criterion_of(GramLoss("relu2_1"))
    evaluation = StoredTargets(EagerEvaluation(), folder)
    evaluation.bind(criterion, {"content": CONTENT, "style": STYLE})
    seen = []
    forward = type(ENCODER).forward

    def watched(self, image, layers):
        seen.append(image)
        return forward(self, image, layers)

    monkeypatch.setattr(type(ENCODER), "forward", watched)
    evaluation.bind(criterion, {"content": OTHER, "style": STYLE})
    assert len(seen) == 1
    assert torch.equal(seen[0], OTHER)


@pytest.mark.parametrize(
    "evaluation", [StripEvaluation(8), GraphedEvaluation(), EagerEvaluation("bfloat16")], ids=str
)
def test_each_way_of_evaluation_has_targets_of_its_own(folder, evaluation):
    criterion, references = criterion_of(WassersteinLoss("relu2_1")), {"content": CONTENT, "style": STYLE}
    StoredTargets(EagerEvaluation(), folder).bind(criterion, references)
    expected = evaluation.bind(criterion, references)(image(3))[1]
    for _ in range(2):
        found = StoredTargets(evaluation, folder).bind(criterion, references)(image(3))[1]
        assert torch.equal(found, expected)
    assert len(os.listdir(folder)) == 2


def test_other_images_losses_and_encoders_are_other_targets(folder):
    evaluation = StoredTargets(EagerEvaluation(), folder)

    def bind(loss, style, encoder=ENCODER):
        evaluation.bind(Criterion(encoder, {"style": loss}), {"style": style})
        return len(os.listdir(folder))

    assert bind(GramLoss("relu1_1"), STYLE) == 1
    assert bind(GramLoss("relu1_1"), STYLE.clone()) == 1
    assert bind(GramLoss("relu1_1"), OTHER) == 2
    assert bind(GramLoss("relu2_1"), STYLE) == 3
    assert bind(GramLoss("relu1_1"), [(STYLE, 1.0), (OTHER, 2.0)]) == 4
    masked = MaskedImage(STYLE, {"left": torch.ones(1, 1, 32, 24)})
    assert bind(GramLoss("relu1_1"), masked) == 5
    changed = vgg11(weights=None)
    with torch.no_grad():
        next(changed.parameters())[0, 0, 0, 0] += 1
    assert bind(GramLoss("relu1_1"), STYLE, changed) == 6


def test_losses_that_differ_in_a_member_have_targets_of_their_own(folder):
    for statistic in Statistic:
        criterion = Criterion(ENCODER, {"style": StatisticLoss("relu1_1", statistic)})
        expected = EagerEvaluation().bind(criterion, {"style": STYLE})(image(3))[1]
        found = StoredTargets(EagerEvaluation(), folder).bind(criterion, {"style": STYLE})(image(3))[1]
        assert torch.equal(found, expected)
    assert len(os.listdir(folder)) == 2


def test_the_targets_of_a_loss_that_nothing_tells_apart_are_not_stored(folder, caplog):
    loss = StatisticLoss("relu1_1", threading.Lock())
    StoredTargets(EagerEvaluation(), folder).bind(Criterion(ENCODER, {"style": loss}), {"style": STYLE})
    assert not folder.exists()
    assert "cannot be stored, and every run computes them. `losses.style.statistic` is a" in caplog.text


def test_what_changes_from_run_to_run_is_not_stored(folder):
    evaluation = StoredTargets(EagerEvaluation(), folder)
    evaluation.bind(Criterion(ENCODER, {"content": ContentLoss("relu2_1")}), {"content": CONTENT})
    drawing = SlicedWassersteinLoss("relu2_1", resample=True)
    evaluation.bind(Criterion(ENCODER, {"style": drawing}), {"style": STYLE})
    for frame in (ContentLoss("relu2_1", reference="frame"), PatchNCELoss("relu2_1", reference="frame")):
        evaluation.bind(Criterion(ENCODER, {"frame": frame}), {"frame": STYLE})
    assert not folder.exists()


@pytest.mark.parametrize("cut", [slice(-3), slice(0), slice(1, None)], ids=["end", "all", "start"])
def test_a_damaged_file_is_computed_again(folder, cut, caplog):
    criterion, evaluation = criterion_of(GramLoss("relu2_1")), StoredTargets(EagerEvaluation(), folder)
    references = {"content": CONTENT, "style": STYLE}
    expected = evaluation.bind(criterion, references)(image(3))[1]
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[cut])
    assert torch.equal(evaluation.bind(criterion, references)(image(3))[1], expected)
    assert "cannot be read and are computed again" in caplog.text
    assert file.read_bytes() == whole


def test_a_type_that_is_no_named_tuple_is_not_made(folder, caplog):
    from pystyle.checkpoints import decode, encode

    criterion, evaluation = criterion_of(WassersteinLoss("relu2_1")), StoredTargets(EagerEvaluation(), folder)
    references = {"content": CONTENT, "style": STYLE}
    evaluation.bind(criterion, references)
    (file,) = folder.iterdir()
    state = decode(file.read_bytes())
    state["references"]["style"][0][2][0][0] = {"tuple": ["touch made"], "type": "os:system"}
    file.write_bytes(b"".join(encode(state)))
    evaluation.bind(criterion, references)
    assert "os:system is no named tuple" in caplog.text


def test_a_pyramid_gives_the_same_picture_with_stored_targets(folder):
    criterion, references = criterion_of(WassersteinLoss("relu2_1")), {"content": CONTENT, "style": STYLE}
    pyramid = Pyramid([16, 24], num_steps=2)
    expected = pyramid.optimize(criterion, references).image
    for _ in range(2):
        result = pyramid.optimize(criterion, references, evaluation=StoredTargets(EagerEvaluation(), folder))
        assert torch.equal(result.image, expected)
    assert len(os.listdir(folder)) == 2


def test_targets_without_a_loss_are_refused():
    objective = Criterion(ENCODER, {"style": GramLoss("relu1_1")}).bind({"style": STYLE})
    targets = Targets.of(objective, "style")
    other = Criterion(ENCODER, {"style": GramLoss(["relu1_1", "relu2_1"])})
    with pytest.raises(
        ValueError,
        match=r"must have the targets of the loss 'style' at 'relu2_1', got those of style\.relu1_1",
    ):
        other.bind({"style": targets})


def test_of_processes_with_stored_targets_the_first_alone_writes_checkpoints(folder, tmp_path, monkeypatch):
    criterion, references = criterion_of(GramLoss("relu1_1")), {"content": CONTENT, "style": STYLE}
    evaluation = StoredTargets(StripEvaluation(16, distributed=True), folder)
    # The first process says that it has found no checkpoint.
    monkeypatch.setattr(distributed, "broadcast_object_list", lambda _: None)
    distributed.init_process_group("fake", rank=1, world_size=2, store=FakeStore())
    try:
        optimize_image(criterion, references, num_steps=1, evaluation=evaluation, checkpoint=tmp_path / "run")
    finally:
        distributed.destroy_process_group()
    assert not (tmp_path / "run").exists()
