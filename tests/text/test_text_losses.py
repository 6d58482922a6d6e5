"""Losses of words, with an encoder of which it is known what they must do: its space is that of colours."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim import Adam

from pystyle import Criterion, Pyramid, TotalVariationLoss, optimize_image
from pystyle.networks import TransformNetwork
from pystyle.testing import check_loss
from pystyle.text import RandomCrops, TextDirectionLoss, TextLoss
from pystyle.training import train


def value(loss, image, content=None):
    references = {} if content is None else {"content": content}
    return float(Criterion(None, {"text": loss}).bind(references)(image).total)


def noise(seed, *size, batch=1, dtype=torch.float32):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_the_loss_is_half_the_squared_angle_to_the_text(colours, plain):
    assert value(TextLoss(colours, "red"), plain(0.7, 0, 0)) == pytest.approx(0)
    assert value(TextLoss(colours, "red", weight=2.0), plain(0, 0.2, 0)) == pytest.approx(math.pi**2 / 4)
    assert value(TextLoss(colours, "red"), plain(0.5, 0.5, 0)) == pytest.approx((math.pi / 4) ** 2 / 2)
    assert value(TextLoss(colours, [("red", 1), ("green", 1)]), plain(0.5, 0.5, 0)) == pytest.approx(0)


def test_the_direction_is_that_from_the_source_to_the_text(colours, plain):
    loss = TextDirectionLoss(colours, "red", source="green")
    red, green, blue = plain(1, 0, 0), plain(0, 1, 0), plain(0, 0, 1)
    # Towards red, not at all, halfway towards both, and away from it.
    found = [value(loss, image, green) for image in (red, green, blue)]
    assert found == pytest.approx([0, 1, 0.5], abs=1e-6)
    assert value(loss, green, red) == pytest.approx(2)


def test_directions_cancel_where_the_source_says_what_the_text_says(colours, plain):
    loss = TextDirectionLoss(colours, "red", source="red")
    image = noise(0, 8, 8).requires_grad_()
    total = Criterion(None, {"text": loss}).bind({"content": plain(0, 1, 0)})(image).total
    total.backward()
    assert float(total.detach()) == 1
    assert torch.equal(image.grad, torch.zeros_like(image))


def test_the_direction_of_a_painting_leads_from_the_content_to_it(colours, plain):
    red, green = plain(1, 0, 0), plain(0, 1, 0)
    loss = TextDirectionLoss(colours, red)
    assert value(loss, red, green) == pytest.approx(0, abs=1e-6)
    assert value(loss, green, red) == pytest.approx(1)  # the painting is the content: no direction
    # Half of the way from green to red, half of that from grey to blue.
    ways = [torch.tensor([1.0, -1, 0]), torch.tensor([0.0, 0, 1]) - torch.ones(3) / math.sqrt(3)]
    target = sum(way / way.norm() for way in ways)
    way = torch.tensor([0.0, -1, 1])  # from green to blue
    expected = 1 - float(target @ way / target.norm() / way.norm())
    blended = TextDirectionLoss(colours, [(red, 0.5), ("blue", 0.5)])
    assert value(blended, plain(0, 0, 1), green) == pytest.approx(expected)


def test_small_losses_are_left_alone(colours, plain):
    green, image = plain(0, 1, 0), plain(0, 0, 1)  # 0.5 of the way
    loss = partial(TextDirectionLoss, colours, "red", source="green")
    assert value(loss(threshold=0.49), image, green) == pytest.approx(0.5)
    assert value(loss(threshold=0.51), image, green) == 0
    assert value(TextLoss(colours, "red", threshold=1.3), image) == 0


def test_each_crop_counts_for_itself(colours):
    # Half red, half green, seen in parts: those that are red or green alone are right or wrong.
    image = torch.zeros(1, 3, 8, 16)
    image[:, 0, :, :8], image[:, 1, :, 8:] = 1, 1
    crops = RandomCrops(count=200, size=4, distortion=0.0)
    whole, parts = TextLoss(colours, "red"), TextLoss(colours, "red", crops=crops)
    assert value(whole, image) == pytest.approx((math.pi / 4) ** 2 / 2)
    lefts = (
        torch.rand(200, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))[:, 1] * 13
    ).int()
    red = (8 - lefts).clamp(0, 4).double()
    assert value(parts, image) == pytest.approx(
        float(torch.atan2(4 - red, red).square().mean() / 2), rel=1e-5
    )


def test_crops_are_drawn_anew_at_each_evaluation_unless_they_shall_not(colours):
    image = noise(0, 16, 16)
    crops = RandomCrops(count=2, size=4)
    first = Criterion(None, {"text": TextLoss(colours, "red", crops=crops)}).bind({})
    again = Criterion(None, {"text": TextLoss(colours, "red", crops=crops)}).bind({})
    values = [float(first(image).total) for _ in range(3)]
    assert len(set(values)) == 3
    assert values == [float(again(image).total) for _ in range(3)]
    fixed = TextLoss(colours, "red", crops=RandomCrops(count=2, size=4, resample=False))
    assert value(fixed, image) == value(fixed, image) == values[0]
    assert fixed.generators() == ()


@pytest.mark.parametrize("crops", [None, RandomCrops(count=1, size=3, resample=False)])
def test_the_gradients_are_right(colours, crops):
    content, image = noise(1, 5, 4, dtype=torch.float64), noise(2, 5, 4, dtype=torch.float64)
    losses = {
        "text": TextLoss(colours, "red", crops=crops),
        "direction": TextDirectionLoss(colours, "blue", source="red", crops=crops),
    }
    objective = Criterion(None, losses).bind({"content": content})
    assert torch.autograd.gradcheck(lambda image: objective(image).total, image.requires_grad_())


@pytest.mark.parametrize(
    "options", [{}, {"crops": RandomCrops(count=3, size=6)}, {"threshold": 0.01, "weight": 2.0}]
)
def test_a_text_loss_keeps_the_promises_of_losses(options):
    check_loss(TextLoss(Corner(), "red", **options), channels=3)


class Corner(nn.Module):
    """The mean of the image, and of its upper left half: a module that survives pickling."""

    def encode_images(self, images):
        rows = images.flatten(2)
        found = torch.stack([rows.mean((1, 2)), rows[..., : rows.shape[2] // 2 + 1].mean((1, 2))], 1)
        return nn.functional.normalize(found + 0.1, dim=1)

    def encode_texts(self, texts):
        return torch.tensor([[0.28, 0.96]] * len(texts))


def test_a_batch_is_its_images(colours):
    images, contents = noise(3, 8, 8, batch=2), noise(4, 8, 8, batch=2)
    loss = partial(TextDirectionLoss, colours, "red", crops=RandomCrops(count=3, size=5), source="green")
    alone = [value(loss(), images[[index]], contents[[index]]) for index in range(2)]
    assert value(loss(), images, contents) == pytest.approx(sum(alone) / 2)


def test_red_turns_the_picture_red(colours):
    photo = noise(0, 16, 20)
    losses = {"text": TextLoss(colours, "red"), "smoothness": TotalVariationLoss(weight=0.1)}
    result = optimize_image(Criterion(None, losses), {"content": photo}, num_steps=20)
    red, green, blue = result.image.mean((0, 2, 3)).tolist()
    assert red > 0.3
    assert max(green, blue) < 0.02
    assert result.history["total"][-1] < 0.1 * result.history["total"][0]


def test_a_change_to_red_begins_at_the_content_itself_and_spares_what_is_not_asked_for(colours, plain):
    content = plain(0.2, 0.6, 0.4)
    losses = {"text": TextDirectionLoss(colours, "red", source="green")}
    result = optimize_image(Criterion(None, losses), {"content": content}, num_steps=40)
    assert result.history["total"][0] == 1
    assert result.history["total"][-1] < 1e-3
    # The only way from green to red that stays on the sphere swaps them, and leaves blue alone.
    direction = nn.functional.normalize(result.image.mean((2, 3)), dim=1)
    expected = nn.functional.normalize(torch.tensor([[0.6, 0.2, 0.4]]), dim=1)
    torch.testing.assert_close(direction, expected, atol=0.01, rtol=0)


def test_a_pyramid_with_crops_goes_on_from_its_checkpoint_with_the_same_bytes(colours, tmp_path):
    def paint(steps, **options):
        losses = {"text": TextDirectionLoss(colours, "red", crops=RandomCrops(count=2, size=8))}
        return Pyramid([8, 16], steps).optimize(
            Criterion(None, losses),
            {"content": noise(0, 16, 16)},
            optimizer=partial(Adam, lr=0.02),
            **options,
        )

    whole = paint([3, 4])
    paint([3, 2], checkpoint=tmp_path / "run")
    resumed = paint([3, 4], checkpoint=tmp_path / "run", resume=True)
    assert torch.equal(whole.image, resumed.image)
    assert whole.history["total"] == resumed.history["total"]


def test_words_train_a_network(colours):
    network = TransformNetwork(width=2)
    losses = {
        "text": TextDirectionLoss(colours, "red", source="green", crops=RandomCrops(count=2, size=8)),
        "whole": TextLoss(colours, "red"),
    }
    result = train(
        network,
        Criterion(None, losses),
        contents=[noise(seed, 16, 16)[0] for seed in range(4)],
        styles=noise(9, 16, 16),
        num_steps=25,
        batch_size=2,
        optimizer=partial(Adam, lr=0.05),
    )
    whole = result.history["whole.image"]
    assert sum(whole[-5:]) < 0.5 * sum(whole[:5])


def test_the_encoder_is_frozen_and_moves_with_the_loss():
    class Learnt(Corner):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

    loss = TextLoss(Learnt(), "red")
    assert not loss.encoder.weight.requires_grad
    assert not loss.encoder.training
    moved = loss.to("meta")
    assert moved.encoder.weight.is_meta
    assert moved.target.is_meta


def test_a_loss_says_what_it_asks_for(colours, plain):
    crops = RandomCrops(count=2)
    assert repr(TextLoss(colours, "red", weight=2.0)) == "TextLoss('red', weight=2)"
    assert repr(TextLoss(colours, "red", crops=crops)) == f"TextLoss('red', crops={crops})"
    blend = [("red", 0.5), (plain(1, 0, 0), 0.25)]
    assert repr(TextLoss(colours, blend)) == "TextLoss([('red', 0.5), (image of 8 x 10, 0.25)])"
    loss = TextDirectionLoss(colours, plain(1, 0, 0), source="green", threshold=0.7, reference="before")
    expected = "image of 8 x 10, threshold=0.7, source='green', reference='before'"
    assert repr(loss) == f"TextDirectionLoss({expected})"


@pytest.mark.parametrize("kind", [TextLoss, TextDirectionLoss])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1}, "`threshold` must not be negative"),
        ({"text": ""}, "`text` must say something"),
        ({"templates": ["no place"]}, "`templates` must have"),
    ],
)
def test_impossible_losses_are_refused(colours, kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(colours, **{"text": "red", **options})
    with pytest.raises(ValueError, match="cannot be confined to a region"):
        kind(colours, "red").within("sky")
