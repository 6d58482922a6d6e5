"""The loss of a discriminator: what it says, what it leaves alone, what it refuses."""

import pytest
import torch
from torch import nn

from pystyle import AdversarialLoss, Criterion, GramLoss, optimize_image


class Brightness(nn.Module):
    """Scores of one number: twice the mean of all that it sees, less one."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.frozen = nn.Parameter(torch.tensor(1.0), requires_grad=False)

    def forward(self, image):
        return self.factor * image.mean((1, 2, 3)) - self.frozen


class TwoScales(Brightness):
    def forward(self, image):
        return [super().forward(image), super().forward(image / 2)]


def value(loss, image, content=None):
    return float(
        Criterion(None, {"a": loss}).bind({} if content is None else {"content": content})(image).total
    )


def test_the_image_is_to_be_taken_for_one_of_the_style():
    image = torch.full((2, 3, 4, 4), 0.75)  # scores of 2 * 0.75 - 1 = 0.5
    assert value(AdversarialLoss(Brightness()), image) == pytest.approx(0.25)
    assert value(AdversarialLoss(Brightness(), "wasserstein", weight=3.0), image) == pytest.approx(-1.5)


def test_scales_count_alike():
    image = torch.full((1, 3, 4, 4), 0.75)  # 0.5 at one, -0.25 at the other
    assert value(AdversarialLoss(TwoScales(), "hinge"), image) == pytest.approx(-0.125)


def test_a_conditional_discriminator_sees_the_content_before_the_image():
    class First(Brightness):
        def forward(self, image):
            assert image.shape[1] == 6
            return super().forward(image[:, :3] + 10 * image[:, 3:])

    loss = AdversarialLoss(First(), "wasserstein", conditional=True)
    image, content = torch.full((1, 3, 4, 4), 0.1), torch.full((1, 3, 4, 4), 0.5)
    assert loss.reference == "content"
    assert value(loss, image, content) == pytest.approx(-(2 * (0.5 + 1.0) - 1))


def test_what_is_judged_is_augmented():
    loss = AdversarialLoss(Brightness(), "wasserstein", augmentation=lambda image: 1 - image)
    assert value(loss, torch.full((1, 3, 2, 2), 0.25)) == pytest.approx(-0.5)


def test_the_discriminator_is_frozen_and_the_loss_knows_what_could_be_trained():
    discriminator = Brightness()
    loss = AdversarialLoss(discriminator)
    assert loss.trainable == ("factor",)
    assert not any(parameter.requires_grad for parameter in discriminator.parameters())


def test_an_image_is_optimised_against_a_discriminator_that_stays_as_it_is():
    discriminator = Brightness()
    criterion = Criterion(None, {"a": AdversarialLoss(discriminator)})
    result = optimize_image(criterion, {}, init=torch.full((1, 3, 8, 8), 0.2), num_steps=20)
    assert float(result.image.mean()) > 0.9  # a score of 1 is a mean of 1
    assert discriminator.factor == 2


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"discriminator": lambda image: image}, TypeError, "`discriminator` must be a module"),
        ({"discriminator": Brightness(), "kind": "lsgan"}, ValueError, "`kind` must be one of .*got 'lsgan'"),
        (
            {"discriminator": Brightness(), "conditional": True, "augmentation": torch.square},
            ValueError,
            "`augmentation` must be left out with `conditional`",
        ),
    ],
)
def test_impossible_arguments_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        AdversarialLoss(**arguments)


def test_a_criterion_without_encoder_has_no_layers():
    with pytest.raises(
        ValueError, match="`encoder` must be given, got None: a loss looks at the layer 'relu1_1'"
    ):
        Criterion(None, {"style": GramLoss("relu1_1")})
