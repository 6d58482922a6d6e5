"""Training: the loss falls, the bytes are those of the seed, and interruptions change nothing."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from pystyle import ContentLoss, Criterion, GramLoss, NearestNeighborLoss
from pystyle.checkpoints import CheckpointError
from pystyle.encoders import SequentialEncoder
from pystyle.images import write_image
from pystyle.networks import AnyStyleNetwork, TransformNetwork
from pystyle.runner import LinearSchedule
from pystyle.training import ImageFolder, Phase, Previews, train
from pystyle.training._draws import Draws, seeded


def smooth(count, height, width, seed):
    coarse = torch.rand(count, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(coarse, (height, width), mode="bilinear")


PHOTOS = smooth(6, 20, 24, seed=0)
PAINTINGS = smooth(2, 24, 28, seed=1) ** 3


def criterion(**losses):
    torch.manual_seed(0)
    encoder = SequentialEncoder({"conv": nn.Conv2d(3, 6, 3, padding=1), "relu": nn.ReLU()})
    return Criterion(
        encoder, losses or {"content": ContentLoss("conv"), "style": GramLoss("relu", weight=5.0)}
    )


def any_style():
    torch.manual_seed(0)
    return AnyStyleNetwork(width=2)


def named(*names):
    torch.manual_seed(0)
    return TransformNetwork(width=2, styles=names or ["style"])


def run(network=None, given=None, **options):
    network = network or any_style()
    options = {
        "contents": PHOTOS,
        "styles": PAINTINGS,
        "num_steps": 6,
        "crop_size": 16,
        "batch_size": 2,
        **options,
    }
    return train(network, given or criterion(), **options)


def weights(result):
    return torch.cat([value.flatten() for value in result.network.state_dict().values()])


class StopError(Exception):
    pass


def failing(index):
    def callback(step):
        if step.index == index:
            raise StopError

    return callback


@pytest.mark.parametrize("kind", [pytest.param(AnyStyleNetwork, marks=pytest.mark.slow), TransformNetwork])
def test_the_loss_falls(kind):
    torch.manual_seed(0)
    network = kind(width=8)
    result = run(network, styles=PAINTINGS[:1], num_steps=80)
    totals = result.history["total"]
    assert (result.stop_reason, result.skipped, len(totals)) == ("finished", 0, 80)
    assert result.network is network
    assert not network.training
    assert sum(totals[-20:]) < 0.75 * sum(totals[:20])


def test_callbacks_see_the_network_as_it_will_paint():
    modes = []
    result = run(callbacks=[lambda step: modes.append(step.network.training)])
    assert modes == [False] * len(result.history["total"])


def test_the_seed_decides_the_bytes():
    same = [weights(run(seed=seed)) for seed in (3, 3, 4)]
    assert torch.equal(same[0], same[1])
    assert not torch.equal(same[0], same[2])


@pytest.mark.parametrize("network", [any_style, partial(named, "a", "b")])
@pytest.mark.parametrize("at", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_an_interrupted_training_goes_on_to_the_same_bytes(network, at, tmp_path):
    whole = run(network())
    with pytest.raises(StopError):
        run(network(), callbacks=[failing(at)], checkpoint=tmp_path)
    result = run(network(), checkpoint=tmp_path, resume=True)
    assert torch.equal(weights(result), weights(whole))
    assert result.history["total"] == whole.history["total"]


def test_ctrl_c_gives_the_network_so_far(tmp_path):
    def interrupt(step):
        if step.index == 3:
            raise KeyboardInterrupt

    result = run(callbacks=[interrupt], checkpoint=tmp_path)
    assert (result.stop_reason, len(result.history["step"])) == ("interrupted", 3)
    assert torch.equal(weights(run(checkpoint=tmp_path, resume=True)), weights(run()))


def stopping(index):
    return lambda step: step.stop("enough") if step.index == index else None


def test_a_training_that_a_callback_ended_goes_on_to_the_bytes_of_one_that_was_not_ended(tmp_path):
    ended = run(callbacks=[stopping(2)], checkpoint=tmp_path)
    assert (ended.stop_reason, len(ended.history["step"])) == ("enough", 2)
    result = run(checkpoint=tmp_path, resume=True)
    assert (result.stop_reason, len(result.history["step"])) == ("finished", 6)
    assert torch.equal(weights(result), weights(run()))


def test_a_callback_ends_a_training_that_goes_on_again(tmp_path):
    run(callbacks=[stopping(2)], checkpoint=tmp_path)
    result = run(callbacks=[stopping(4)], checkpoint=tmp_path, resume=True)
    assert (result.stop_reason, len(result.history["step"])) == ("enough", 4)


@pytest.mark.parametrize(
    ("phases", "more"),
    [
        ({"num_steps": 2}, {"num_steps": 5}),
        (
            {"phases": [Phase(1, crop_size=20), Phase(1, crop_size=16)]},
            {"phases": [Phase(1, crop_size=20), Phase(4, crop_size=16)]},
        ),
    ],
)
def test_a_training_that_is_over_goes_on_as_one_of_more_steps_where_the_rates_so_far_are_those(
    phases, more, tmp_path, caplog
):
    options = {"learning_rate": lambda _: 1.0}
    run(checkpoint=tmp_path, **options, **phases)
    result = run(checkpoint=tmp_path, resume=True, **options, **more)
    assert torch.equal(weights(result), weights(run(**options, **more)))
    assert "is not the one" not in caplog.text


def test_a_training_that_goes_on_longer_has_the_rates_of_the_new_number_and_says_so(tmp_path, caplog):
    moved = []

    def look(step):
        moved.append(step._trainer.optimizer.param_groups[0]["lr"])

    options = {"learning_rate": LinearSchedule(1.0, 0.0), "callbacks": look, "checkpoint": tmp_path}
    run(num_steps=3, **options)
    run(num_steps=5, resume=True, **options)
    # 1, 1/2, 0 of three steps; then the last two of 1, 3/4, 1/2, 1/4, 0.
    assert moved == pytest.approx([1e-3, 5e-4, 0.0, 2.5e-4, 0.0])
    assert "because the learning rate follows the number of steps" in caplog.text


def test_fewer_steps_than_were_taken_are_refused(tmp_path):
    run(num_steps=3, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="has 3 steps behind it, and only 2 are asked for"):
        run(num_steps=2, checkpoint=tmp_path, resume=True)


def test_another_training_is_refused_by_what_differs(tmp_path):
    run(checkpoint=tmp_path)
    with pytest.raises(ValueError, match="has the checkpoints of a run"):
        run(checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="`batch_size` was 2 and is 3"):
        run(checkpoint=tmp_path, resume=True, batch_size=3)
    with pytest.raises(ValueError, match="`resume` needs a folder"):
        run(resume=True)


@pytest.mark.slow
def test_the_weights_that_a_network_was_made_with_do_not_matter_when_a_training_goes_on(tmp_path):
    whole = run(any_style())
    with pytest.raises(StopError):
        run(any_style(), callbacks=[failing(4)], checkpoint=tmp_path)
    torch.manual_seed(99)
    result = run(AnyStyleNetwork(width=2), checkpoint=tmp_path, resume=True)
    assert torch.equal(weights(result), weights(whole))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"contents": PHOTOS.flip(0)}, "`contents` was"),
        ({"contents": list(PHOTOS)}, "`contents"),
        ({"styles": PAINTINGS.flip(3)}, "`styles` was"),
        ({"network": AnyStyleNetwork(width=3)}, "`configuration.width` was 2 and is 3"),
        ({"seed": 5}, "`seed` was 0 and is 5"),
    ],
)
def test_other_data_and_networks_are_refused(changed, text, tmp_path):
    run(checkpoint=tmp_path, num_steps=1)
    with pytest.raises(CheckpointError, match=text):
        run(**{"checkpoint": tmp_path, "resume": True, "num_steps": 1, **changed})


class Own(Dataset):
    """A data set of a user."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


class Described(Own):
    @property
    def description(self):
        return {"images": self.images}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Described, r"`contents\.description\.images` was"),
        (TensorDataset, r"`contents\.tensors\.0` was"),
        (lambda images: Subset(Described(images), [2, 0]), r"`contents\.dataset\.description\.images` was"),
        (lambda images: ConcatDataset([Described(images)] * 2), r"`contents\.datasets\.0\.description"),
    ],
)
def test_other_images_in_a_data_set_are_refused(make, text, tmp_path):
    data = {"checkpoint": tmp_path, "num_steps": 1}
    run(contents=make(PHOTOS), **data)
    run(contents=make(PHOTOS.clone()), resume=True, **data)
    with pytest.raises(CheckpointError, match=text):
        run(contents=make(PHOTOS.flip(0)), resume=True, **data)


def test_another_part_of_a_data_set_is_refused(tmp_path):
    data = {"checkpoint": tmp_path, "num_steps": 1}
    run(contents=Subset(Own(PHOTOS), range(3)), **data)
    with pytest.raises(CheckpointError, match=r"`contents\.indices` was"):
        run(contents=Subset(Own(PHOTOS), range(3, 6)), resume=True, **data)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"network": nn.Conv2d(3, 3, 1)}, "`network` must be a Stylizer, got a Conv2d. Make one"),
        ({"network": named().bind("style")}, "got a Painter. Give the network that was bound"),
        ({"given": GramLoss("relu")}, "`criterion` must be of the class Criterion, got a GramLoss"),
        ({"evaluation": "strips"}, "`evaluation` must be an evaluation such as"),
        ({"phases": Phase(1)}, "`phases` must be a list of `Phase`, at least one"),
        ({"learning_rate": CosineAnnealingLR}, "got the class CosineAnnealingLR. Schedulers of torch do not"),
        ({"learning_rate": partial(CosineAnnealingLR, T_max=9)}, "got the class CosineAnnealingLR"),
        (
            {"learning_rate": lambda _: None},
            "`learning_rate` must give a number, got a NoneType at the fract",
        ),
    ],
)
def test_things_of_another_kind_are_refused_with_what_to_write(wrong, text):
    with pytest.raises(TypeError, match=text):
        run(**wrong)


@pytest.mark.parametrize(
    ("pairs", "error", "text"),
    [
        ([("photo.png", "style")], TypeError, "A content of `pairs` must be a tensor, got a str. Read files"),
        ([PHOTOS[:1]], TypeError, "`pairs` must be a list of contents with their styles"),
        ([(PHOTOS[0], "style")], ValueError, "A content of `pairs` must have the shape"),
        ([], ValueError, "`pairs` must have at least one"),
    ],
)
def test_previews_look_at_their_pairs_before_a_training(pairs, error, text):
    with pytest.raises(error, match=text):
        Previews("preview.png", pairs)


def test_a_folder_that_was_moved_is_the_same_and_one_with_another_image_is_not(tmp_path):
    def folder(name, count):
        (tmp_path / name).mkdir()
        for index in range(count):
            write_image(PHOTOS[index : index + 1], tmp_path / name / f"{index}.png")
        return ImageFolder(tmp_path / name, crop_size=16)

    run(contents=folder("here", 3), checkpoint=tmp_path / "run", num_steps=1)
    run(contents=folder("there", 3), checkpoint=tmp_path / "run", resume=True, num_steps=1)
    with pytest.raises(CheckpointError, match=r"`contents\.files"):
        run(contents=folder("more", 4), checkpoint=tmp_path / "run", resume=True, num_steps=1)


def test_a_step_is_that_of_a_plain_loop():
    """The first two steps, written out with torch alone."""
    network, plain, given = named(), named(), criterion()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.5)
    seen = []
    result = run(
        network, given, styles=PAINTINGS[:1], contents=PHOTOS[:, :, :16, :16], crop_size=None, num_steps=2,
        optimizer=partial(torch.optim.SGD, lr=0.5), learning_rate=LinearSchedule(1, 1), averaging=0,
        max_gradient_norm=None, callbacks=[lambda step: seen.append(step.image)],
    )  # fmt: skip
    for index in range(2):
        batch = _drawn(index)
        picture = plain(batch, plain.named_code("style"))
        assert torch.allclose(picture, seen[index], atol=1e-5)
        objective = given.bind({"content": batch, "style": PAINTINGS[:1]})
        loss = objective(picture).total
        assert float(loss.detach()) == pytest.approx(result.history["total"][index], rel=1e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for ours, expected in zip(result.network.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, expected, atol=1e-5)


def _drawn(step):
    draws = Draws(PHOTOS[:, :, :16, :16], (0, 0), label="contents")
    return draws.batch(range(2 * step, 2 * step + 2), None)


def test_each_content_is_compared_with_its_own_style():
    """Two learned styles in one batch cost what they cost alone."""
    network, given = named("a", "b"), criterion()
    both = run(copy.deepcopy(network), given, num_steps=1, averaging=0)
    contents = [_cropped(position) for position in range(2)]
    losses = []
    for index, (name, content) in enumerate(zip(network.styles, contents, strict=True)):
        objective = given.bind({"content": content, "style": PAINTINGS[index : index + 1]})
        losses.append(float(objective(network(content, network.named_code(name)).detach()).total))
    assert both.history["total"][0] == pytest.approx(sum(losses) / 2, rel=1e-4)


def _cropped(position):
    return Draws(PHOTOS, (0, 0), label="contents").image(position, 16)[None]


def test_losses_that_are_off_in_a_phase_are_not_computed():
    given = criterion(content=ContentLoss("conv"), style=GramLoss("relu"))
    phases = [
        Phase(2, crop_size=16, identity=True, weights={"style": 0}),
        Phase(2, crop_size=16, weights={"style": 0.5}),
    ]
    result = run(given=given, phases=phases)
    assert result.history["style.relu"][:2] == [0, 0]
    assert all(value > 0 for value in result.history["style.relu"][2:])


def test_balanced_losses_have_gradients_of_the_lengths_that_were_asked_for():
    result = run(num_steps=1, balance={"style": 3.0})
    network = any_style()
    content = torch.cat([_cropped(0), _cropped(1)])
    style = torch.stack([_style(position) for position in range(2)])
    with seeded(0, 1):
        picture = network(content, network.represent_style(style)).detach().requires_grad_()
    objective = criterion().bind({"content": content, "style": style})
    terms = objective(picture).by_loss()
    lengths = {}
    for name, term in terms.items():
        (gradient,) = torch.autograd.grad(term, picture, retain_graph=True)
        lengths[name] = float(gradient.norm())
    expected = 3 * lengths["content"] / lengths["style"]
    assert result.factors == {"style": pytest.approx(expected, rel=1e-3)}


def _style(position):
    return Draws(PAINTINGS, (0, 1), label="styles").image(position, 16)


def test_a_step_that_is_not_finite_is_left_out_and_counted():
    broken = PHOTOS.clone()
    calls = []

    class Breaking(GramLoss):
        def compare(self, representation, target):
            calls.append(1)
            return super().compare(representation, target) * (torch.nan if len(calls) == 2 else 1)

    result = run(given=criterion(style=Breaking("relu")), contents=broken, batch_size=1, num_steps=4)
    assert (result.skipped, result.stop_reason) == (1, "finished")
    assert len(result.history["total"]) == 3
    assert weights(result).isfinite().all()


def test_a_hopeless_training_ends(monkeypatch):
    monkeypatch.setattr("pystyle.training._trainer._MOST_SKIPPED", 7)

    class Broken(GramLoss):
        def compare(self, representation, target):
            return super().compare(representation, target) * torch.nan

    result = run(given=criterion(style=Broken("relu")), num_steps=20)
    assert "not finite in many steps in a row" in result.stop_reason
    assert result.skipped == 7


def test_callbacks_see_the_averaged_network_and_may_stop():
    networks = []

    def look(step):
        networks.append(copy.deepcopy(step.network))
        if step.index == 3:
            step.stop("enough")

    result = run(callbacks=[look])
    assert (result.stop_reason, len(networks)) == ("enough", 3)
    last = torch.cat([value.flatten() for value in networks[-1].state_dict().values()])
    assert torch.equal(last, weights(result))


def test_the_average_is_that_of_the_formula():
    networks = []

    def keep(step):
        networks.append(step._trainer.network.decoder.full_in.weight.detach().clone())

    result = run(
        averaging=0.9, num_steps=4, optimizer=partial(torch.optim.SGD, lr=0.3),
        callbacks=[keep],
    )  # fmt: skip
    mean = networks[0]
    for count, value in enumerate(networks[1:], 1):
        decay = min(0.9, (1 + count) / (10 + count))
        mean = decay * mean + (1 - decay) * value
    assert torch.allclose(result.network.decoder.full_in.weight, mean, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"contents": []}, ValueError, "`contents` must have at least one image"),
        ({"contents": 3}, TypeError, "`contents` must be images: a tensor, a list"),
        ({"styles": "folder"}, TypeError, "`styles` must be images"),
        ({"crop_size": 12}, ValueError, "`crop_size` must be a multiple of 4 and at least 16 .* got 12"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be at least 1"),
        ({"num_steps": 0}, ValueError, "`num_steps` must be at least 1"),
        ({"phases": []}, TypeError, "`phases` must be a list of `Phase`"),
        ({"balance": {"styl": 1}}, ValueError, "balance"),
        ({"averaging": 1}, ValueError, "`averaging` must be"),
        ({"max_gradient_norm": 0}, ValueError, "`max_gradient_norm` must be"),
        ({"learning_rate": 1e-3}, TypeError, "`learning_rate` must be a function from the fraction"),
        (
            {"optimizer": "lbfgs"},
            ValueError,
            "`optimizer` must move the weights once for each batch, got LBFGS",
        ),
        ({"optimizer": torch.optim.LBFGS}, ValueError, "`optimizer` must move the weights once"),
        ({"network": named("a", "b", "c")}, ValueError, "one image for each style of the network, 3, got 2"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        run(**options)


def test_losses_of_both_references_need_one_style():
    given = criterion(style=NearestNeighborLoss("relu"))
    assert run(named(), given, styles=PAINTINGS[:1], num_steps=1).stop_reason == "finished"
