"""CUT and FastCUT: sizes, losses and what learns."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from pystyle.networks import ResNetGenerator, Stylizer, TransformNetwork
from pystyle.papers import park_2020
from pystyle.testing import check_stylizer
from pystyle.training import Painted, train


@pytest.fixture
def network():
    torch.manual_seed(0)
    return park_2020.network(width=2, num_blocks=5)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_network_and_discriminator_have_the_published_numbers_of_weights():
    assert count(park_2020.network()) == 11_378_179
    assert count(park_2020.discriminator()) == 2_764_737
    assert park_2020.network().layers[:5] == ("pixels", "down1", "down2", "block1", "block2")


def test_its_small_networks_have_two_layers_of_256():
    task = park_2020.training(park_2020.network())["tasks"]["contrast"]
    channels = (3, 128, 256, 256, 256)
    assert count(task) == sum(256 * (size + 1) + 256 * 257 for size in channels)
    assert task.layers == ("pixels", "down1", "down2", "block1", "block5")
    assert (task.num_samples, task.temperature) == (256, 0.07)


def test_all_weights_begin_as_in_the_code():
    torch.manual_seed(0)
    painter, judge = park_2020.network(width=16, num_blocks=1), park_2020.discriminator(width=16)
    # Xavier's: 2 / (numbers in + numbers out).
    for layer, fan in (
        (painter.blocks[0].first, 9 * (64 + 64)),
        (painter.up[0], 9 * (64 + 32)),
        (judge.convolutions[3], 16 * (64 + 128)),
    ):
        wanted = 0.02 * math.sqrt(2 / fan)
        assert float(layer.weight.detach().std()) == pytest.approx(wanted, rel=0.05)
        assert not layer.bias.any()


@pytest.mark.parametrize(
    ("fast", "variant", "steps", "weight", "identity", "falls"),
    [
        (False, "code", 400 * 1334, 1.0, True, 0.5),
        (False, "paper", 400 * 1334, 2.0, True, 0.5),
        (True, "code", 200 * 1334, 10.0, False, 0.75),
        (True, "paper", 200 * 1334, 10.0, False, 0.5),
    ],
)
def test_settings_are_those_of_the_table(network, fast, variant, steps, weight, identity, falls):
    options = park_2020.training(network, fast=fast, variant=variant)
    task = options["tasks"]["contrast"]
    assert (options["num_steps"], options["batch_size"], options["crop_size"]) == (steps, 1, 256)
    assert (task.weight, task.identity, task.flip) == (weight, identity, fast)
    rate = options["learning_rate"]
    assert [rate(falls), rate((1 + falls) / 2), rate(1.0)] == [1.0, 0.5, 0.0]
    for optimizer in (options["optimizer"], options["adversaries"]["adversarial"].optimizer):
        made = optimizer([torch.nn.Parameter(torch.zeros(1))])
        assert type(made) is torch.optim.Adam
        assert (made.defaults["lr"], made.defaults["betas"]) == (2e-4, (0.5, 0.999))
    adversary = options["adversaries"]["adversarial"]
    assert (adversary.num_steps, adversary.memory, adversary.gradient_penalty) == (1, 0, 0.0)
    assert not options["paired"]
    assert park_2020.training(network, num_steps=7)["num_steps"] == 7


def test_the_judgement_is_the_mean_square_of_the_code(picture, check_formula):
    torch.manual_seed(0)
    judge = park_2020.discriminator(width=3).double()
    for weight in judge.parameters():
        weight.data.normal_(0, 0.2)
    criterion = park_2020.criterion(judge)
    references = {"content": picture(0), "style": picture(1)}
    check_formula(criterion, references, picture(2), lambda image: ((judge(image) - 1) ** 2).mean())


@pytest.mark.parametrize(("fast", "variant"), [(False, "code"), (False, "paper"), (True, "code")])
def test_the_contrast_is_that_of_the_table(network, fast, variant):
    """Through the code's way: logits of the place itself first, those of the others behind it."""
    network = network.double()
    task = park_2020.training(network, fast=fast, variant=variant)["tasks"]["contrast"].double()
    for weight in [*network.parameters(), *task.parameters()]:
        weight.data.normal_(0, 0.3)
    contents, styles = torch.rand(2, 2, 3, 16, 16, dtype=torch.float64)
    code = network.named_code("style")

    def nce(source, painted, mirrored=False):
        known = network.features(source.flip(3) if mirrored else source, park_2020.LAYERS)
        layers = zip(
            task.heads,
            network.features(painted, park_2020.LAYERS),
            [features.flip(3) for features in known] if mirrored else known,
            strict=True,
        )
        return torch.stack([both(*layer) for layer in layers]).mean()

    def both(head, seen, known):
        drawn = torch.randperm(seen[0, 0].numel())[:256]
        vectors = (head(one.flatten(2)[:, :, drawn].mT) for one in (seen, known))
        asked, answers = (one / one.norm(dim=2, keepdim=True) for one in vectors)
        negatives = torch.bmm(asked, answers.mT)
        negatives.masked_fill_(torch.eye(negatives.shape[1], dtype=torch.bool), -10.0)
        logits = torch.cat([(asked * answers).sum(2, keepdim=True), negatives], 2) / 0.07
        return F.cross_entropy(logits.flatten(0, 1), torch.zeros(len(logits[0]) * 2, dtype=torch.long))

    with torch.no_grad():
        pictures = network(contents, code)
        for seed in range(6):
            torch.manual_seed(seed)
            terms = task(network, Painted(contents, styles, code, pictures)).terms
            torch.manual_seed(seed)
            if fast:
                expected = 10 * nce(contents, pictures, mirrored=float(torch.rand(())) < 0.5)
            else:
                halves = 0.5 if variant == "code" else 1.0
                expected = halves * (nce(contents, pictures) + nce(styles, network(styles, code)))
            torch.testing.assert_close(task.weight * sum(terms.values()), expected)


@pytest.mark.parametrize("fast", [False, True])
def test_a_training_moves_network_heads_and_discriminator(network, fast):
    criterion = park_2020.criterion(park_2020.discriminator(width=2))
    options = {**park_2020.training(network, fast=fast, num_steps=3), "crop_size": 32, "batch_size": 2}
    modules = (network, options["tasks"]["contrast"], criterion)
    before = [copy.deepcopy(module.state_dict()) for module in modules]
    images = torch.rand(3, 3, 40, 36)
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    # Normalisation takes the biases of all layers but the last away, so that they hardly have a gradient.
    for module, old in zip(modules, before, strict=True):
        for name, weight in module.state_dict().items():
            assert not torch.equal(weight, old[name]) or name.endswith("bias"), name
    names = {"contrast.picture", "adversarial.image", "adversarial.accuracy"}
    assert names | (set() if fast else {"contrast.identity"}) <= set(result.history)
    assert ("contrast.identity" in result.history) != fast


def test_an_interrupted_training_goes_on_with_the_same_bytes(tmp_path):
    """The small networks and the discriminator, too."""

    def run(folder, last=None, resume=False):
        torch.manual_seed(0)
        painter = park_2020.network(width=2, num_blocks=5)
        criterion = park_2020.criterion(park_2020.discriminator(width=2))
        options = {**park_2020.training(painter, fast=True, num_steps=4), "crop_size": 32}
        images = torch.rand(4, 3, 32, 32)

        def interrupt(step):
            if step.index == last:
                raise KeyboardInterrupt

        result = train(
            painter,
            criterion,
            contents=images,
            styles=images.flip(0),
            checkpoint=tmp_path / folder,
            resume=resume,
            callbacks=interrupt,
            **options,
        )
        modules = (painter, criterion, options["tasks"]["contrast"])
        return result.stop_reason, [value for module in modules for value in module.state_dict().values()]

    assert run("parts", last=2)[0] == "interrupted"
    reason, found = run("parts", resume=True)
    expected = run("whole")[1]
    assert reason == "finished"
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_it_keeps_the_promises_of_a_stylizer_and_is_saved(network, tmp_path):
    check_stylizer(network)
    named = park_2020.network(width=2, num_blocks=1, style="zebras")
    named.save(tmp_path / "cut.safetensors")
    again = Stylizer.load(tmp_path / "cut.safetensors")
    assert isinstance(again, ResNetGenerator)
    assert (again.styles, again.antialias) == (("zebras",), True)


def test_what_does_not_fit_is_refused(network):
    with pytest.raises(ValueError, match="`variant` must be 'paper' or 'code', got 'pytorch'"):
        park_2020.training(network, variant="pytorch")
    with pytest.raises(TypeError, match="`network` must have a method `features"):
        park_2020.training(TransformNetwork(width=2))
    with pytest.raises(ValueError, match=r"`layers` must be some of the names .*got 'block5'"):
        park_2020.training(park_2020.network(width=2, num_blocks=2))
    small = park_2020.training(park_2020.network(width=2, num_blocks=2), layers=["pixels", "block2"])
    assert len(small["tasks"]["contrast"].heads) == 2
