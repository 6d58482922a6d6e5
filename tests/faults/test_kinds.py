"""Arguments of a kind that people pass work, or are refused with what to write instead."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

from pystyle import (
    Criterion,
    GramLoss,
    MaskedImage,
    Pyramid,
    Runner,
    TotalVariationLoss,
    optimize_image,
    stylize,
)
from pystyle.encoders import (
    HypercolumnEncoder,
    ModuleEncoder,
    MultiEncoder,
    SequentialEncoder,
    alexnet,
    vgg11,
)
from pystyle.evaluation import EagerEvaluation, EagerEvaluator, StripEvaluation, evaluation_memory
from pystyle.images import segmentation_from_masks, write_masks
from pystyle.optim import LBFGS
from pystyle.parametrizations import Fourier
from pystyle.runner import CosineSchedule, ProgressBar, choose_evaluation, estimate_memory, largest_size

PHOTO = torch.rand(1, 3, 24, 28, generator=torch.Generator().manual_seed(0))
BOTH = {"content": PHOTO, "style": PHOTO}
ENCODER = vgg11(weights=None)
LOSSES = {"style": GramLoss("relu1_1")}
CRITERION = Criterion(ENCODER, LOSSES)
MASK = torch.ones(1, 1, 24, 28)

FEW = {"num_steps": 1}
run = partial(optimize_image, CRITERION, BOTH, num_steps=1)
climb = partial(Pyramid([24], 1).optimize, CRITERION, BOTH)
painted = partial(stylize, PHOTO, PHOTO, encoder=ENCODER, edge_size=24, num_steps=1)


def runner(**options):
    objective = Criterion(ENCODER, {"smoothness": TotalVariationLoss()}).bind({})
    return Runner(EagerEvaluator(objective), PHOTO, **options).run(1)


RUNS = {"optimize_image": run, "Pyramid.optimize": climb, "stylize": painted, "Runner": runner}


def adam():
    return torch.optim.Adam([torch.zeros(1, requires_grad=True)])


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("optimizer", ["adam", "Adam", "lbfgs", "L-BFGS", torch.optim.SGD])
def test_optimizers_have_names(name, optimizer):
    assert RUNS[name](optimizer=optimizer).stop_reason == "finished"


def test_a_named_optimizer_is_that_of_its_class():
    assert torch.equal(run(optimizer="lbfgs").image, run(optimizer=LBFGS).image)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("optimizer", "sgd", "'lbfgs' or 'adam', got 'sgd'"),
        ("optimizer", adam(), r"a run makes its own, got an optimizer .*`partial\(Adam"),
        ("optimizer", 3, "got a int"),
        ("callbacks", 3, "`callbacks` must be functions of a step, got a int"),
        ("callbacks", [3], "`callbacks` must be functions of a step, got a int"),
        ("callbacks", ProgressBar, r"got the class ProgressBar. Make one: `ProgressBar\(\.\.\.\)`"),
        (
            "parametrization",
            Fourier(PHOTO),
            "`parametrization` must be a class such as `Fourier`.*got a Fourier",
        ),
        ("parametrization", "fourier", "`parametrization` must be a class such as `Fourier`.*got a str"),
    ],
)
def test_what_a_run_cannot_use_is_refused_with_what_to_write(name, argument, value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        RUNS[name](**{argument: value})


@pytest.mark.parametrize("name", RUNS)
def test_one_callback_needs_no_list(name):
    steps = []
    RUNS[name](callbacks=lambda step: steps.append(step.index))
    assert steps == [1]
    RUNS[name](callbacks=None)


@pytest.mark.parametrize("function", [run, climb])
@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("evaluation", StripEvaluation, r"`evaluation` must be an evaluation such as `StripEvaluation\(\)`"),
        ("evaluation", "strips", "`evaluation` must be an evaluation .*got str"),
        ("schedules", float, "`schedules` must name losses of the criterion, got a type"),
        ("schedules", 3, "`schedules` must name losses"),
    ],
)
def test_evaluations_and_schedules_of_other_kinds_are_refused(function, argument, value, message):
    with pytest.raises(TypeError, match=message):
        function(**{argument: value})


@pytest.mark.parametrize("name", ["optimize_image", "Pyramid.optimize", "Runner"])
@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (StepLR, "got the class StepLR. Schedulers of torch do not fit; write `CosineSchedule"),
        (partial(StepLR, step_size=2), "got the class StepLR"),
        (StepLR(torch.optim.SGD([torch.zeros(1)]), 2), "got a StepLR"),
        (CosineSchedule, "got the class CosineSchedule"),
        ("cosine", "a function from the fraction of the run to a factor, got a str"),
        (0.5, "a function from the fraction of the run to a factor, got a float"),
        (lambda _: None, "give a number, got a NoneType at the fraction 0 of the run"),
        (lambda fraction: str(fraction), "give a number, got a str at the fraction 0"),
        (lambda _: torch.ones(2), "give a number, got a Tensor at the fraction 0"),
    ],
)
def test_what_is_no_schedule_is_refused_with_what_to_write(name, schedule, message):
    loss = "smoothness" if name == "Runner" else "style"
    with pytest.raises(TypeError, match=rf"`schedules\['{loss}'\]` must .*{message}"):
        RUNS[name](schedules={loss: schedule})


def test_a_comparison_is_a_schedule():
    assert run(schedules={"style": lambda fraction: fraction < 0.5}).history["total"]


@pytest.mark.parametrize("function", [run, climb])
def test_schedules_have_names(function):
    with pytest.raises(TypeError, match=r'`schedules` must be a dictionary, got a list. Write `{"style"'):
        function(schedules=["style"])


@pytest.mark.parametrize("wrong", ["vgg19", Criterion, LOSSES, ENCODER])
def test_memory_is_that_of_a_criterion(wrong):
    for function in (estimate_memory, choose_evaluation, evaluation_memory):
        with pytest.raises(TypeError, match=r"`criterion` must be .*, got .*Write `Criterion"):
            function(wrong, (24, 28))
    with pytest.raises(TypeError, match="`criterion` must be of the class Criterion"):
        largest_size(wrong, "1GB")
    with pytest.raises(TypeError, match="`evaluation` must be an evaluation such as"):
        estimate_memory(CRITERION, (24, 28), evaluation=wrong)


@pytest.mark.parametrize("function", [run, climb])
@pytest.mark.parametrize("init", [3, None, PHOTO.numpy()])
def test_what_is_no_start_is_refused(function, init):
    with pytest.raises(
        TypeError, match=r"`init` must be a tensor, a size \(height, width\) or a name.*as_image"
    ):
        function(init=init)


@pytest.mark.parametrize("function", [optimize_image, Pyramid([24], 1).optimize])
@pytest.mark.parametrize("criterion", [LOSSES, GramLoss("relu1_1"), [GramLoss("relu1_1")], ENCODER])
def test_what_is_no_criterion_is_refused(function, criterion):
    with pytest.raises(
        TypeError, match=r"`criterion` must be of the class Criterion, got .*Write `Criterion\("
    ):
        function(criterion, BOTH)


@pytest.mark.parametrize("references", [PHOTO, [PHOTO, PHOTO], None])
@pytest.mark.parametrize(
    "entry",
    [
        CRITERION.bind,
        partial(optimize_image, CRITERION),
        partial(Pyramid([24], 1).optimize, CRITERION),
        partial(EagerEvaluation().bind, CRITERION),
    ],
)
def test_references_without_names_are_refused(entry, references):
    with pytest.raises(
        TypeError, match=r'`references` must be .*Write `{"content": photo, "style": painting}`'
    ):
        entry(references)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (GramLoss("relu1_1"), r"`losses` must have names.*Write `{'gram': GramLoss\(...\)}`"),
        ([GramLoss("relu1_1"), TotalVariationLoss()], r"{'gram': GramLoss.*, 'totalvariation': Total"),
        ({"style": GramLoss}, r"the class GramLoss named 'style'. Make one: `GramLoss\(...\)`"),
        ({"style": "gram"}, "must hold losses, got a str named 'style'"),
        (3, "`losses` must be a dictionary, got a int"),
    ],
)
def test_losses_without_names_are_refused(losses, message):
    with pytest.raises(TypeError, match=message):
        Criterion(ENCODER, losses)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("vgg17", r"`encoder` must be one of vgg11, .*got 'vgg17'. Did you mean 'vgg1"),
        (nn.Sequential(nn.Conv2d(3, 8, 3)), r"got a module, Sequential.*`ModuleEncoder\(module"),
        (vgg11, r"got vgg11 itself. Call it: `vgg11\(\)`"),
        (3, "got a int"),
    ],
)
@pytest.mark.parametrize(
    "entry",
    [lambda encoder: Criterion(encoder, LOSSES), lambda encoder: stylize(PHOTO, PHOTO, encoder=encoder)],
)
def test_what_is_no_encoder_is_refused(entry, encoder, message):
    with pytest.raises((TypeError, ValueError), match=message):
        entry(encoder)


def test_encoders_have_names():
    assert "relu1_1" in Criterion("vgg19", LOSSES).encoder.layers
    assert stylize(PHOTO, PHOTO, encoder="vgg19", edge_size=24, num_steps=1).stop_reason == "finished"


def test_style_losses_and_layers_are_taken_as_people_pass_them():
    painted(style_layers="relu2_1")
    with pytest.raises(TypeError, match=r"got the class GramLoss\. Make one"):
        painted(style_loss=GramLoss)


@pytest.mark.parametrize("layers", [3, None, ["relu1_1", 3]])
def test_layers_that_are_no_names_are_refused(layers):
    with pytest.raises(TypeError, match="`layers` must be names of layers such as 'relu3_1'"):
        GramLoss(layers)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, "bfloat16"])
def test_precisions_are_names_or_types(precision):
    name = str(precision).removeprefix("torch.")
    assert EagerEvaluation(precision) == EagerEvaluation(name)
    assert StripEvaluation(16, precision).precision == name
    with pytest.raises(ValueError, match="`precision` must be one of"):
        EagerEvaluation(torch.float64)


@pytest.mark.parametrize("device", ["gpu", 0])
@pytest.mark.skipif(torch.accelerator.is_available(), reason="There is such a device.")
def test_an_accelerator_that_is_not_there_is_said(device):
    with pytest.raises(ValueError, match=f"`device` is {device!r}, and torch finds no accelerator"):
        painted(device=device)


@pytest.mark.parametrize("device", ["disk", ""])
def test_devices_that_do_not_exist_are_refused(device):
    with pytest.raises(ValueError, match="`device` must be a device such as 'cpu'"):
        painted(device=device)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: MaskedImage(PHOTO, x), "masks"),
        (lambda x: write_masks(x, "masks"), "masks"),
        (segmentation_from_masks, "masks"),
        (MultiEncoder, "encoders"),
        (SequentialEncoder, "modules"),
        (lambda x: HypercolumnEncoder(ENCODER, x), "groups"),
    ],
)
@pytest.mark.parametrize("value", [[MASK], MASK, 3])
def test_what_has_no_names_is_refused_where_names_are_needed(call, name, value):
    with pytest.raises(TypeError, match=f"`{name}` must be a dictionary, got a .* Write `{{"):
        call(value)


def test_the_names_of_submodules_are_still_a_sequence():
    module = nn.Sequential(nn.Conv2d(3, 4, 3))
    assert ModuleEncoder(module, ["0"]).layers == ("0",)
    assert alexnet(weights=None).layers
