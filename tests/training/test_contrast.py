"""The contrast of CUT: by loops over places, which side learns, and any batch."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from pystyle import Criterion
from pystyle.losses import AdversarialLoss
from pystyle.networks import PatchDiscriminator, ResNetGenerator, TransformNetwork
from pystyle.training import ContrastTask, Painted, train

LAYERS = ("pixels", "down1", "block2")


@pytest.fixture
def network():
    """One whose weights are large enough to tell places from each other."""
    torch.manual_seed(0)
    network = ResNetGenerator(width=2, num_blocks=2, antialias=True, border="zeros").double()
    for weight in network.parameters():
        weight.data.normal_(0, 0.2)
    return network


def task_of(network, **options):
    task = ContrastTask(network, LAYERS, **{"channels": 6, "identity": False, **options})
    for weight in task.parameters():
        weight.data.normal_(0, 0.5)
    return task


def painted(network, batch=2, seed=1):
    torch.manual_seed(seed)
    contents, styles = torch.rand(2, batch, 3, 8, 12, dtype=torch.float64)
    code = network.named_code("style")
    return Painted(contents, styles, code, network(contents, code))


def vector(head, features):
    """What a head makes of the features of one place, divided by its length, in numbers of Python."""
    for layer in (head[0], head[2]):
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        features = [sum(w * x for w, x in zip(row, features, strict=True)) + bias for row, bias in rows]
        if layer is head[0]:
            features = [max(x, 0.0) for x in features]
    length = math.sqrt(sum(x * x for x in features))
    return [x / length for x in features]


def contrast(network, task, pictures, contents, places):
    """The loss, place by place."""
    per_layer = []
    both = zip(network.features(pictures, LAYERS), network.features(contents, LAYERS), strict=True)
    for head, own, (seen, known) in zip(task.heads, places, both, strict=True):
        losses = []
        for image in range(len(pictures)):
            asked, answers = (
                [vector(head, features[image].flatten(1)[:, place].tolist()) for place in own]
                for features in (seen, known)
            )
            for index, one in enumerate(asked):
                scores = [
                    math.exp(sum(a * b for a, b in zip(one, other, strict=True)) / task.temperature)
                    for other in answers
                ]
                losses.append(-math.log(scores[index] / sum(scores)))
        per_layer.append(sum(losses) / len(losses))
    return sum(per_layer) / len(per_layer)


def test_the_loss_is_that_of_the_places_one_by_one(network):
    task = task_of(network, num_samples=5, temperature=0.3, identity=True)
    step = painted(network)
    sizes = [features[0, 0].numel() for features in network.features(step.contents, LAYERS)]
    torch.manual_seed(7)
    with torch.no_grad():
        terms = task(network, step).terms
    torch.manual_seed(7)
    picture, identity = ([torch.randperm(size)[:5].tolist() for size in sizes] for _ in range(2))
    with torch.no_grad():
        again = network(step.styles, step.code)
        expected = {
            "picture": contrast(network, task, step.pictures, step.contents, picture) / 2,
            "identity": contrast(network, task, again, step.styles, identity) / 2,
        }
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(expected, rel=1e-9)
    assert expected["picture"] > 0.1
    assert tuple(terms) == task.terms


def test_without_identity_the_one_half_counts_whole(network):
    step = painted(network)
    task = task_of(network, identity=True)
    both = task(network, step).terms["picture"]
    task.identity = False
    torch.testing.assert_close(task(network, step).terms["picture"], 2 * both)
    assert task_of(network).terms == ("picture",)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_place_is_told_from_places_of_its_own_image_only_in_any_batch(network, batch):
    """One task for all of them: the last batch of a folder may be smaller."""
    task = task_of(network, num_samples=4)
    step = painted(network, batch=3)
    losses = []
    for images in [slice(batch), *(slice(index, index + 1) for index in range(batch))]:
        part = Painted(step.contents[images], step.styles[images], step.code, step.pictures[images])
        torch.manual_seed(3)
        losses.append(float(task(network, part).terms["picture"].detach()))
    assert losses[0] == pytest.approx(sum(losses[1:]) / batch, rel=1e-9)
    assert batch == 1 or len(set(losses[1:])) == batch


def test_only_the_side_of_the_picture_gets_gradients(network):
    """They are those of a cross entropy whose answers come from a copy of the network and of its heads."""
    task = task_of(network)
    step = painted(network)
    contents = step.contents.requires_grad_()
    pictures = step.pictures.detach().requires_grad_()
    found = task(network, Painted(contents, None, step.code, pictures)).terms["picture"]
    weights = [*network.first.parameters(), *network.blocks.parameters(), *task.parameters()]
    gradients = torch.autograd.grad(found, [contents, pictures, *weights], allow_unused=True)
    assert gradients[0] is None
    fixed, heads = copy.deepcopy(network), copy.deepcopy(task.heads)
    losses = []
    both = zip(network.features(pictures, LAYERS), fixed.features(contents, LAYERS), strict=True)
    for own, other, (seen, known) in zip(task.heads, heads, both, strict=True):
        for one, answer in zip(seen, known, strict=True):
            questions = F.normalize(own(one.flatten(1).mT), dim=1)
            answers = F.normalize(other(answer.flatten(1).mT), dim=1)
            logits = questions @ answers.mT / 0.07
            losses.append(F.cross_entropy(logits, torch.arange(len(logits))))
    expected = torch.stack(losses).mean()
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad(expected, [pictures, *weights], allow_unused=True)
    for one, other in zip(gradients[1:], wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_every_head_and_every_layer_that_paints_gets_gradients(network):
    task = task_of(network, identity=True)
    sum(task(network, painted(network)).terms.values()).backward()
    assert len(task.heads) == len(LAYERS)
    assert all(weight.grad.any() for weight in task.heads.parameters())
    assert network.output.weight.grad.any()
    assert network.first.weight.grad.any()


def test_pictures_of_half_the_steps_are_compared_with_the_mirrored_content(network):
    """And so it is as if the mirror image was painted, and its features were mirrored back."""
    task = task_of(network, flip=True)
    plain = task_of(network)
    plain.load_state_dict(task.state_dict())
    step = painted(network)
    unmirrored = float(plain(network, step).terms["picture"].detach())
    # The authors' way: their content is the mirror image of ours, their picture is ours.
    theirs = step.contents.flip(3)
    losses = []
    both = zip(network.features(step.pictures, LAYERS), network.features(theirs, LAYERS), strict=True)
    for head, (seen, known) in zip(task.heads, both, strict=True):
        for one, answer in zip(seen.flip(3), known, strict=True):
            questions, answers = (
                F.normalize(head(features.flatten(1).mT), dim=1) for features in (one, answer)
            )
            logits = questions @ answers.mT / 0.07
            losses.append(F.cross_entropy(logits, torch.arange(len(logits))))
    mirrored = float(torch.stack(losses).mean().detach())
    assert abs(mirrored - unmirrored) > 1e-3
    found = []
    for seed in range(40):
        torch.manual_seed(seed)
        with torch.no_grad():
            found.append(float(task(network, step).terms["picture"]))
    numbers = [sum(one == pytest.approx(value) for one in found) for value in (unmirrored, mirrored)]
    assert sum(numbers) == 40
    assert 10 <= numbers[0] <= 30


def test_no_more_places_are_told_from_each_other_than_asked_for_or_there_are(network):
    """Of flat images no place is told from another: the loss is the logarithm of their number."""
    flat = torch.full((2, 3, 8, 12), 0.5, dtype=torch.float64)
    step = Painted(flat, None, network.named_code("style"), flat)
    for asked, counted in ((50, 50), (1000, 14 * 18)):
        task = ContrastTask(network, ["pixels"], num_samples=asked, identity=False)
        assert float(task(network, step).terms["picture"].detach()) == pytest.approx(math.log(counted))


def test_a_picture_with_the_content_in_its_place_is_better_than_one_where_it_moved(network):
    task = task_of(network)
    step = painted(network, batch=4)
    losses = [
        float(task(network, Painted(step.contents, None, step.code, picture)).terms["picture"].detach())
        for picture in (step.contents, 0.5 + 0.5 * step.contents, step.contents.roll(4, 3), step.styles)
    ]
    assert losses[0] < losses[1] < min(losses[2:])


def test_heads_begin_with_the_weights_of_the_code():
    """Two layers of 256, drawn by Xavier's rule and 0.02 times as large; no biases."""
    torch.manual_seed(0)
    task = ContrastTask(ResNetGenerator(num_blocks=5), ["pixels", "down1", "down2", "block1", "block5"])
    assert [head[0].in_features for head in task.heads] == [3, 128, 256, 256, 256]
    for head in task.heads:
        assert (head[2].in_features, head[2].out_features) == (256, 256)
        for layer in (head[0], head[2]):
            wanted = 0.02 * math.sqrt(2 / (layer.in_features + layer.out_features))
            assert float(layer.weight.detach().std()) == pytest.approx(wanted, rel=0.1)
            assert not layer.bias.any()
    assert (task.num_samples, task.temperature, task.weight) == (256, 0.07, 1.0)


def test_a_training_moves_the_heads_and_writes_both_halves_down():
    """Of three images in batches of two."""
    torch.manual_seed(0)
    network = ResNetGenerator(width=2, num_blocks=2)
    task = ContrastTask(network, LAYERS, num_samples=16, channels=4)
    before = copy.deepcopy(task.state_dict())
    criterion = Criterion(None, {"adversarial": AdversarialLoss(PatchDiscriminator(width=2, num_layers=1))})
    images = torch.rand(3, 3, 16, 16)
    options = {"num_steps": 3, "batch_size": 2, "averaging": 0.0, "tasks": {"contrast": task}}
    result = train(network, criterion, contents=images, styles=images.flip(0), **options)
    assert result.stop_reason == "finished"
    assert {"contrast.picture", "contrast.identity"} <= set(result.history)
    for name, weight in task.state_dict().items():
        assert not torch.equal(weight, before[name]), name


def test_wrong_arguments_are_refused(network):
    with pytest.raises(TypeError, match=r"`network` must have a method `features.*got a TransformNetwork"):
        ContrastTask(TransformNetwork(width=2), ["pixels"])
    with pytest.raises(ValueError, match=r"`layers` must be some of the names .*, got 'relu1_1'"):
        ContrastTask(network, ["relu1_1"])
    for name in ("num_samples", "channels", "temperature"):
        with pytest.raises(ValueError, match=f"`{name}` must"):
            ContrastTask(network, LAYERS, **{name: 0})
    step = painted(network)
    with pytest.raises(ValueError, match="`identity` needs styles that are drawn"):
        task_of(network, identity=True)(network, Painted(step.contents, None, step.code, step.pictures))
