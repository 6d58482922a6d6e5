"""Two players in one loop: both learn, neither touches the other, and interruptions change nothing."""

import copy
import itertools
import re
from functools import partial

import pytest
import torch
from torch import nn

from pystyle import AdversarialLoss, ContentLoss, Criterion
from pystyle.checkpoints import CheckpointError
from pystyle.encoders import vgg11
from pystyle.functional import differentiable_augmentation
from pystyle.metrics import InceptionFeatures, compare_sets, kernel_distance
from pystyle.networks import AnyStyleNetwork, PatchDiscriminator, ResNetGenerator, Stylizer, TransformNetwork
from pystyle.runner import CSVLogger
from pystyle.training import Adversary, ContrastTask, CycleTask, HeldOut, Lesson, Phase, Task, train

GENERATOR = torch.Generator().manual_seed(0)
PHOTOS = torch.rand(6, 3, 20, 24, generator=GENERATOR)
PAINTINGS = torch.rand(5, 3, 24, 20, generator=GENERATOR).square()
ADAM = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))


class Tint(Stylizer):
    """Adds a colour to the content: the smallest network that paints in a style of its own."""

    stride, smallest = 1, 4

    def __init__(self) -> None:
        super().__init__()
        self.styles = ("tint",)
        self.color = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def represent_style(self, style):
        raise NotImplementedError

    def named_code(self, name):  # noqa: ARG002
        return torch.zeros(1, 1)

    def forward(self, content, code):  # noqa: ARG002
        return content + self.color


class MeanColor(nn.Module):
    """A score for each image: a learned direction, along which its mean colour lies."""

    def __init__(self) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.full((3,), 0.1))

    def forward(self, image):
        return image.mean((2, 3)) @ self.direction


def generator():
    torch.manual_seed(0)
    return ResNetGenerator(width=2, num_blocks=1)


def discriminator():
    torch.manual_seed(1)
    return PatchDiscriminator(width=2, num_layers=1)


def criterion(**options):
    losses = {"adversarial": AdversarialLoss(discriminator(), **options), "content": ContentLoss("image")}
    return Criterion(None, losses)


def run(network=None, given=None, **options):
    defaults = {
        "contents": PHOTOS,
        "styles": PAINTINGS,
        "num_steps": 4,
        "crop_size": 16,
        "batch_size": 2,
        "optimizer": ADAM,
    }
    return train(network or generator(), given or criterion(), **{**defaults, **options})


def numbers(module):
    return torch.cat([value.detach().flatten().clone() for value in module.state_dict().values()])


class StopError(Exception):
    pass


def failing(index):
    def callback(step):
        if step.index == index:
            raise StopError

    return callback


def contrast_and_cycle(network):
    torch.manual_seed(2)
    back = ResNetGenerator(width=2, num_blocks=1, style="photograph")
    cycle = CycleTask(back, AdversarialLoss(discriminator()))
    return {
        "contrast": ContrastTask(network, ["pixels", "block1"], num_samples=16, channels=8),
        "cycle": cycle,
    }


def test_the_first_step_is_the_one_worked_out_by_hand():
    # One photograph of 0.2, one painting of 0.6: scores of 0.1 * 3 * mean, so 0.06 and 0.18.
    network, judge = Tint(), MeanColor()
    given = Criterion(None, {"a": AdversarialLoss(judge, "wasserstein", weight=2.0)})
    sgd = partial(torch.optim.SGD, lr=1.0)
    result = train(
        network,
        given,
        contents=torch.full((1, 3, 8, 8), 0.2),
        styles=torch.full((1, 3, 8, 8), 0.6),
        num_steps=1,
        batch_size=1,
        optimizer=sgd,
        averaging=0.0,
        max_gradient_norm=None,
        learning_rate=lambda _: 1.0,
        adversaries={"a": Adversary(sgd)},
    )
    # The network moves by -d(-2 * direction . (content + color)) / d color = 2 * direction.
    assert torch.allclose(network.color.flatten(), torch.full((3,), 0.2))
    # Its pictures were made before that: the direction moves by (mean of the painting - 0.2).
    assert torch.allclose(judge.direction, torch.full((3,), 0.1 + 0.4))
    history = {name: column[0] for name, column in result.history.items()}
    assert history["a.image"] == pytest.approx(-2 * 0.06)
    assert history["a.discriminator"] == pytest.approx(0.06 - 0.18)
    assert history["a.accuracy"] == 1.0
    assert history["total"] == history["a.image"]


def test_both_players_learn_and_what_is_frozen_stays():
    network = AnyStyleNetwork(width=2)
    frozen = nn.Conv2d(3, 3, 1).requires_grad_(False)
    judge = nn.Sequential(frozen, discriminator())
    before = numbers(network), numbers(judge[1]), numbers(frozen)
    run(network, Criterion(None, {"a": AdversarialLoss(judge)}), averaging=0.0)
    after = numbers(network), numbers(judge[1]), numbers(frozen)
    assert [not torch.equal(*pair) for pair in zip(before, after, strict=True)] == [True, True, False]
    assert not any(parameter.requires_grad for parameter in judge.parameters())


def test_every_trained_number_moves():
    network = generator()
    tasks = contrast_and_cycle(network)
    given = criterion()
    before = {name: p.clone() for name, p in network.named_parameters()}
    before |= {f"tasks.{name}": p.clone() for name, p in nn.ModuleDict(tasks).named_parameters()}
    result = run(network, given, tasks=tasks, averaging=0.0, num_steps=2)
    after = {**dict(network.named_parameters())}
    after |= {f"tasks.{name}": p for name, p in nn.ModuleDict(tasks).named_parameters()}
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []
    names = ["cycle.adversarial", "cycle.cycle", "cycle.cycle_back", "cycle.identity", "cycle.identity_back"]
    assert set(result.history) >= {"contrast.picture", "contrast.identity", *names}


def test_a_discriminator_that_is_given_none_stays_as_it_is():
    given = criterion()
    before = numbers(given)
    result = run(given=given, adversaries={"adversarial": None})
    assert torch.equal(numbers(given), before)
    assert "adversarial.accuracy" not in result.history


def test_a_discriminator_that_moves_several_times_sees_other_images_each_time():
    seen = []

    class Watching(MeanColor):
        def forward(self, image):
            if self.direction.requires_grad:
                seen.append(image.detach().clone())
            return super().forward(image)

    run(
        Tint(),
        Criterion(None, {"a": AdversarialLoss(Watching(), "wasserstein")}),
        num_steps=1,
        adversaries={"a": Adversary(ADAM, num_steps=3)},
    )
    assert len(seen) == 6  # real and painted images, three times
    assert {tuple(images.shape) for images in seen} == {(2, 3, 16, 16)}
    assert len({images.sum().item() for images in seen}) == 6


def test_penalties_are_what_the_functions_say():
    # The slope of 0.1 in 3 * 16 * 16 pixels has the length 0.1 * sqrt(3 * 256) / 256.
    length = 0.1 * 3**0.5 / 16
    given = Criterion(None, {"a": AdversarialLoss(MeanColor(), "wasserstein")})
    adversary = Adversary(ADAM, gradient_penalty=10.0, real_penalty=4.0)
    result = run(Tint(), given, num_steps=1, adversaries={"a": adversary})
    expected = 10 * (length - 1) ** 2 + 4 * length**2 / 2
    assert result.history["a.penalty"][0] == pytest.approx(expected, rel=1e-5)


def test_pictures_of_before_are_judged_again():
    judged = []

    class Watching(MeanColor):
        def forward(self, image):
            if self.direction.requires_grad:
                judged.append(image.detach().clone())
            return super().forward(image)

    painted = []
    given = Criterion(None, {"a": AdversarialLoss(Watching())})
    options = {"batch_size": 1, "num_steps": 30, "adversaries": {"a": Adversary(ADAM, memory=3)}}
    run(Tint(), given, callbacks=[lambda step: painted.append(step.image)], **options)
    fresh = [torch.equal(old.clamp(0, 1), new) for old, new in zip(judged[1::2], painted, strict=True)]
    assert all(fresh[:3])
    assert 5 < sum(fresh[3:]) < 22  # half of 27
    before = [
        any(torch.equal(old.clamp(0, 1), new) for new in painted[:i]) for i, old in enumerate(judged[1::2])
    ]
    assert all(own or earlier for own, earlier in zip(fresh, before, strict=True))


def test_the_network_moves_while_the_discriminator_is_right_and_else_the_discriminator():
    def moved(most_success, color):
        network, judge = Tint(), MeanColor()
        colors, directions = [network.color.clone()], [judge.direction.clone()]

        def watch(_):
            colors.append(network.color.detach().clone())
            directions.append(judge.direction.detach().clone())

        train(
            network,
            Criterion(None, {"a": AdversarialLoss(judge, "hinge")}),
            contents=torch.full((1, 3, 8, 8), 0.2),
            styles=torch.full((1, 3, 8, 8), color),
            num_steps=6,
            batch_size=1,
            optimizer=ADAM,
            adversaries={"a": Adversary(ADAM, most_success=most_success)},
            callbacks=watch,
        )
        pairs = [itertools.pairwise(values) for values in (colors, directions)]
        return [[not torch.equal(*pair) for pair in each] for each in pairs]

    # Scores of both are above 0: real ones are right, painted ones are wrong, which is half.
    network, judge = moved(0.8, 0.6)
    assert network == [True] + [False] * 5
    assert judge == [False] + [True] * 5


@pytest.mark.parametrize("at", [1, 3])
def test_an_interrupted_game_goes_on_to_the_same_bytes(at, tmp_path):
    def game(**more):
        network = generator()
        tasks = contrast_and_cycle(network)
        given = criterion(augmentation=differentiable_augmentation)
        adversaries = {
            "adversarial": Adversary(ADAM, num_steps=2, memory=3, gradient_penalty=1.0),
            "cycle.adversarial": Adversary(ADAM, memory=2),
        }
        try:
            result = run(network, given, tasks=tasks, adversaries=adversaries, num_steps=5, **more)
        except StopError:
            return None
        return numbers(network), numbers(given), numbers(tasks["cycle"]), numbers(tasks["contrast"]), result

    whole = game()
    assert game(callbacks=[failing(at)], checkpoint=tmp_path) is None
    again = game(checkpoint=tmp_path, resume=True)
    assert all(torch.equal(*pair) for pair in zip(whole[:4], again[:4], strict=True))
    assert whole[4].history.keys() == again[4].history.keys()
    assert all(
        whole[4].history[name] == again[4].history[name] for name in whole[4].history if name != "seconds"
    )


def test_a_game_goes_on_whatever_weights_its_players_were_made_with(tmp_path):
    with pytest.raises(StopError):
        run(callbacks=[failing(2)], checkpoint=tmp_path)
    whole = run()
    torch.manual_seed(9)
    other = Criterion(
        None,
        {
            "adversarial": AdversarialLoss(PatchDiscriminator(width=2, num_layers=1)),
            "content": ContentLoss("image"),
        },
    )
    result = run(ResNetGenerator(width=2, num_blocks=1), other, checkpoint=tmp_path, resume=True)
    assert torch.equal(numbers(result.network), numbers(whole.network))
    with pytest.raises(CheckpointError, match="memory` was 0 and is 7"):
        run(checkpoint=tmp_path, resume=True, adversaries={"adversarial": Adversary(memory=7)})


def test_pairs_are_drawn_together_and_cropped_alike():
    seen = []

    class Watch(Task):
        terms = ("nothing",)

        def forward(self, network, painted):  # noqa: ARG002
            seen.append((painted.contents, painted.styles))
            return Lesson({"nothing": 0 * painted.pictures.sum()})

    run(
        given=Criterion(None, {"content": ContentLoss("image", reference="style")}),
        styles=1 - PHOTOS,
        paired=True,
        tasks={"watch": Watch()},
    )
    assert len(seen) == 4
    assert all(torch.equal(1 - contents, styles) for contents, styles in seen)
    with pytest.raises(
        ValueError, match="`contents` and `styles` must have images of one size if they are paired"
    ):
        run(paired=True, given=criterion(), styles=[*PAINTINGS, PAINTINGS[0]])
    with pytest.raises(
        ValueError, match="`styles` must have as many images as `contents` if they are paired, g"
    ):
        run(paired=True, given=criterion())


def test_nothing_is_judged_in_an_identity_or_with_the_weight_zero():
    phases = [
        Phase(2, crop_size=16, identity=True),
        Phase(2, crop_size=16, weights={"adversarial": 0.0, "contrast": 0.0}),
        Phase(1, crop_size=16),
    ]
    network = generator()
    contrast = {"contrast": contrast_and_cycle(network)["contrast"]}
    history = run(network, phases=phases, tasks=contrast).history
    for name in ("adversarial.image", "adversarial.discriminator", "contrast.picture"):
        assert [value == 0 for value in history[name]] == [True] * 4 + [False]


def test_a_phase_may_have_tasks_alone_but_not_nothing():
    network = generator()
    only = Criterion(None, {"adversarial": AdversarialLoss(discriminator())})
    contrast = {"contrast": contrast_and_cycle(network)["contrast"]}
    off = {"adversarial": 0.0}
    phases = [Phase(2, crop_size=16, weights=off), Phase(1, crop_size=16)]
    before = numbers(network)
    history = run(network, only, phases=phases, tasks=contrast, averaging=0.0).history
    assert [value == 0 for value in history["adversarial.image"]] == [True, True, False]
    assert not torch.equal(numbers(network), before)
    for phase in (Phase(1, crop_size=16, weights=off), Phase(1, crop_size=16, identity=True)):
        with pytest.raises(ValueError, match="`phases` must leave something to be learned in each phase"):
            run(generator(), only, phases=[phase])


def test_a_step_that_is_not_finite_moves_neither_player():
    network, given = Tint(), Criterion(None, {"a": AdversarialLoss(MeanColor())})
    with torch.no_grad():
        network.color.fill_(float("inf"))
    before = copy.deepcopy(given)
    result = run(network, given, num_steps=3)
    assert (result.skipped, result.history["total"]) == (3, [])
    assert torch.equal(numbers(given), numbers(before))


class Broken(Tint):
    """Paints as it is told."""

    def __init__(self, paint):
        super().__init__()
        self.paint = paint

    def forward(self, content, code):  # noqa: ARG002
        return self.paint(content) + 0 * self.color


@pytest.mark.parametrize(
    ("paint", "text"),
    [
        (torch.clone, "Up to step 200: the pictures are nearly their contents. Raise the weight"),
        (lambda content: 0 * content + 0.4, "the pictures have nearly one colour. Lower the learning rates"),
        (lambda content: 0 * content + PHOTOS[:1, :, :16, :16], "different contents give nearly the same"),
        (
            lambda content: 0.1 * content,
            "the discriminator of 'a' is right in 100 % of cases, .*`real_penalty`",
        ),
    ],
)
def test_a_game_that_collapses_is_told_once_in_a_sentence(paint, text, caplog):
    given = Criterion(None, {"a": AdversarialLoss(MeanColor(), "wasserstein")})
    with caplog.at_level("WARNING", "pystyle"):
        run(Broken(paint), given, num_steps=210, batch_size=1)
    assert len([record for record in caplog.records if re.search(text, record.getMessage())]) == 1


@pytest.mark.slow
def test_a_game_that_goes_well_is_not_warned_of(caplog):
    with caplog.at_level("WARNING", "pystyle"):
        run(Broken(lambda content: content.flip(1).sqrt()), num_steps=210, batch_size=1)
    assert caplog.records == []


def test_signals_are_written_to_logs(tmp_path):
    run(callbacks=[CSVLogger(tmp_path / "log.csv")], num_steps=2)
    head = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert head.split(",")[-3:] == [
        "adversarial.discriminator",
        "adversarial.accuracy",
        "adversarial.penalty",
    ]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"adversaries": {"content": Adversary()}},
            ValueError,
            "`adversaries` must name losses with a discr",
        ),
        ({"adversaries": {"adversarial": 3}}, TypeError, "`adversaries` must map 'adversarial' to an `Adv"),
        ({"tasks": {"content": CycleTask}}, TypeError, "`tasks` must map names to tasks, got a"),
        ({"tasks": {"a.b": CycleTask}}, ValueError, "tasks"),
    ],
)
def test_impossible_games_are_named(options, error, text):
    with pytest.raises(error, match=text):
        run(**options)


def test_the_way_back_has_no_contents_to_see():
    judge = AdversarialLoss(PatchDiscriminator(6, width=2), conditional=True)
    with pytest.raises(ValueError, match="`adversarial` must not be conditional"):
        CycleTask(generator(), judge)


def test_players_on_other_devices_are_named():
    elsewhere = Criterion(None, {"a": AdversarialLoss(discriminator())}).to("meta")
    with pytest.raises(
        ValueError, match="The discriminator of 'a' must be on the device of the network, cpu, g"
    ):
        run(given=elsewhere)
    network = generator()
    tasks = {"contrast": contrast_and_cycle(network)["contrast"].to("meta")}
    with pytest.raises(
        ValueError, match="The task 'contrast' must be on the device of the network, cpu, got"
    ):
        run(network, tasks=tasks)


def test_impossible_players_are_named():
    frozen = Criterion(None, {"a": AdversarialLoss(discriminator().requires_grad_(False))})
    with pytest.raises(
        ValueError, match="The discriminator of 'a' must have something to be trained, and is frozen"
    ):
        run(given=frozen)
    conditional = Criterion(None, {"a": AdversarialLoss(PatchDiscriminator(6, width=2), conditional=True)})
    with pytest.raises(ValueError, match="`memory` must be 0 for the discriminator of 'a'"):
        run(given=conditional, paired=True, styles=1 - PHOTOS, adversaries={"a": Adversary(memory=2)})
    with pytest.raises(ValueError, match="`network` must have one style to learn it from many examples"):
        run(TransformNetwork(width=2, styles=["a", "b"]))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"num_steps": 0}, "`num_steps` must be"),
        ({"memory": -1}, "`memory` must not be negative"),
        ({"gradient_penalty": -1.0}, "`gradient_penalty` must"),
        ({"real_penalty": float("nan")}, "`real_penalty` must"),
        ({"most_success": 0.4}, "`most_success` must"),
        ({"most_success": 1.0}, "`most_success` must"),
        ({"max_gradient_norm": 0.0}, "`max_gradient_norm` must"),
        ({"optimizer": "sgdd"}, "`optimizer` must"),
    ],
)
def test_impossible_settings_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        Adversary(**arguments)


def mean_color(images):
    return images.mean((2, 3))


def test_what_is_held_out_is_measured_as_the_network_goes_on(tmp_path):
    def game(every, **more):
        held_out = HeldOut(PHOTOS[:3], PAINTINGS[:4], mean_color, every=every)
        run(Tint(), criterion(), callbacks=[held_out, *more.pop("callbacks", [])], averaging=0.0, **more)
        return held_out

    network = Tint()
    run(network, averaging=0.0)
    painted = mean_color((PHOTOS[:3] + network.color.detach()).clamp(0, 1))
    path = game(2).path
    assert list(path) == [2, 4]
    assert path[4].value == pytest.approx(kernel_distance(painted, mean_color(PAINTINGS[:4])).value)
    with pytest.raises(StopError):
        game(2, callbacks=[failing(3)], checkpoint=tmp_path)
    assert game(2, checkpoint=tmp_path, resume=True).path == path
    with pytest.raises(ValueError, match="`styles` must be two or more, got 1"):
        HeldOut(PHOTOS, PAINTINGS[:1], mean_color)


@pytest.mark.parametrize("wrong", ["inception", InceptionFeatures, vgg11(weights=None), None])
def test_what_gives_no_features_is_refused_at_once(wrong):
    for entry, name in ((HeldOut, "features"), (compare_sets, "network")):
        with pytest.raises(
            TypeError, match=f"`{name}` must be a function from a batch of images to a vector"
        ):
            entry(PHOTOS, PAINTINGS, wrong)


@pytest.mark.parametrize("wrong", ["resnet", ResNetGenerator, nn.Identity(), None])
def test_a_way_back_of_another_kind_is_refused(wrong):
    with pytest.raises(
        TypeError, match=r"`back` must be of the class Stylizer, got .*\. Write `ResNetGenera"
    ):
        CycleTask(wrong, AdversarialLoss(discriminator()))
    with pytest.raises(TypeError, match="`adversarial` must be of the class AdversarialLoss, got "):
        CycleTask(generator(), wrong)
    with pytest.raises(TypeError, match="`network` must have a method `features"):
        ContrastTask(wrong, ["pixels"])
